"""What hangs below a resource, and the kinds that are created without being stored.

The registry's pipelines stay generic; this room says what is special about one subresource. Four
shapes (the real server's ``rest`` interfaces), found by `action`, `view`, `strategy` and `connection`:

===================  ========================================================  =====================================
shape                which                                                     who does what
===================  ========================================================  =====================================
`Action`             pods/binding, bindings, pods/eviction,                    the endpoint decodes, normalizes,
                     serviceaccounts/token, and the reviews                    defaults and field-manages the body as
                     (SubjectAccessReview, TokenReview, ...)                   a create of ``action.kind`` does, then
                                                                               answers what ``action.run`` returns
`View`               scale, built in and custom                                the endpoint reads, updates, patches or
                                                                               applies a body of ``view.kind``; the
                                                                               view makes it of the object, and the
                                                                               object of it
`Strategy`           pods/resize, pods/ephemeralcontainers,                    a write of the object itself through
                     certificatesigningrequests/approval,                      the registry's update, with this
                     namespaces/finalize                                       strategy in place of the kind's own
`Connection`         log, exec, attach, portforward, proxy                     answers by itself
===================  ========================================================  =====================================

``status`` is the registry's own.
"""
