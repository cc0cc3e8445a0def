"""Which time slot serves a stay, why the others don't, and what would have to change."""
