"""What must be true in the end, when nothing fails any more and everything that was due was done."""

from datetime import datetime
from typing import Final

from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.booking.record import BookedDoor, Booking
from shared.ledger.booking_indexes import codes_of
from tests.worker.stateful_model import LEAD_TIME, Span, Wanted
from tests.worker.stateful_world import DEVICES, LONG, SHORT, World

# The state of a booking with several doors is the first of these.
_WORST_FIRST: Final = (
    "failed",
    "waiting",
    "creating",
    "received",
    "scheduled",
    "issued",
    "ready",
    "cancelled",
    "ended",
)
# The reasons for which a door may have failed, and what must have happened; a person's retry then solves it.
_FOR_A_PERSON: Final = ("refused_by_seam", "code_gone")


def settle(world: World) -> None:
    """End all failures, deliver everything, wait; let a person retry what needs it; then check everything."""
    world.seam.faults.clear()
    world.seam.page = 500
    for device_id in DEVICES:
        world.change_door(device_id, most=None)
    for code in world.seam.codes.values():
        if code.said:
            world.seam.let_say(code, {})
    while world.entries:
        world.apply(next(iter(world.entries)))
    world.rest(LONG)
    world.record(world.seam.events[world.untold :])
    world.rest(SHORT)
    for booking in list(world.ledger.all()):
        if any(_needs_a_person(world, booking, door) for door in booking.doors):
            world.retry(booking.booking_id)
    world.rest(SHORT)
    world.record(world.seam.events[world.untold :])
    world.rest(SHORT)
    world.check()
    check_end(world)


def check_end(world: World) -> None:
    """Compare the ledger and Seam with the model."""
    bookings = {booking.booking_id: booking for booking in world.ledger.all()}
    assert bookings.keys() == world.model.bookings.keys(), (bookings, world.model.bookings)
    for booking_id, wanted in world.model.bookings.items():
        booking = bookings[booking_id]
        assert (booking.revision, booking.cancelled) == (wanted.revision, wanted.cancelled), booking
        assert booking.outbox == (), booking
        for device_id in wanted.windows if not wanted.cancelled else ():
            _check_wanted(world, booking, booking.door(device_id), wanted)
        for door in booking.doors:
            if not world.model.wants(booking_id, door.device_id):
                assert door.state in ("cancelled", "ended"), door
            assert door.intent is None, door
            _check_codes(world, booking, door)
        states = [door.state for door in booking.doors if door.wanted]
        expected = "cancelled" if wanted.cancelled else min(states, key=_WORST_FIRST.index)
        assert booking.state == expected, booking
        assert not world.redis.xlen("booking-created")
    _check_alerts(world, list(bookings.values()))


def _check_wanted(world: World, booking: Booking, door: BookedDoor, wanted: Wanted) -> None:
    assert wanted.stay is not None
    now, fake = world.clock(), world.doors[door.device_id]
    check_in, check_out = wanted.stay.instants(fake.zone)
    if now >= check_out:
        assert door.state == "ended", door
    elif door.code is not None:
        window: Span = (door.code.window.starts_at, door.code.window.ends_at)
        # If something was wrong with the code, it is over: the door became `ready` again by itself.
        assert door.state == "ready", door
        assert door.reason not in ("code_problem", "removed_outside", "late_set"), door
        assert window in wanted.windows[door.device_id], (door, wanted)
        same = [code for code in _undeleted(world, booking, door) if code[1] == window]
        assert [code[0] for code in same] == [door.code.access_code_id], (same, door)
    elif door.state in ("waiting", "failed"):
        assert wanted.stay.window(fake) is None, (door, fake)
    else:
        # A stay that had a fitting slot is planned again when its time has come, not before.
        assert wanted.windows[door.device_id], door
        assert (door.state, door.reason) == ("scheduled", "lead_time"), door
        assert now < check_in - LEAD_TIME, door


def _check_codes(world: World, booking: Booking, door: BookedDoor) -> None:
    """Check that known codes exist at Seam, and that codes at Seam are known (unless the data server was emptied)."""
    known = {code.access_code_id for code in codes_of(door)}
    for code_id in known - world.vanished:
        code = world.seam.codes[code_id]
        assert not code.deleted or code.ends_at <= world.clock(), (code, door)
    if not world.is_emptied:
        alive = {code.access_code_id for code in world.seam.alive(booking.booking_id, door.device_id)}
        assert alive <= known, (alive, door)


def _check_alerts(world: World, bookings: list[Booking]) -> None:
    expected = {
        f"booking/{booking.booking_id}/{door.reason}/{door.device_id}"
        for booking in bookings
        for door in booking.doors
        if door.wanted and not booking.cancelled and door.reason in PROBLEMS and not door.is_muted
        if door.state != "ended" or door.reason == "already_over"
    } | {
        f"booking/{booking.booking_id}/slot_changed/{door.device_id}"
        for booking in bookings
        for door in booking.doors
        if door.wanted and not booking.cancelled and door.drift and door.code is not None and door.state != "ended"
    }
    alerts = [alert for alert in world.alerts.all() if alert.notice.key.startswith("booking/")]
    assert {alert.notice.key for alert in alerts if alert.is_open} == expected, (alerts, expected)


def _needs_a_person(world: World, booking: Booking, door: BookedDoor) -> bool:
    if door.state != "failed" or not door.wanted or booking.cancelled or door.reason == "too_long":
        return False
    assert door.reason in _FOR_A_PERSON, door
    if door.reason == "code_gone":
        assert world.vanished, door
    else:
        assert any(kind == "refuse" and device == door.device_id for _, kind, device in world.seam.fired), door
    return True


def _undeleted(world: World, booking: Booking, door: BookedDoor) -> list[tuple[str, tuple[datetime, datetime]]]:
    return [
        (code.access_code_id, (code.starts_at, code.ends_at))
        for code in world.seam.codes.values()
        if (code.booking_id, code.device_id, code.deleted) == (booking.booking_id, door.device_id, False)
    ]
