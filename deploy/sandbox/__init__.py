"""A stand-in for the Seam API, as it behaves for doors with dormakaba Oracode locks.

Law: it implements the vendor's published rules on its own. It imports nothing from the receiver,
the worker or what they share, so that a mistake in the service's idea of a rule can't hide here
too. State changes happen in synchronous code, in one piece; only the edges (HTTP in, webhooks out)
wait.
"""
