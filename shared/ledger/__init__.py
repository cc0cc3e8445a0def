"""The state of bookings, codes and alerts in Redis: atomic writes, indexes that can be rebuilt, and the due-set."""
