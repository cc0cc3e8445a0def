"""What a booking asks of a door: the stay, on the wall clock and as instants."""
