"""How the service is run: on one machine, in containers, and against a stand-in for Seam."""
