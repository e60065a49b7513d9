"""Values that every room speaks in: requests and responses, what is served, schemas, names, refusals.

No state, no I/O: this is the ground floor.
"""
