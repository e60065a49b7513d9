"""dynkube: a dynamic, discovery-driven Kubernetes client."""
