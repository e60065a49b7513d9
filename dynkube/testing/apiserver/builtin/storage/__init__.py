"""Volumes that outlive pods: claims, volumes and their classes."""
