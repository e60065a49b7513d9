"""HorizontalPodAutoscalers (pkg/apis/autoscaling, pkg/registry/autoscaling)."""
