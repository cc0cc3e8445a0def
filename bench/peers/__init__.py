"""Comparable systems (peers): what others would build for the same job, each as its own documentation shows it."""
