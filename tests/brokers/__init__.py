"""Brokers, real ones. A package, so that its one node of RabbitMQ ends with its last test."""
