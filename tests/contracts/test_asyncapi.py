"""`docs/asyncapi.yaml` names what the code has, refers to the published schemas, and keeps to its specification."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts import BOOKING_FIELD, BOOKING_QUEUE, EVENT_FIELD, REJECTED_QUEUE
from shared.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
FILE = DOCS / "asyncapi.yaml"
NODE = Path(__file__).parent / "node"
# The parser names the newest version; tools that read 3.0 are more.
_ADVICE = {"asyncapi-latest-version"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Read the document."""
    read: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return read


def test_channels_are_those_of_the_settings(document: dict[str, Any]) -> None:
    """Streams by the defaults of their settings, queues by their names; posts have the addresses that people give."""
    fields = Settings.model_fields
    addresses = {name: channel["address"] for name, channel in document["channels"].items()}
    assert addresses == {
        "bookingCreated": fields["booking_stream"].default,
        "bookingQueue": BOOKING_QUEUE,
        "rejectedBookings": REJECTED_QUEUE,
        "outcomes": fields["outcome_stream"].default,
        "postedOutcomes": None,
        "postedAlerts": None,
        "seamEvents": fields["event_stream"].default,
    }
    assert {name.upper() for name in fields if name.endswith("_stream")} == {
        word for channel in document["channels"].values() for word in channel["description"].split(". ")[0].split()
    } & {name.upper() for name in fields}


def test_fields_of_streams_are_named_as_they_are(document: dict[str, Any]) -> None:
    """Of an entry that a booking system writes, reads, or that `web` writes."""
    channels = document["channels"]
    assert f"field `{BOOKING_FIELD}`" in channels["bookingCreated"]["description"]
    assert f"field `{EVENT_FIELD}`" in channels["seamEvents"]["description"]


def test_payloads_are_the_published_schemas(document: dict[str, Any]) -> None:
    """By reference, so that a message is described once; each file is there."""
    referred = {
        name: message["payload"]["schema"]["$ref"]
        for name, message in document["components"]["messages"].items()
        if "schema" in message["payload"]
    }
    assert referred == {
        "bookingMessage": "./schemas/booking-message.json",
        "outcome": "./schemas/outcome.json",
        "postedOutcome": "./schemas/outcome.json",
        "postedAlert": "./schemas/alert.json",
    }
    assert all((DOCS / path).is_file() for path in referred.values())


def parsed(file: Path) -> dict[str, Any]:
    """Have the parser of AsyncAPI's authors read a file. Skips where it isn't installed."""
    if not (NODE / "node_modules").is_dir():
        reason = "no @asyncapi/parser: make setup-contracts (needs npm)"
        if os.environ.get("CI") and shutil.which("npm"):
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(
        ["node", "check.mjs", file], cwd=NODE, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_parser_takes_it(document: dict[str, Any]) -> None:
    """With its references, and without a fault or a warning."""
    found = parsed(FILE)
    assert [fault for fault in found["faults"] if fault["code"] not in _ADVICE] == []
    assert {name for name, _ in found["channels"]} == set(document["channels"])
    assert set(found["operations"]) == set(document["operations"])


def test_the_parser_notices_a_broken_reference(tmp_path: Path) -> None:
    """The control."""
    broken = tmp_path / "asyncapi.yaml"
    broken.write_text(FILE.read_text().replace("./schemas/outcome.json", "./schemas/no-such.json"))
    assert [fault for fault in parsed(broken)["faults"] if fault["severity"] == 0] != []
