"""A booking's record, its transitions, and what is done next for each of its doors."""
