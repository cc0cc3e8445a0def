"""A door as Seam reports it: its time slots, its zone, its errors and warnings."""
