"""Times of day, wall clocks and durations, and how people read them."""
