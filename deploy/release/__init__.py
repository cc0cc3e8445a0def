"""A release: what is built for it, and what is checked before it is published (`make release-check`)."""
