"""Which time slot serves a stay, why others don't, and what would have to change."""
