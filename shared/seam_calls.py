"""What is noted of each call to Seam: a metric, and a span of the trace that is open."""

from shared import metrics, tracing
from shared.seam.client import SeamCall


def observe_seam_call(call: SeamCall) -> None:
    """Note a call that is over. Neither what was asked nor what was answered is noted: both may hold a PIN."""
    outcome = metrics.outcome_of(call.failure)
    metrics.SEAM_REQUESTS.add(call.path, outcome)
    metrics.SEAM_SECONDS.observe(call.seconds, call.path)
    attributes = {"seam.path": call.path, "seam.outcome": outcome, "seam.request_id": call.request_id or ""}
    error = "" if call.failure is None else type(call.failure).__name__
    tracing.record(f"Seam {call.path}", seconds=call.seconds, attributes=attributes, error=error)
