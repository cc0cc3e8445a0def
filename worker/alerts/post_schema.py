"""The JSON Schema of posted alerts, from the code: `python -m worker.alerts.post_schema > docs/schemas/alert.json`."""

import json
from typing import Any, Final

from pydantic import TypeAdapter

from shared.domain.alerting.alert import News
from worker.alerts.alert_post import AlertPost
from worker.alerts.message import CLOSED

_ON_LOCK_CLOCK: Final = "for people, on the lock's clock where its zone is known"
_DESCRIPTIONS: Final = {
    "AlertPost": {
        "delivery_id": "The same for each try of one post, and for a repeat of it; also in the header `webhook-id`.",
        "key": "The problem's key; of several problems, the name of their group.",
        "problem": "The kind of the first problem, which is the most urgent one. New kinds may come.",
        "status": "Whether it tells of problems, or of their end.",
        "severity": "Of the most urgent problem; `info` where it tells of an end.",
        "title": "A summary in one line.",
        "subject": "The booking or the door that it is about; of several problems, the title.",
        "happened": "What happened; of several problems, what they have in common.",
        "check_in": f"The check-in of the first problem, {_ON_LOCK_CLOCK}; empty where there is none.",
        "next_step": "What to do about the first problem.",
        "actor": "Who does it.",
        "look_closer": "The command that tells more.",
        "runbook": "The runbook's section; a link where RUNBOOK_URL is set.",
        "count": "How often the first problem was seen.",
        "at": "When it was composed; ISO 8601 with an offset.",
        "alerts": "Every problem that it tells, the most urgent first.",
    },
    "AlertItem": {
        "key": "The same for as long as the problem is open: to find what was told before.",
        "thread": "The conversation on this channel: the same for what belongs together.",
        "booking_id": "The booking that it is about; empty where the problem isn't one booking's.",
        "problem": "Its kind. New kinds may come.",
        "status": "Whether it is open.",
        "severity": "How urgent it is; `info` once it is over.",
        "news": "Why it is told now. `closed`: over, but not solved; `next_step` says what tells of it now.",
        "subject": "The booking or the door that it is about.",
        "happened": "What happened.",
        "affects": "How many bookings it affects, and the first of them, a line each; empty for one booking's problem.",
        "check_in": f"The nearest check-in that it affects, {_ON_LOCK_CLOCK}; empty where there is none.",
        "next_step": "What to do.",
        "actor": "Who does it.",
        "look_closer": "The command that tells more.",
        "runbook": "The runbook's section.",
        "count": "How often it was seen.",
        "choices": "The nearest slots of the door, where the stay fits none.",
        "choose": "The command that takes the nearest of them; empty where there is none.",
        "handled": "Who takes care of it, and since when; empty where nobody does.",
        "code_window": f"From when to when the code opens the door, {_ON_LOCK_CLOCK}; empty where there is no code.",
        "earlier_pin_works": "From when to when the PIN of an earlier revision opens the door; empty where none does.",
        "let_in_by_hand": "Whether the guest must be let in by hand first; `next_step` begins with it.",
        "joined": "Who joined the problem since it was told last, a line each; else empty.",
    },
    "SlotChoice": {
        "door": "The door's key within the booking.",
        "slot": "Which slot: what `oracode bookings choose` takes.",
        "name": "The slot's name.",
        "starts_at": "From when its code would open the door; ISO 8601 with an offset.",
        "ends_at": "Until when; ISO 8601 with an offset.",
        "window": f"Both, {_ON_LOCK_CLOCK}.",
        "meaning": "What that means for the guest.",
    },
}


def alert_post_schema() -> dict[str, Any]:
    """Return the schema. It allows further fields, since posts may gain some."""
    schema = TypeAdapter(AlertPost).json_schema(mode="serialization")
    parts = {"AlertPost": schema, **schema["$defs"]}
    for part in parts.values():
        # A docstring is for those who read the code: rewording one doesn't change the contract.
        part.pop("description", None)
    for part in ("AlertPost", "AlertItem"):
        parts[part]["properties"]["status"]["enum"] = ["open", "resolved"]
        parts[part]["properties"]["actor"]["examples"] = ["ops", "installer", "seam"]
    parts["AlertItem"]["properties"]["news"]["examples"] = [*map(str, News), CLOSED]
    for part, descriptions in _DESCRIPTIONS.items():
        # Those with a default in the code are always there, too.
        parts[part]["required"] = list(descriptions)
        for name, text in descriptions.items():
            parts[part]["properties"][name] = {"description": text, **parts[part]["properties"][name]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


if __name__ == "__main__":
    print(json.dumps(alert_post_schema(), indent=2))  # noqa: T201 - a tool
