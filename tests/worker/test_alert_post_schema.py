"""The JSON Schema of posted alerts: as committed, and what is posted follows it."""

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.domain.booking.problem_catalogue import PROBLEMS
from tests.worker.alert_messages import situations
from worker.alerts.message import AlertItem, AlertMessage
from worker.alerts.post_schema import alert_post_schema
from worker.alerts.signed_webhook import webhook_body

COMMITTED = Path(__file__).parents[2] / "docs" / "schemas" / "alert.json"


def posted(message: AlertMessage) -> Any:
    """Return what a receiver parses."""
    return json.loads(json.dumps(webhook_body(message)))


def test_the_committed_schema_is_the_codes() -> None:
    """The committed schema is the one that the code makes. After a change UPDATE_GOLDEN=1 writes it."""
    if os.environ.get("UPDATE_GOLDEN"):
        COMMITTED.write_text(json.dumps(alert_post_schema(), indent=2) + "\n")
        pytest.skip("written")
    assert json.loads(COMMITTED.read_text()) == alert_post_schema()


def test_every_field_is_described_and_required() -> None:
    """No field is added without its sentence; a reader must bear fields that it doesn't know."""
    schema = alert_post_schema()
    parts = [schema, schema["$defs"]["AlertItem"], schema["$defs"]["SlotChoice"]]
    for part in parts:
        properties: dict[str, Any] = part["properties"]
        assert all(each.get("description") for each in properties.values())
        assert part["required"] == list(properties)
        assert part.get("additionalProperties") is not False
    assert set(parts[1]["properties"]) == {field.name for field in fields(AlertItem)}
    assert set(schema["properties"]["actor"]["examples"]) == {row.actor for row in PROBLEMS.values()}


@pytest.mark.parametrize("situation", situations())
def test_what_is_posted_follows_it(situation: str) -> None:
    """Each situation of which people are told."""
    validator = Draft202012Validator(alert_post_schema())
    assert list(validator.iter_errors(posted(situations()[situation]))) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "shut"}, "'shut' is not one of"),
        ({"severity": "loud"}, "'loud' is not one of"),
        ({"count": "2"}, "'2' is not of type 'integer'"),
        ({"alerts": [{}]}, "'key' is a required property"),
    ],
)
def test_what_doesnt_follow_it_is_found(change: dict[str, Any], said: str) -> None:
    """The control."""
    body = posted(next(iter(situations().values())))
    assert Draft202012Validator(alert_post_schema()).is_valid(body)
    found = [error.message for error in Draft202012Validator(alert_post_schema()).iter_errors(body | change)]
    assert any(said in message for message in found), found
