"""`make install-check`: what docs/deploy.md says of systemd, done on a machine as bare as can be had, and looked at."""
