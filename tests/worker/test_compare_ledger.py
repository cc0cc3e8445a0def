"""Compares the ledger with Seam: a door that can't be compared doesn't stop the others."""

from datetime import timedelta

import httpx
import pytest

from shared.seam.access_codes import AccessCodes
from shared.seam.client import SeamClient
from shared.seam.errors import Unauthorized, Unreachable
from tests.sandbox.harness import API_KEY, Sandbox
from tests.worker.machine import Machine, kept
from tests.worker.seam import answering, client_on
from worker.handlers.compare_ledger import CompareLedger, Comparison


def compare(machine: Machine, client: SeamClient | None = None) -> Comparison:
    """Compare the machine's ledger with Seam, by another client if one is given."""
    codes = AccessCodes(client or kept(seam_of(machine.sandbox)))
    return CompareLedger(ledger=machine.ledger, due=machine.handlers.due, codes=codes, clock=machine.clock)()


def seam_of(sandbox: Sandbox) -> SeamClient:
    """Return a client of the sandbox."""
    return SeamClient(endpoint=sandbox.url, api_key=API_KEY, answer_within=timedelta(seconds=2))


def kinds(comparison: Comparison) -> list[tuple[str, str]]:
    """Return the difference of each finding, and its door."""
    return sorted((str(each.kind), each.device_id) for each in comparison.differences)


def test_a_door_that_seam_does_not_know_is_one_finding(machine: Machine, sandbox: Sandbox) -> None:
    """It names all bookings on it; the other doors are compared nevertheless."""
    gone, there = sandbox.door(), sandbox.door()
    lost = machine.until(machine.book(gone), "ready")
    never = machine.book("d0000000-0000-0000-0000-000000000404")
    removed = machine.until(machine.book(there), "ready")
    sandbox.arrange("DELETE", f"/sandbox/devices/{gone}")
    code = removed.doors[0].code
    assert code is not None
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code.access_code_id}", {"simulate": "removed"})
    comparison = compare(machine)
    assert kinds(comparison) == [
        ("gone", there),
        *sorted([("unknown door", gone), ("unknown door", "d0000000-0000-0000-0000-000000000404")]),
    ]
    texts = {each.device_id: each.text for each in comparison.differences}
    assert lost.booking_id in texts[gone]
    assert never.booking_id in texts["d0000000-0000-0000-0000-000000000404"]


def test_a_door_with_ended_bookings_only_is_no_finding(machine: Machine, sandbox: Sandbox) -> None:
    """No guest will come to it."""
    device_id = sandbox.door()
    booking = machine.book(device_id, check_in="2020-01-01T16:00:00Z", check_out="2020-01-03T10:00:00Z")
    assert booking.state == "ended"
    sandbox.arrange("DELETE", f"/sandbox/devices/{device_id}")
    assert compare(machine).differences == ()


@pytest.mark.parametrize("kind", ["refuse", "rate_limit", "garbage", "error_before"])
def test_a_door_that_cannot_be_read_is_one_finding(machine: Machine, sandbox: Sandbox, kind: str) -> None:
    """The codes of the other doors are compared, and agree."""
    odd, well = sandbox.door(), sandbox.door()
    for device_id in (odd, well):
        machine.until(machine.book(device_id), "ready")
    sandbox.fault("access_codes.list", kind, device_id=odd)
    comparison = compare(machine)
    assert kinds(comparison) == [("not read", odd)]
    assert "could not be read" in comparison.differences[0].text
    assert comparison.agreeing == 1


def test_an_unmanaged_code_is_not_gone(machine: Machine, sandbox: Sandbox) -> None:
    """Seam doesn't list it any more, but still knows it: it may open the door."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    code = booking.doors[0].code
    assert code is not None
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code.access_code_id}", {"simulate": "converted_to_unmanaged"})
    assert kinds(compare(machine)) == [("unmanaged", booking.doors[0].device_id)]


@pytest.mark.parametrize(("status", "error"), [(401, Unauthorized), (503, Unreachable)])
def test_seam_away_ends_the_comparison(machine: Machine, sandbox: Sandbox, status: int, error: type[Exception]) -> None:
    """There is nothing to compare with, for any number of doors."""
    for _ in range(2):
        machine.book(sandbox.door())
    with pytest.raises(error):
        compare(machine, kept(answering(status, '{"error": {"type": "x", "message": "y"}}')))


def test_an_outage_during_the_comparison_is_noticed_after_three_doors(machine: Machine, sandbox: Sandbox) -> None:
    """Each door would take its whole time-out; the others are skipped."""
    for _ in range(6):
        machine.book(sandbox.door())
    calls = 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(200, json={"access_codes": []}) if calls == 1 else httpx.Response(503)

    with pytest.raises(Unreachable):
        compare(machine, kept(client_on(httpx.MockTransport(answer))))
    assert calls <= 1 + 3 + 1
