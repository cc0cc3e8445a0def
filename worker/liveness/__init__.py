"""Whether a worker still works: self-ping, progress check, heartbeat, missed-heartbeat alerts."""
