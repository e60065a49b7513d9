"""An API server in this process: it answers as kube-apiserver answers, and needs no binaries.

`dynkube.testing.APIServer` is its face. The rooms, from the ground up (docs/topics/embedded-server.md
draws them; the linter holds the floors):

- words: `statuses`, `fielderrors`, `schemas`, `resources`: values, no state;
- machinery, pure functions over plain dicts: `decoding`, `patching`, `fieldmanagement`,
  `customresources`, `builtin`, `printing`; and `recorded`, what the real server was seen to say;
- state: `storage` (one revision counter, one log), owned by one event loop;
- `registry`: what is served, and what happens to an object on its way into storage;
- `endpoints`: a request becomes an answer; `access`: who asks, and may they;
- the edge: `http` (sockets), `server` (the face towards tests).

It shares words with the client (errors' texts, schema, codec, selectors) and never its request
builder or paths: a bug that both sides shared would cancel out in every test.
"""
