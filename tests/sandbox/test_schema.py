"""Every answer and event of the sandbox, held against the schema that the newest SDK of Seam carries."""

import re
from collections.abc import Iterator

import pytest

from deploy.sandbox.api.operations import OPERATIONS
from tests.sandbox.harness import Sandbox
from tests.sandbox.judged import Recorder, Schema, Verdict
from tests.sandbox.walk import walk

EMITTED = {
    *(
        f"access_code.{name}"
        for name in [
            "changed",
            "code_changed",
            "created",
            "delay_in_issuing",
            "delay_in_setting_on_device",
            "deleted",
            "deleted_external_to_seam",
            "failed_to_delete",
            "failed_to_issue",
            "failed_to_remove_from_device",
            "failed_to_set_on_device",
            "failed_to_update",
            "modified_external_to_seam",
            "mutations_requested",
            "name_changed",
            "removed_from_device",
            "set_on_device",
            "time_frame_changed",
            "unmanaged.converted_to_managed",
            "unmanaged.created",
            "unmanaged.removed",
        ]
    ),
    *(
        f"connected_account.{name}"
        for name in [
            "completed_first_sync_after_reconnection",
            "connected",
            "deleted",
            "disconnected",
            "reauthorization_requested",
        ]
    ),
    *(
        f"device.{name}"
        for name in [
            "added",
            "connected",
            "connection_became_flaky",
            "connection_stabilized",
            "converted_to_unmanaged",
            "deleted",
            "disconnected",
            "name_changed",
            "removed",
            "third_party_integration_detected",
            "third_party_integration_no_longer_detected",
            "unmanaged.connected",
            "unmanaged.converted_to_managed",
            "unmanaged.disconnected",
        ]
    ),
}
_PLACE = re.compile(r"\[\d+\]")


@pytest.fixture(scope="module")
def schema() -> Schema:
    """Return what the SDK knows."""
    return Schema()


@pytest.fixture(scope="module")
def verdicts() -> Iterator[list[Verdict]]:
    """Walk through everything that a sandbox can show, and have it judged."""
    with Sandbox("--step", "0.02", "--retry-scale", "0.01") as sandbox, Recorder(sandbox) as recorder:
        walk(sandbox)
        recorder.add_events(sandbox.events(limit=10_000))
        yield recorder.judge()


@pytest.mark.parametrize("path", OPERATIONS)
def test_answers_follow_the_schema(verdicts: list[Verdict], path: str) -> None:
    """No field is missing, unknown or of a wrong type, and no value is outside of its enumeration."""
    judged = [verdict for verdict in verdicts if verdict.line.get("path") == path]
    assert judged, "no answer of this endpoint was judged"
    assert _problems(judged) == []


def test_events_follow_the_schema(verdicts: list[Verdict]) -> None:
    """Each event is what its type promises."""
    assert _problems([verdict for verdict in verdicts if "event" in verdict.line]) == []


def test_every_kind_of_event_is_judged(verdicts: list[Verdict]) -> None:
    """All that the sandbox emits by itself; an event that it learns to emit belongs here and into the walk."""
    assert {verdict.line["event"]["event_type"] for verdict in verdicts if "event" in verdict.line} == EMITTED


def _problems(verdicts: list[Verdict]) -> list[str]:
    """Return every problem once, whichever place in a list it was found at."""
    found = (_PLACE.sub("[]", problem) for verdict in verdicts for problem in verdict.violations)
    return list(dict.fromkeys(found))
