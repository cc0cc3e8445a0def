"""What Seam reports of an access code, and what that means for the guest."""
