"""Services (pkg/apis/core/validation, pkg/registry/core/service)."""
