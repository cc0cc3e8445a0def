"""The JSON Schema of an outcome: the file is up to date, and published outcomes follow it."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from shared.domain.booking.notices import outcome_body
from shared.domain.booking.outcome import PUBLISHED, Outcome, OutcomeType, cloud_event
from shared.domain.booking.record import OutcomeNotice
from tests.shared.stories import NOW, booking, issued
from worker.outcomes.schema import outcome_schema

COMMITTED = Path(__file__).parents[2] / "docs" / "schemas" / "outcome.json"


def test_the_published_schema_is_the_codes_own() -> None:
    """After a change, UPDATE_GOLDEN=1 writes it."""
    if os.environ.get("UPDATE_GOLDEN"):
        COMMITTED.write_text(json.dumps(outcome_schema(), indent=2) + "\n")
        pytest.skip("written")
    assert json.loads(COMMITTED.read_text()) == outcome_schema()


def test_every_field_is_described_and_required() -> None:
    """Except the PIN, which is there only on request; the page describes every field."""
    schema = outcome_schema()
    for part in (schema, *schema["$defs"].values()):
        properties: dict[str, Any] = part["properties"]
        assert all(each.get("description") for each in properties.values())
        assert set(part["required"]) == set(properties) - {"code"}
        assert part.get("additionalProperties") is not False
    documented = (COMMITTED.parents[1] / "outcomes.md").read_text()
    names = [name for part in (schema, *schema["$defs"].values()) for name in part["properties"]]
    assert [name for name in names if name not in documented] == []


def test_what_is_published_follows_it() -> None:
    """The same fields with the same types, with and without a code."""
    for it in (booking(), issued()):
        body = outcome_body(it)
        event = cloud_event(
            "BK-1", OutcomeNotice(sequence=1, at=NOW + timedelta(0), outcome="access-code.issued", body=body)
        )
        assert set(event) == set(outcome_schema()["required"])
        assert json.loads(TypeAdapter(Outcome).dump_json(TypeAdapter(Outcome).validate_python(event))) == event


def test_every_type_is_published() -> None:
    """The types in the schema are those of the states that are told."""
    assert set(get_args(OutcomeType)) == set(PUBLISHED.values()) == set(outcome_schema()["properties"]["type"]["enum"])
