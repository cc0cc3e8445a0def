"""What several tests need: a real data server, a running machine, waiting for a condition."""
