"""YAML as the API server reads it: go-yaml v2 makes JSON of it, keys sorted, and says what is wrong in its own words.

Scalars are resolved as for kubeconfigs (`dynkube.config.yaml`, which is pure): no request builder is involved, so no
bug of ours can hide by being on both sides of the wire. Its errors are dynkube's own, so the rest is done here.
"""

from __future__ import annotations

import math
from binascii import a2b_base64
from collections.abc import Iterator
from typing import Any, Final

from dynkube.config.yaml import _key_text as key_text
from dynkube.config.yaml import resolve_scalar
from dynkube.testing.apiserver.decoding.jsontext import NumberLiteral, json_number
from dynkube.testing.apiserver.decoding.scalars import canonical_base64
from dynkube.testing.apiserver.words import govalues
from dynkube.testing.apiserver.words.fielderrors import quoted

__all__ = ["YAMLError", "load_yaml"]

_CORE: Final = "tag:yaml.org,2002:"
_RESOLVABLE: Final = frozenset({"", "bool", "int", "float", "null", "timestamp"})
_TYPES: Final = {"NoneType": "null", "bool": "bool", "int": "int", "float": "float", "str": "str"}
_UNSET: Final = object()
_MERGE: Final = object()
_MOST_DECODED: Final = 400_000
_FEW_DECODED, _FEW_ALIASED = 1000, 100
_ALIASED_SHARE: Final = 0.99


class YAMLError(ValueError):
    """It is no YAML, or none that JSON can say; the text is go-yaml's."""


def load_yaml(data: bytes) -> tuple[Any, list[str]]:
    """The value of the first document, and what strict reading complains of: one text, with a line for each duplicate.

    Args:
        data: The text.

    Returns:
        Plain data, mappings sorted by key. Floats that JSON would not write as integers are `NumberLiteral`.

    Raises:
        YAMLError: It is no YAML.
    """
    builder = _Builder()
    try:
        builder.read(_events(data))
        value = _sorted(builder.root)
    except RecursionError:
        raise YAMLError("yaml: exceeded max depth of 10000") from None
    problems = builder.duplicates
    return value, ["yaml: unmarshal errors:\n  " + "\n  ".join(problems)] if problems else []


def _events(data: bytes) -> Iterator[Any]:
    import yaml

    try:
        parser = _parser(data or b"\n")
        while parser.check_event():
            event = parser.get_event()
            yield event
            if isinstance(event, yaml.DocumentEndEvent):
                return
    except yaml.reader.ReaderError as error:
        problem = f"yaml: {error.reason}"
    except yaml.MarkedYAMLError as error:
        problem = f"yaml: {_place(error)}{error.problem or 'unknown problem parsing YAML content'}"
    else:
        return
    raise YAMLError(problem)


def _parser(data: bytes) -> Any:
    import yaml

    if yaml.__with_libyaml__:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]

        return CParser(data)

    class PureParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
        def __init__(self, data: bytes) -> None:
            yaml.reader.Reader.__init__(self, data)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)

    return PureParser(data)


def _place(error: Any) -> str:
    """Go-yaml's idea of the line (decode.go, parser.fail)."""
    from yaml.scanner import ScannerError

    for mark, may_be_next in ((error.problem_mark, True), (error.context_mark, False)):
        if mark is not None and mark.line:
            return f"line {mark.line + (may_be_next and isinstance(error, ScannerError))}: "
    return ""


class _Mapping(dict[Any, Any]):
    """A mapping that is being read, with the line of each value."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, int] = {}


class _Frame:
    """A sequence or mapping that is being read."""

    __slots__ = ("anchor", "key", "line", "value")

    def __init__(self, value: _Mapping | list[Any], anchor: str | None, line: int) -> None:
        self.value = value
        self.anchor = anchor
        self.line = line
        self.key: Any = _UNSET


class _Builder:
    """Makes values of the parser's events."""

    def __init__(self) -> None:
        self.root: Any = None
        self.duplicates: list[str] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Any] = {}
        self._problem = ""
        """The first thing that can be parsed and not decoded: Go parses the whole document first."""
        self._decoded = 0
        self._aliased = 0

    def read(self, events: Iterator[Any]) -> None:
        handlers = {
            "ScalarEvent": self._scalar,
            "AliasEvent": self._alias,
            "MappingStartEvent": lambda event: self._start(event, _Mapping()),
            "SequenceStartEvent": lambda event: self._start(event, []),
            "MappingEndEvent": self._end,
            "SequenceEndEvent": self._end,
        }
        for event in events:
            handler = handlers.get(type(event).__name__)
            if handler is not None:
                handler(event)
        if self._problem:
            raise YAMLError(f"yaml: {self._problem}")

    def _refuse(self, problem: str) -> None:
        self._problem = self._problem or problem

    # ------------------------------------------------------------- events

    def _scalar(self, event: Any) -> None:
        self._decoded += 1
        plain = event.implicit[0]
        if event.tag is None and not plain:
            value: Any = event.value
        else:
            value = self._resolved(event.tag or "", event.value)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        is_merge = event.value == "<<" and (plain or event.tag == f"{_CORE}merge")
        self._put(_MERGE if is_merge and self._wants_key() else value, event.start_mark.line)

    def _alias(self, event: Any) -> None:
        if any(frame.anchor == event.anchor for frame in self._stack):
            self._refuse(f"anchor '{event.anchor}' value contains itself")
            self._put(None, event.start_mark.line)
            return
        if event.anchor not in self._anchors:
            raise YAMLError(f"yaml: unknown anchor '{event.anchor}' referenced")
        self._put(self._copied(self._anchors[event.anchor]), event.start_mark.line)

    def _start(self, event: Any, value: _Mapping | list[Any]) -> None:
        self._decoded += 1
        self._stack.append(_Frame(value, event.anchor, event.start_mark.line))

    def _end(self, _event: Any) -> None:
        frame = self._stack.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = frame.value
        self._put(frame.value, frame.line)

    def _resolved(self, tag: str, text: str) -> Any:
        """What a scalar means that is plain or has a tag (resolve.go)."""
        name = tag.removeprefix(_CORE) if tag.startswith(_CORE) else tag
        if name == "binary":
            try:
                return a2b_base64(canonical_base64(text)).decode(errors="replace")
            except ValueError:
                self._refuse("!!binary value contains invalid base64 data")
        if name not in _RESOLVABLE:
            return text
        value = resolve_scalar(text)
        found = _TYPES[type(value).__name__]
        if name in ("", found):
            return value
        if name == "float" and found == "int":
            return float(value)
        if not (name == "timestamp" and found == "str"):
            self._refuse(f"cannot decode !!{found} `{text}` as a !!{name}")
        return text

    # ------------------------------------------------------------- values

    def _wants_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is _UNSET

    def _put(self, value: Any, line: int) -> None:
        if not self._stack:
            self.root = value
            return
        frame = self._stack[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is _UNSET:
            if isinstance(value, (dict, list)):
                self._refuse(f"invalid map key: {_go_syntax(value)}")
                value = ""
            frame.key = value
        else:
            if frame.key is _MERGE:
                self._merge(frame.value, value)
            else:
                self._set(frame.value, frame.key, value, line)
            frame.key = _UNSET

    def _set(self, target: _Mapping, key: Any, value: Any, line: int) -> None:
        key = (type(key), key) if isinstance(key, (bool, float)) else key  # 1, 1.0 and true are three keys
        if key in target:
            self.duplicates.append(f"line {line + 1}: key {_shown(_plain_key(key))} already set in map")
        target[key] = value
        target.lines[key] = line

    def _merge(self, target: _Mapping, source: Any) -> None:
        sources = source if isinstance(source, list) else [source]
        for each in reversed(sources):
            if not isinstance(each, _Mapping):
                self._refuse("map merge requires map or sequence of maps as the value")
                continue
            for key, value in each.items():
                self._set(target, _plain_key(key), value, each.lines[key])

    def _copied(self, value: Any) -> Any:
        """What an alias stands for; go-yaml counts what it decodes again."""
        self._decoded += 1
        self._aliased += 1
        if self._aliased > _FEW_ALIASED and self._decoded > _FEW_DECODED and self._is_excessive():
            raise YAMLError("yaml: document contains excessive aliasing")
        if isinstance(value, _Mapping):
            copy = _Mapping()
            copy.lines = value.lines
            for key, each in value.items():
                self._decoded += 1
                self._aliased += 1
                copy[key] = self._copied(each)
            return copy
        return [self._copied(each) for each in value] if isinstance(value, list) else value

    def _is_excessive(self) -> bool:
        return self._decoded > _MOST_DECODED or self._aliased / self._decoded > _ALIASED_SHARE


def _plain_key(key: Any) -> Any:
    return key[1] if isinstance(key, tuple) else key


def _sorted(value: Any) -> Any:
    """As JSON text of it reads: keys are strings, sorted (sigs.k8s.io/yaml, convertToJSONableObject)."""
    if isinstance(value, dict):
        texts = {_json_key(_plain_key(key), each): each for key, each in value.items()}
        return {key: _sorted(texts[key]) for key in sorted(texts, key=str.encode)}
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return _json_scalar(value) if isinstance(value, float) else value


def _json_key(key: Any, value: Any) -> str:
    text = key_text(key)
    if text is None:
        raise YAMLError(f"unsupported map key of type: %!s(<nil>), key: <nil>, value: {_shown(value)}")
    return text


def _json_scalar(number: float) -> int | float:
    if not math.isfinite(number):
        shown = "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"
        raise YAMLError(f"json: unsupported value: {shown}")
    whole = json_number(number)
    return whole if isinstance(whole, int) else NumberLiteral(govalues.json_text(number))


def _shown(value: Any) -> str:
    return "<nil>" if value is None else _go_syntax(value)


def _go_syntax(value: Any) -> str:
    """``%#v`` of what go-yaml decoded."""
    if isinstance(value, dict):
        entries = ", ".join(f"{_go_syntax(_plain_key(key))}:{_go_syntax(each)}" for key, each in value.items())
        return "map[interface {}]interface {}{" + entries + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(_go_syntax, value)) + "}"
    if value is None:
        return "interface {}(nil)"
    return quoted(value) if isinstance(value, str) else govalues.plain(value)
