"""The part of the sandbox that is Seam: its endpoints, parameters, refusals and headers."""
