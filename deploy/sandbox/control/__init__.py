"""The part of the sandbox that isn't Seam: by it, people and tests arrange what happens."""
