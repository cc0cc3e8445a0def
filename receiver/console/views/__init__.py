"""What the console shows and does, one module a subject. Each is served as a page and as JSON."""
