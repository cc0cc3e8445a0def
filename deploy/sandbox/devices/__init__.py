"""The doors: Seam's device objects, their time slots, and what the sandbox does with them."""
