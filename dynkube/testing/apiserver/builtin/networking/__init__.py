"""Ingresses, their classes, and network policies (pkg/apis/networking, pkg/registry/networking)."""
