"""Problems of a code that exists at Seam: it stays the booking's, is read again, and is never made twice."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.booking.record import BookedDoor
from shared.domain.seam_issues import CATALOGUE, PENDING, IssueKind
from tests.worker.stateful_end import settle
from tests.worker.stateful_model import HOURS, Stay
from tests.worker.stateful_stage import stage
from tests.worker.stateful_things import TROUBLES, Code
from tests.worker.stateful_world import Stage, World

__all__ = ["stage"]
DOOR = "d0000000-0000-0000-0000-000000000001"
# Enough for every pause between two looks, and before check-in.
STAY = Stay(3, 3, HOURS[0])
LONGER = Stay(3, 4, HOURS[0])

STANDS: dict[str, tuple[str, str, str]] = {
    "not set": ("issued", "code_problem", "could not be programmed so far"),
    "no space": ("failed", "code_problem", "holds as many codes"),
    "set again": ("issued", "code_problem", "Seam sets it again"),
    "stays removed": ("failed", "removed_outside", "does not set it again"),
    "not updated": ("issued", "code_problem", "has not taken the last change"),
    "account lost": ("issued", "code_problem", "connect it again in Seam's console"),
    "unknown": ("issued", "code_problem", "connection to the dormakaba account is lost"),
    "deleting": ("issued", "code_problem", "Seam is deleting the code"),
}


class Story:
    """One booking on one door, in an empty world. Its code is Seam's first one."""

    def __init__(self, stage: Stage, flags: frozenset[str] = frozenset()) -> None:
        self.world = World(stage)
        self.world.change_door(DOOR, flags=flags)
        self.world.move(timedelta(days=2, hours=12))
        self.world.apply(self.world.publish("BK-1", STAY, [DOOR]))
        self.world.rest(timedelta(minutes=2))
        assert self.state_and_reason == ("ready", "")

    @property
    def door(self) -> BookedDoor:
        """The booking's door as the ledger has it."""
        return self.world.ledger.get("BK-1").door(DOOR)

    @property
    def state_and_reason(self) -> tuple[str, str]:
        """State and reason."""
        return str(self.door.state), self.door.reason

    @property
    def code(self) -> Code:
        """The first code, at Seam."""
        return self.world.seam.codes["code-1"]

    @property
    def alerts(self) -> dict[str, str]:
        """The open alerts: the text of each, by its problem."""
        return {each.notice.problem: each.notice.happened for each in self.world.alerts.all() if each.is_open}

    def say(self, said: Mapping[str, Any]) -> None:
        """Let Seam say this of the code, and send an event about it."""
        self.world.seam.let_say(self.code, said)
        self.world.record(self.world.seam.events[-1:])

    def retry(self) -> None:
        """Do what an alert may advise (a retry), and what follows."""
        self.world.retry("BK-1")
        self.world.sweep()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_problem_is_told_and_ends(stage: Stage, trouble: str) -> None:
    """The code is kept, a retry only reads it, and the door becomes `ready` again by itself, without an event."""
    story = Story(stage)
    story.say(TROUBLES[trouble])
    state, reason, words = STANDS[trouble]
    assert story.state_and_reason == (state, reason)
    assert list(story.alerts) == [reason]
    assert words in story.alerts[reason]
    for _ in range(2):
        story.retry()
    assert (story.state_and_reason, list(story.alerts), len(story.world.seam.codes)) == ((state, reason), [reason], 1)
    assert story.door.code is not None
    story.code.said = {}
    story.world.rest(timedelta(hours=7))
    assert (story.state_and_reason, story.alerts, len(story.world.seam.codes)) == (("ready", ""), {}, 1)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"code": None}, "Seam shows no PIN for it."),
        ({"code": None, "is_waiting_for_code_assignment": True}, "is_waiting_for_code_assignment"),
    ],
)
def test_a_code_without_a_pin_is_not_ready(stage: Stage, said: Mapping[str, Any], words: str) -> None:
    """There is nothing to give to the guest, although Seam calls it set. When it is late, people are told why."""
    story = Story(stage)
    story.say({"status": "set", **said})
    assert (story.state_and_reason, story.alerts) == (("issued", ""), {})
    assert story.door.code is not None
    story.world.move(story.door.code.window.starts_at - story.world.clock())
    story.world.rest(timedelta(minutes=2))
    assert story.state_and_reason == ("issued", "late_set")
    assert words in story.alerts["late_set"]
    story.code.said = {}
    story.world.rest(timedelta(minutes=10))
    assert (story.state_and_reason, story.alerts) == (("ready", ""), {})


@pytest.mark.parametrize("said", [{"starts_at": None, "ends_at": None}, {"ends_at": None}])
def test_a_code_without_times_is_told_and_its_errors_count(stage: Stage, said: Mapping[str, Any]) -> None:
    """It isn't `ready` while its times aren't known, and it is never made twice."""
    story = Story(stage)
    story.say(said)
    assert story.state_and_reason == ("issued", "window_differs")
    assert "names no start or no end" in story.alerts["window_differs"]
    story.say({**said, **TROUBLES["no space"]})
    assert story.state_and_reason == ("failed", "code_problem")
    for _ in range(2):
        story.retry()
    assert (story.door.residual, len(story.world.seam.codes)) == ((), 1)
    story.say({})
    assert (story.state_and_reason, story.alerts, len(story.world.seam.codes)) == (("ready", ""), {}, 1)


@pytest.mark.parametrize("trouble", ["deleting", "set again", "stays removed", "no space"])
def test_a_code_that_was_deleted_in_the_end_is_made_again_by_a_retry(stage: Stage, trouble: str) -> None:
    """Only a 404 for the code itself removes it from the booking; only then a retry makes another one."""
    story = Story(stage)
    story.say(TROUBLES[trouble])
    story.world.delete(story.code)
    story.world.record(story.world.seam.events[-1:])
    assert (story.state_and_reason, story.door.code, list(story.alerts)) == (
        ("failed", "code_gone"),
        None,
        ["code_gone"],
    )
    assert len(story.world.seam.codes) == 1
    story.retry()
    story.world.rest(timedelta(minutes=2))
    assert (story.state_and_reason, story.alerts, len(story.world.seam.codes)) == (("ready", ""), {}, 2)


@pytest.mark.parametrize("event", ["deleted", "removed_from_device", "deleted_external_to_seam"])
def test_an_event_never_removes_a_code(stage: Stage, event: str) -> None:
    """It says that something happened; Seam, when asked, still has the code."""
    story = Story(stage)
    story.world.seam.tell(event, story.code)
    story.world.record(story.world.seam.events[-1:])
    assert (story.state_and_reason, story.alerts) == (("ready", ""), {})


def test_a_message_that_changes_nothing_leaves_a_problem_open(stage: Stage) -> None:
    """The alert doesn't end for a moment."""
    story = Story(stage)
    story.say(TROUBLES["stays removed"])
    story.world.apply(story.world.publish("BK-1", STAY, [DOOR], revision=1, kind="updated", label="Suite"))
    assert story.state_and_reason == ("failed", "removed_outside")
    (alert,) = [each for each in story.world.alerts.all() if each.is_open]
    assert (alert.count, alert.sequence) == (1, 1)
    assert len(story.world.seam.codes) == 1


def extended(story: Story, said: Mapping[str, Any]) -> None:
    """Extend the stay by a night, while the lock doesn't take it."""
    story.code.said = said
    story.world.apply(story.world.publish("BK-1", LONGER, [DOOR], revision=1, kind="updated"))


UPDATING = {"pending_mutations": [{"mutation_code": "updating_time_frame"}]}


def test_an_extension_is_ready_when_it_has_arrived(stage: Stage) -> None:
    """While it is under way, nothing is wrong, but the booking isn't ready."""
    story = Story(stage, frozenset({"is_extendable"}))
    extended(story, UPDATING)
    old_end = story.code.ends_at - timedelta(days=1)
    story.code.ends_at, story.code.held_back = old_end, (story.code.starts_at, story.code.ends_at)
    story.world.rest(timedelta(seconds=30))
    assert (story.state_and_reason, story.alerts) == (("issued", ""), {})
    story.say({})
    assert (story.state_and_reason, story.alerts) == (("ready", ""), {})
    assert story.door.code is not None
    assert story.door.code.window.ends_at == old_end + timedelta(days=1)


def test_an_extension_that_the_lock_does_not_take_is_told_with_both_times(stage: Stage) -> None:
    """Also after the old end: Seam keeps trying, and the looks go on."""
    story = Story(stage, frozenset({"is_extendable"}))
    old_end = story.code.ends_at
    extended(story, TROUBLES["not updated"])
    story.world.rest(timedelta(minutes=2))
    assert story.state_and_reason == ("issued", "code_problem")
    assert "has not taken the last change" in story.alerts["code_problem"]
    assert (
        "Asked for 2036-11-25 16:00 to 2036-11-29 10:00, got 2036-11-25 16:00 to 2036-11-28 10:00."
        in (story.alerts["code_problem"])
    )
    story.world.move(old_end - story.world.clock() + timedelta(hours=1))
    story.world.sweep()
    story.retry()
    assert (story.state_and_reason, len(story.world.seam.codes)) == (("issued", "code_problem"), 1)
    story.world.seam.let_say(story.code, {})
    story.world.rest(timedelta(minutes=10))
    assert (story.state_and_reason, story.alerts, len(story.world.seam.codes)) == (("ready", ""), {}, 1)


def test_a_code_that_ended_before_its_extension_arrived_is_gone(stage: Stage) -> None:
    """The guest is still there: a retry makes a code for the rest of the stay."""
    story = Story(stage, frozenset({"is_extendable"}))
    old_end = story.code.ends_at
    extended(story, TROUBLES["not updated"])
    story.world.move(old_end - story.world.clock() + timedelta(hours=1))
    story.world.delete(story.code)
    story.world.rest(timedelta(minutes=10))
    assert story.state_and_reason == ("failed", "code_gone")
    story.retry()
    story.world.rest(timedelta(minutes=2))
    assert (story.state_and_reason, len(story.world.seam.codes)) == (("ready", ""), 2)


def listed(kind: IssueKind, code_field: str) -> st.SearchStrategy[list[dict[str, str]]]:
    """Draw some issues of one kind, listed and unlisted ones."""
    rows = [code.partition("/") for code in (*CATALOGUE[kind], "of_tomorrow")]
    issues = [{code_field: code, **({"change_type": change} if change else {})} for code, _, change in rows]
    return st.lists(st.sampled_from(issues), max_size=3)


ANYTHING = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(("set", "setting", "unset", "unknown", "removing", "", "of_tomorrow")),
        "errors": listed(IssueKind.CODE_ERROR, "error_code"),
        "warnings": listed(IssueKind.CODE_WARNING, "warning_code"),
        "pending_mutations": st.lists(st.sampled_from([{"mutation_code": each} for each in PENDING]), max_size=2),
    },
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(ANYTHING, min_size=1, max_size=4), pauses=st.lists(st.integers(0, 7200), min_size=4, max_size=4))
def test_a_retry_never_makes_a_second_code(stage: Stage, said: list[dict[str, Any]], pauses: list[int]) -> None:
    """Whatever Seam says of the code, as long as it exists. In the end, when nothing is wrong, the door is ready."""
    story = Story(stage)
    for each, pause in zip(said, pauses, strict=False):
        story.say(each)
        story.retry()
        story.world.rest(timedelta(seconds=pause))
        story.retry()
        assert story.door.code is not None
        assert (story.door.code.access_code_id, len(story.world.seam.codes)) == ("code-1", 1)
        assert bool(story.alerts) == bool(story.door.reason)
    settle(story.world)
