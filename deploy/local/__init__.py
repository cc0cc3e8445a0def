"""Runs everything on one machine: `oracode up`."""
