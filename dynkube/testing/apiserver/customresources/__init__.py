"""CustomResourceDefinitions, and the resources that they define.

- `definitions`: the strategy of the CRDs themselves; `conditions`: what controllers write into their status;
- `serving`: the `Resource` of each version, with its `strategy`: pruning, defaulting, validation, rules;
- `publishing`: schemas for OpenAPI and field management; `columns`: Tables; `scale`: the scale subresource.

Nothing is imported here: most servers have no CRD, and a request for one pays for what it uses.
"""
