"""The whole system, from outside. A package, so that its one running system ends with its last test."""
