"""A stand-in for the Seam API, as it behaves for doors with dormakaba Oracode locks.

It follows the vendor's schema (the types of the newest Seam SDK) and published rules, not our own code: it imports
nothing from the receiver, the worker or what they share, so that a mistake in the service's idea of a rule can't hide
here too. State changes happen in synchronous code, in one piece; only the edges (HTTP in, webhooks out) wait.

- `devices`: doors, connected accounts, their errors and warnings; `codes`: access codes and their life; `events`: the
  event log; `webhooks`: endpoints and delivery.
- `api`: Seam's endpoints; `control`: the ``/sandbox`` endpoints for people and tests; `pages`: HTML for people.
- `assembly` puts all of it together.
"""
