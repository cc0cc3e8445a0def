"""Everything on one machine with one command: what `oracode up` starts."""
