"""A pod as a whole: what is asked of it that is not asked of a template.

validatePodMetadataAndSpec, ValidatePodCreate.
"""

from __future__ import annotations

from dynkube.testing.apiserver.builtin.pod.annotations import matching_profiles, specific_annotations
from dynkube.testing.apiserver.builtin.pod.containers import padded_image
from dynkube.testing.apiserver.builtin.pod.spec import pod_spec, walk
from dynkube.testing.apiserver.builtin.rules import Errors, Json, listed, mapping
from dynkube.testing.apiserver.words.fielderrors import forbidden, index

__all__ = ["new_pod", "whole_pod"]


def new_pod(pod: Json) -> Errors:
    """A pod that is to be, but for its metadata."""
    spec = pod["spec"]
    yield from whole_pod(pod)
    if listed(spec, "ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and listed(spec, "schedulingGates"):
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")
    yield from matching_profiles(mapping(pod["metadata"], "annotations"), spec, walk(spec, "spec"), "spec")


def whole_pod(pod: Json) -> Errors:
    """A pod, new or changed, but for its metadata."""
    spec, metadata = pod["spec"], pod["metadata"]
    yield from specific_annotations(mapping(metadata, "annotations"), spec, "metadata.annotations")
    yield from pod_spec(spec, metadata, "spec")
    if not spec.get("serviceAccountName"):
        yield from _no_tokens(spec)
    for name in ("containers", "initContainers"):
        for number, container in enumerate(listed(spec, name)):
            yield from padded_image(container, index(f"spec.{name}", number))


def _no_tokens(spec: Json) -> Errors:
    """Whose token should it be."""
    for number, volume in enumerate(listed(spec, "volumes")):
        for place, source in enumerate(listed(mapping(volume, "projected"), "sources")):
            if source.get("serviceAccountToken") is not None:
                where = f"spec.volumes[{number}].projected.sources[{place}].serviceAccountToken"
                yield forbidden(where, "must not be specified when serviceAccountName is not set")
