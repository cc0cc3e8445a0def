"""Pages for people. Everything that came from outside is escaped; there are no scripts."""
