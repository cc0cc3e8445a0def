"""The process `console`: pages and a JSON API for the people who run the doors."""
