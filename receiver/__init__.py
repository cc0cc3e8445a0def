"""Process `web`: it verifies HTTP requests, takes PINs out, and appends the messages durably to streams."""
