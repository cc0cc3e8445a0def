"""The JSON Schema of an outcome, made from the code: `python -m worker.outcomes.schema > docs/schemas/outcome.json`."""

import json
from typing import Any, Final, get_args

from pydantic import TypeAdapter

from shared.domain.booking.outcome import Outcome, OutcomeType
from shared.domain.booking.record import State

_MOMENT: Final = "ISO 8601 with an offset"
_DESCRIPTIONS: Final = {
    "Outcome": {
        "specversion": "CloudEvents 1.0.",
        "id": "Unique: the booking's id, and the outcome's place in its sequence, from 1. An id again is a repeat.",
        "source": "Who tells it.",
        "type": "What became of the booking.",
        "subject": "The booking's id.",
        "time": f"When the booking came into this state; {_MOMENT}.",
        "datacontenttype": "Of `data`.",
        "data": "The booking as it was then.",
    },
    "OutcomeData": {
        "booking_id": "The booking's id.",
        "revision": "The booking's revision that this is about.",
        "state": "Of the whole booking: that of the door that needs a person most, or is furthest behind.",
        "reason": "Why it is in that state; empty where nothing is odd. New reasons may come.",
        "residual_access_until": f"Until when a code that is no longer wanted still opens a door; {_MOMENT}.",
        "devices": "The doors that are wanted; a split stay has one entry for each of its codes.",
    },
    "OutcomeDevice": {
        "device_id": "Seam's id of the door.",
        "access_code_id": "Seam's id of the code; null while there is none.",
        "status": "The door's state.",
        "reason": "Why the door is in that state; empty where nothing is odd. New reasons may come.",
        "starts_at": f"From when the code opens the door; {_MOMENT}.",
        "ends_at": f"Until when; {_MOMENT}.",
        "pin_changed": "Whether the guest must get another PIN than that of an earlier outcome.",
        "pin_changed_at": f"Since when; {_MOMENT}.",
        "code": "The PIN: in posts with OUTCOME_PIN alone. Null while Seam has none, or where the code isn't wanted.",
    },
}


def outcome_schema() -> dict[str, Any]:
    """Return the schema. It allows further fields, since outcomes may gain some."""
    schema = TypeAdapter(Outcome).json_schema()
    parts = {"Outcome": schema, **schema["$defs"]}
    parts["OutcomeDevice"]["properties"]["code"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Code"}
    schema["properties"]["type"]["enum"] = list(get_args(OutcomeType))
    for part, name in (("OutcomeData", "state"), ("OutcomeDevice", "status")):
        parts[part]["properties"][name]["examples"] = [str(state) for state in State]
    for part, descriptions in _DESCRIPTIONS.items():
        # These have a default in the code, and are always there.
        parts[part]["required"] = [name for name in descriptions if name != "code"]
        for name, text in descriptions.items():
            parts[part]["properties"][name]["description"] = text
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


if __name__ == "__main__":
    print(json.dumps(outcome_schema(), indent=2))  # noqa: T201 - a tool
