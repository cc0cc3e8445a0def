"""``/action_attempts``: what became of calls that made, changed or deleted a code."""

from deploy.sandbox.api.pages import one_page
from deploy.sandbox.api.parameters import Page, Parameters, Uuids
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.attempts import ActionAttempt, attempt_object
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import not_found
from deploy.sandbox.models import Uuid

DEFAULT_LIMIT = 500


class GetAttempt(Parameters):
    """One attempt."""

    action_attempt_id: Uuid


class ListAttempts(Page):
    """Which attempts to list."""

    action_attempt_ids: Uuids | None = None
    device_id: Uuid | None = None


def get(sandbox: Sandbox, asked: GetAttempt) -> JsonObject:
    """Return one attempt."""
    attempt = sandbox.attempts.find(asked.action_attempt_id)
    served = _served(sandbox, attempt) if attempt else None
    if served is None:
        raise not_found("action_attempt", asked.action_attempt_id)
    return {"action_attempt": served}


def list_attempts(sandbox: Sandbox, asked: ListAttempts) -> JsonObject:
    """Return a page of attempts."""
    found = [
        attempt
        for attempt in sandbox.attempts.everything()
        if asked.device_id in {None, attempt.device_id}
        and (asked.action_attempt_ids is None or attempt.action_attempt_id in asked.action_attempt_ids)
    ]
    page, pagination = one_page(
        found, asked, lambda attempt: attempt.seq, path="/action_attempts/list", default_limit=DEFAULT_LIMIT
    )
    served = (_served(sandbox, attempt) for attempt in page)
    return {"action_attempts": [each for each in served if each is not None], "pagination": pagination}


def _served(sandbox: Sandbox, attempt: ActionAttempt) -> JsonObject | None:
    code = sandbox.codes.find(attempt.access_code_id)
    return None if code is None else attempt_object(attempt, code, sandbox.code_object(code))
