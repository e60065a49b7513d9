"""Pods, and the templates of pods that the workload kinds carry."""
