"""What an alert tells people to do: with the booking's id, in the lock's time zone, and with long names cut."""

import shlex
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.alerting.arrivals import arrivals_of
from shared.domain.booking.notices import alerts_of
from shared.domain.booking.record import AlertNotice, State
from shared.domain.matching.manual_choice import SlotOffer
from shared.domain.matching.manual_options import Choosable, choices_of, offers_of
from shared.domain.matching.match import MatchPolicy, match
from shared.domain.matching.suggestions import suggest
from tests.domain.building import LOS_ANGELES, door, slot, stay
from tests.shared.stories import CHECK_IN, CHECK_OUT, DOOR, NOW, SECOND, booking, with_door

POLICY = MatchPolicy()
STAY = stay("2036-12-01T12:00", "2036-12-05T10:00")


def offer(name: str, slot_id: str = "level-7") -> SlotOffer:
    """Return the only slot of a door, as a booking keeps it."""
    at = door(slot("16:00-10:00", name=name, user_level_id=slot_id))
    (made,) = offers_of(STAY, at, POLICY, None)
    return made


def told(*offers: SlotOffer, booking_id: str = "BK-1", doors: tuple[str, ...] = (DOOR,), name: str = "") -> AlertNotice:
    """Return the notice of a booking that fits no slot."""
    it = replace(booking(*doors), booking_id=booking_id)
    it = with_door(it, state=State.WAITING, reason="no_slot", offers=offers, name=name)
    (alert,) = alerts_of(it, NOW).values()
    return alert


@pytest.mark.parametrize(
    ("name", "booking_id", "command"),
    [
        ("Late", "BK-1", "oracode bookings choose BK-1 Late"),
        ("Late Night", "BK-1", "oracode bookings choose BK-1 'Late Night'"),
        ("$(rm -rf /)", "a b", "oracode bookings choose 'a b' '$(rm -rf /)'"),
        ("x" * 3_000, "BK-1", "oracode bookings choose BK-1 level-7"),
        ("a `b`", "BK-1", "oracode bookings choose BK-1 level-7"),
        ("--help", "BK-1", "oracode bookings choose BK-1 level-7"),
        ("a\nb", "BK-1", "oracode bookings choose BK-1 level-7"),
    ],
)
def test_the_command_that_takes_the_nearest_slot(name: str, booking_id: str, command: str) -> None:
    """By its name if that can be typed, else by its user level; quoted for a shell."""
    notice = told(offer(name), booking_id=booking_id)
    assert notice.choose == command
    assert f"`{command}`" in notice.next_step
    assert shlex.split(command)[:4] == ["oracode", "bookings", "choose", booking_id]


def test_the_list_of_arrivals_has_it_too() -> None:
    """`oracode arrivals` shows the same command."""
    it = with_door(booking(), state=State.WAITING, reason="no_slot", offers=(offer("Late"),))
    (found,) = arrivals_of([it], since=NOW, until=CHECK_IN)
    assert "`oracode bookings choose BK-1 Late`" in found.next_step


def test_a_booking_of_several_doors_names_the_door() -> None:
    """Each door has its own slots."""
    assert told(offer("Late"), doors=(DOOR, SECOND)).choose == f"oracode bookings choose BK-1 Late --door {DOOR}"


def test_without_a_choice_the_command_lists_why() -> None:
    """It can be pasted, and nothing says that there is a slot."""
    notice = told()
    assert "`oracode bookings choose BK-1`" in notice.next_step
    assert notice.choose == ""


def test_two_slots_with_one_name_are_named_by_their_levels() -> None:
    """The name would be refused."""
    at = door(slot("16:00-10:00", name="Late", user_level_id="a"), slot("17:00-10:00", name="Late", user_level_id="b"))
    found = [each.typed for each in choices_of(STAY, at, POLICY, None) if isinstance(each, Choosable)]
    assert found == ["a", "b"]


def test_suggestions_name_the_zone_and_cut_names() -> None:
    """Also for a slot in another zone than the door's; a name of 3 kB doesn't push out the rest."""
    for at, zone in (
        (door(slot(name="n" * 3_000)), LOS_ANGELES),
        (door(slot(zone="America/Denver", name="n" * 3_000), time_zone=None), "America/Denver"),
    ):
        suggestions = suggest(STAY, at, POLICY, match(STAY, at, POLICY))
        assert len(suggestions) >= 2
        assert all(each.text.endswith(f" {zone}.") for each in suggestions)
        assert all(len(each.text) < 300 for each in suggestions)


def test_a_long_name_of_a_door_is_cut() -> None:
    """The booking's id stays readable."""
    assert len(told(offer("Late"), name="R" * 3_000).subject) < 100


def test_the_stay_of_these_tests_is_near_the_slots() -> None:
    """Otherwise nothing above would be offered."""
    assert timedelta(days=3) < CHECK_OUT - CHECK_IN
    assert offer("Late").typed == "Late"
