"""Which message of a booking wins, if no message has a revision, if all have one, or only some."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.domain.booking.message_order import given_revision, source_of
from shared.domain.booking.record import Booking, Change, State
from shared.domain.booking.transitions import Repeated, Superseded, apply_message, erase_personal_data
from shared.domain.messages.message import BookingMessage, InvalidMessage, MessageType
from shared.domain.stay.stay import Instant
from tests.shared.stories import CHECK_OUT, DOOR, NOW, SECOND, STAY, quiet, with_door

LONGER = replace(STAY, check_out=Instant(CHECK_OUT + timedelta(days=1)))
STAYS = {"short": STAY, "long": LONGER}


def took(
    before: Booking | None,
    entry: str,
    kind: str = "created",
    stay: str = "short",
    *,
    doors: tuple[str, ...] = (DOOR,),
    revision: int | None = None,
    source: str = "",
    message_id: str = "",
    label: str | None = None,
) -> Change:
    """Apply the message of an entry; by default it has neither a revision nor an id of its own."""
    cancels = kind == "cancelled"
    asked = None if cancels else STAYS[stay]
    message = BookingMessage(
        source=source,
        message_id=message_id or f"hash of {kind} {stay} {doors} {revision} {label}",
        type=MessageType(f"booking.{kind}"),
        booking_id="BK-1",
        revision=revision,
        device_ids=() if cancels else doors,
        check_in=asked.check_in if asked else None,
        check_out=asked.check_out if asked else None,
        label=label,
    )
    return apply_message(
        before,
        message,
        stay=asked,
        device_ids=() if cancels else doors,
        lead_time=None,
        now=NOW,
        arrival=entry,
    )


def after(*messages: tuple[Any, ...]) -> Booking:
    """Return the booking after these messages, each given as the arguments of `took`; the last may be a mapping."""
    booking: Booking | None = None
    for each in messages:
        *args, fields = each if isinstance(each[-1], dict) else (*each, {})
        booking = quiet(took(booking, *args, **fields).booking)
    assert booking is not None
    return booking


def test_a_change_without_a_revision_is_the_next_revision() -> None:
    """Every door is planned again, and the story has its number."""
    change = took(after(("1-0", "created", "short")), "2-0", "created", "long")
    assert (change.booking.revision, change.booking.stay, change.is_news) == (1, LONGER, True)
    assert change.booking.door(DOOR).due_at == NOW
    assert "without a revision, was applied as revision 1" in change.history[0].text


@pytest.mark.parametrize("kind", ["created", "updated"])
def test_known_content_changes_nothing(kind: str) -> None:
    """It is only noted as the newest, so that an earlier message doesn't win later."""
    before = after(("1-0", "created", "short"))
    change = took(before, "3-0", kind)
    assert not change.is_news
    assert change.history == ()
    assert replace(change.booking, newest_entry=before.newest_entry) == before
    with pytest.raises(Superseded):
        took(change.booking, "2-0", "updated", "long")


def test_a_change_back_to_earlier_content_is_a_change() -> None:
    """A bare message has no id but its content: nevertheless the same content later is a change."""
    back = took(after(("1-0", "created", "short"), ("2-0", "created", "long")), "3-0", "created", "short")
    assert (back.booking.stay, back.booking.revision) == (STAY, 2)


def test_the_doors_file_may_have_changed_meanwhile() -> None:
    """Then the same message asks for other doors, which is a change."""
    assert took(after(("1-0",)), "2-0", doors=(SECOND,)).is_news
    assert not took(after(("1-0", "created", "short", {"doors": (DOOR, SECOND)})), "2-0", doors=(SECOND, DOOR)).is_news


def test_another_label_is_a_change_unless_the_label_was_forgotten() -> None:
    """Long after check-out the same message must not bring the guest's data back."""
    before = after(("1-0", "created", "short", {"label": "Room 101"}))
    assert took(before, "2-0", label="Room 102").is_news
    over = with_door(before, state=State.ENDED)
    forgotten = erase_personal_data(over, DOOR, now=NOW).booking
    assert not took(forgotten, "2-0", label="Room 101").is_news


def test_an_entry_that_is_handled_again_changes_nothing() -> None:
    """Also after newer ones."""
    before = after(("1-0",), ("2-0", "updated", "long"))
    with pytest.raises(Repeated):
        took(before, "2-0", "updated", "long")
    with pytest.raises(Superseded):
        took(before, "1-0")


def test_the_same_id_again_changes_nothing() -> None:
    """`source` and `id` identify a message, with or without a revision."""
    one: dict[str, Any] = {"source": "/pms", "message_id": "m-1"}
    two: dict[str, Any] = {"source": "/pms", "message_id": "m-2"}
    before = after(("1-0", "created", "short", one), ("2-0", "updated", "long", two))
    with pytest.raises(Repeated):
        took(before, "3-0", "created", "short", **one)


def test_a_cancellation_without_a_revision_cancels_what_came_before_it() -> None:
    """With or without revisions. An earlier message that is handled after it is cancelled, too."""
    for revision in (None, 7):
        cancelled = after(("1-0", "created", "short", {"revision": revision}), ("3-0", "cancelled"))
        assert (cancelled.cancelled, cancelled.state) == (True, State.CANCELLED)
        with pytest.raises(Superseded):
            took(cancelled, "2-0", "updated", "long", revision=revision and revision + 1)
        assert not took(cancelled, "4-0", "cancelled").is_news
    tombstone = after(("2-0", "cancelled"))
    with pytest.raises(Superseded):
        took(tombstone, "1-0")
    with pytest.raises(Superseded):
        took(tombstone, "1-0", revision=5)


def test_a_booking_may_be_booked_again_after_a_cancellation() -> None:
    """Then even the same content is a change."""
    again = took(after(("1-0",), ("2-0", "cancelled")), "3-0")
    assert (again.is_news, again.booking.cancelled, again.booking.revision) == (True, False, 1)


def test_a_booking_with_revisions_that_was_cancelled_without_one_needs_a_higher_one() -> None:
    """The content known under the old revision stays cancelled; other content under it is parked for people."""
    cancelled = after(("1-0", "created", "short", {"revision": 3}), ("2-0", "cancelled"))
    with pytest.raises(Superseded):
        took(cancelled, "3-0", revision=3, message_id="again")
    with pytest.raises(InvalidMessage):
        took(cancelled, "3-0", "updated", "long", revision=3)
    assert took(cancelled, "3-0", "updated", "short", revision=4).booking.revision == 4


@pytest.mark.parametrize("kind", ["created", "updated"])
def test_a_change_without_a_revision_after_one_with_is_parked(kind: str) -> None:
    """It can't be known which is newer. But a message that changes nothing, or came before, isn't parked."""
    before = after(("2-0", "created", "short", {"revision": 3}))
    with pytest.raises(InvalidMessage) as refused:
        took(before, "3-0", kind, "long")
    (problem,) = refused.value.problems
    assert (problem.field, "above 3" in problem.right) == ("revision", True)
    with pytest.raises(Superseded):
        took(before, "3-0", kind, "short")
    with pytest.raises(Superseded):
        took(before, "1-0", kind, "long")


def test_a_booking_system_may_begin_to_send_revisions() -> None:
    """The first one counts by its arrival, whatever our own count is; from then on the highest revision wins."""
    before = after(("1-0",), ("2-0", "updated", "long"), ("3-0", "updated", "short"))
    with pytest.raises(Superseded):
        took(before, "2-5", "updated", "long", revision=1)
    it = took(before, "4-0", "updated", "long", revision=1).booking
    assert (it.stay, given_revision(it)) == (LONGER, 1)
    assert it.revision > before.revision
    with pytest.raises(Superseded):
        took(it, "5-0", "updated", "short", revision=0)
    newer = took(it, "6-0", "updated", "short", revision=2).booking
    assert (newer.stay, given_revision(newer)) == (STAY, 2)
    assert newer.revision > it.revision


OTHER = pytest.mark.parametrize(
    ("stay", "fields"),
    [
        pytest.param("long", {}, id="another stay"),
        pytest.param("short", {"doors": (SECOND,)}, id="another door"),
        pytest.param("short", {"doors": (DOOR, SECOND)}, id="one more door"),
        pytest.param("short", {"label": "Room 102"}, id="another label"),
    ],
)


@OTHER
def test_the_same_revision_with_other_content_is_parked(stay: str, fields: dict[str, Any]) -> None:
    """It is never ignored: a guest may stand before a door."""
    before = after(("1-0", "created", "short", {"revision": 3}))
    with pytest.raises(InvalidMessage) as refused:
        took(before, "2-0", "updated", stay, revision=3, **fields)
    (problem,) = refused.value.problems
    assert (problem.field, "above 3" in problem.right) == ("revision", True)


def test_the_same_revision_with_the_same_content_changes_nothing() -> None:
    """With another id, of another type, or with another doors file when it was applied."""
    before = after(("1-0", "created", "short", {"revision": 3}))
    for kind in ("created", "updated"):
        with pytest.raises(Superseded):
            took(before, "2-0", kind, revision=3, message_id="another")
    elsewhere = replace(before, doors=(replace(before.doors[0], device_id=SECOND),))
    with pytest.raises(Superseded):
        took(elsewhere, "2-0", revision=3, message_id="another")


def test_a_cancellation_with_the_same_revision_cancels() -> None:
    """Also if its booking comes after it."""
    before = after(("1-0", "created", "short", {"revision": 3}))
    cancelled = took(before, "2-0", "cancelled", revision=3).booking
    assert cancelled.cancelled
    with pytest.raises(Superseded):
        took(cancelled, "3-0", revision=3, message_id="again")
    with pytest.raises(InvalidMessage):
        took(cancelled, "3-0", "updated", "long", revision=3)
    higher = took(before, "2-0", "cancelled", revision=4).booking
    with pytest.raises(Superseded):
        took(higher, "3-0", "updated", "long", revision=4)


@pytest.mark.parametrize("kind", ["created", "updated", "cancelled"])
@pytest.mark.parametrize(("first", "then"), [("/pms/a", "/pms/b"), ("/pms/a", ""), ("", "/pms/b")])
@pytest.mark.parametrize("revision", [None, 9], ids=["without", "with"])
def test_a_message_of_another_source_is_parked(kind: str, first: str, then: str, revision: int | None) -> None:
    """Two systems may use the same number: neither may take over or cancel the other's code."""
    before = after(("1-0", "created", "short", {"source": first, "message_id": "m-1", "revision": 0}))
    assert source_of(before) == first
    with pytest.raises(InvalidMessage) as refused:
        took(before, "2-0", kind, "long", source=then, message_id="m-2", revision=revision)
    (problem,) = refused.value.problems
    assert problem.field == "source"
    assert repr(first) in problem.right


def test_a_cancellation_that_came_first_has_a_source_too() -> None:
    """Another system's booking isn't cancelled by it."""
    tombstone = after(("1-0", "cancelled", "short", {"source": "/pms/a", "message_id": "m-1"}))
    with pytest.raises(InvalidMessage):
        took(tombstone, "2-0", source="/pms/b", message_id="m-2")


class TestRecordsOfBefore:
    """A record of an older version doesn't say when messages arrived, nor whether its revision was given."""

    @staticmethod
    def stored(revision: int) -> Booking:
        """Return a booking as an older version left it."""
        before = after(("1-0", "created", "short", {"source": "/pms", "message_id": "m-1", "revision": revision}))
        return replace(before, revision_offset=None, newest_entry="", cancelled_entry="", asked="")

    def test_revision_0_may_mean_that_none_was_given(self) -> None:
        """A change without a revision is applied, and so is one with a higher revision."""
        same: dict[str, Any] = {"source": "/pms", "message_id": "m-2"}
        assert took(self.stored(0), "9-0", "updated", "long", **same).booking.revision == 1
        assert took(self.stored(0), "9-0", "updated", "long", revision=1, **same).booking.revision == 1
        with pytest.raises(Superseded):
            took(self.stored(0), "9-0", revision=0, **same)

    def test_a_revision_above_0_was_given(self) -> None:
        """The highest wins, as before; a change without one is parked."""
        same: dict[str, Any] = {"source": "/pms", "message_id": "m-2"}
        assert given_revision(self.stored(4)) == 4
        with pytest.raises(Superseded):
            took(self.stored(4), "9-0", "updated", "long", revision=3, **same)
        with pytest.raises(InvalidMessage):
            took(self.stored(4), "9-0", "updated", "long", **same)
        with pytest.raises(InvalidMessage):
            took(self.stored(4), "9-0", "updated", "long", revision=4, **same)

    def test_its_source_is_known(self) -> None:
        """From the messages that it remembers."""
        with pytest.raises(InvalidMessage):
            took(self.stored(0), "9-0", source="/other", message_id="m-2")


class AnyOrder(RuleBasedStateMachine):
    """Messages without a revision, handled by workers in any order, each any number of times."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []
        self.taken: set[int] = set()
        self.booking: Booking | None = None
        self.source: str | None = None

    @rule(
        kind=st.sampled_from(["created", "updated", "cancelled"]),
        stay=st.sampled_from(["short", "long"]),
        doors=st.sampled_from([(DOOR,), (SECOND,), (DOOR, SECOND)]),
        source=st.sampled_from(["", "/pms"]),
    )
    def arrive(self, kind: str, stay: str, doors: tuple[str, ...], source: str) -> None:
        """Append a message to the stream; all are of one source."""
        self.source = source if self.source is None else self.source
        number = len(self.entries) + 1
        # Ids with more digits, and several in one millisecond.
        entry = f"{8 + number // 3}-{number}"
        message_id = f"m-{number}" if self.source else ""
        fields = {"entry": entry, "kind": kind, "stay": stay, "doors": doors}
        self.entries.append(fields | {"source": self.source, "message_id": message_id})

    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        """Let a worker handle an entry, perhaps one that was handled before."""
        if self.entries:
            self.apply(data.draw(st.integers(0, len(self.entries) - 1)))

    def apply(self, place: int) -> None:
        """Apply an entry."""
        self.taken.add(place)
        with suppress(Repeated, Superseded):
            self.booking = quiet(took(self.booking, **self.entries[place]).booking)

    @invariant()
    def the_newest_that_was_taken_counts(self) -> None:
        """Whatever was handled before or after it."""
        if self.booking is None:
            assert not self.taken
            return
        newest = self.entries[max(self.taken)]
        assert self.booking.cancelled == (newest["kind"] == "cancelled")
        if not self.booking.cancelled:
            wanted = {door.device_id for door in self.booking.doors if door.wanted}
            assert (self.booking.stay, wanted) == (STAYS[newest["stay"]], set(newest["doors"]))

    def teardown(self) -> None:
        """Handle the entries that are left: the booking has the content of the newest message."""
        for place in reversed(range(len(self.entries))):
            if place not in self.taken:
                self.apply(place)
        if self.entries:
            self.the_newest_that_was_taken_counts()


AnyOrder.TestCase.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
TestAnyOrder = AnyOrder.TestCase
