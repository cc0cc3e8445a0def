"""What reads the streams and the queue: each entry becomes a task, or is parked."""
