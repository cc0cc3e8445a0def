"""Pages for people. Everything that came from outside is escaped; there is one script, and none within a page."""
