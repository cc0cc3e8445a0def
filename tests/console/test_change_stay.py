"""Another check-in or check-out: what the preview says, what is ordered, and what is refused."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr
from redis import Redis

from shared.contracts import OPS_STREAM
from shared.domain.booking.record import Booking, Change, HistoryEntry, State
from shared.domain.stay.stay import UnitRules
from shared.ops_commands import CHANGE, NOT_CHANGED, ORDER_FACT, OpsCommand
from tests.console.bookings import DOOR, book, ledger_of
from tests.console.console import Console, running, settings_for
from tests.console.test_booking_pages import HOSTILE, worker
from tests.sandbox.harness import API_KEY, Sandbox, in_days
from tests.support.server import DataServer
from tests.support.waiting import PATIENCE
from tests.worker.machine import Machine, meanwhile


def local(days: int, clock: str) -> str:
    """Return a local time as a browser's field sends it."""
    return in_days(days, clock, offset="")


BOOKED = {"check_in": local(2, "15:45"), "check_out": local(5, "10:15")}
LONGER = {"check_in": local(2, "15:45"), "check_out": local(6, "10:15")}


@contextmanager
def console_of(data_server: DataServer, sandbox: Sandbox, **fields: Any) -> Iterator[Console]:
    """Run a console that can ask Seam."""
    settings = settings_for(data_server.url, seam_api_key=SecretStr(API_KEY), seam_endpoint=sandbox.url, **fields)
    with running(settings) as it:
        yield it


def path_of(booking: Booking) -> str:
    """Return the address of the page."""
    return f"/bookings/{booking.booking_id}/change"


def text_of(page: str) -> str:
    """Return what a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)).replace("&#39;", "'")


def test_a_stay_is_changed_by_a_real_worker(
    data_server: DataServer, redis_client: Redis, machine: Machine, sandbox: Sandbox
) -> None:
    """From the booking to the form, to what it means, to the order; the answer says what became of the code."""
    before = machine.until(machine.book(sandbox.door()), "ready")

    def work() -> None:
        machine.run_commands()
        machine.apply_all()
        machine.sweep()

    with console_of(data_server, sandbox) as console:
        browser, path = console.browser("operator"), path_of(before)
        assert f'href="{path}"' in browser.get(f"/bookings/{before.booking_id}").text
        form = browser.get(path).text
        assert f'name="check_in" value="{BOOKED["check_in"]}"' in form
        assert "Why it is changed" not in form
        preview = browser.get(f"{path}?check_in={LONGER['check_in']}&check_out={LONGER['check_out']}").text
        told = text_of(preview)
        assert "The guest gets another code" in told
        assert "another one is made. Give the guest its PIN." in told
        assert "The current code can't be deleted: it opens the door until" in told
        assert "Its next message about this booking replaces what you change here." in told
        fields = {name: _value(preview, name) for name in ("check_in", "check_out", "revision")}
        assert fields == {**LONGER, "revision": "0"}
        with meanwhile(work):
            page = browser.follow(browser.post(path, **fields, reason="guest stays on")).text
        after = machine.until(before, "ready")
    assert "olaf asked to change the stay to check-out" in page
    assert "guest stays on" in page
    assert after.stay is not None
    assert before.stay is not None
    assert after.stay.check_in == before.stay.check_in
    assert after.stay.check_out.at.isoformat() == f"{local(6, '10:15')}:00"
    assert machine.creates(after.doors[0].device_id) == 2
    assert redis_client.xlen(OPS_STREAM) == 0


def _value(page: str, name: str) -> str:
    """Return what a hidden field of the order holds."""
    (value,) = re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)">', page)
    return str(value)


def test_what_the_preview_says_of_a_door(data_server: DataServer, machine: Machine, sandbox: Sandbox) -> None:
    """By Seam's flags at this moment, and by the door's slots; where none fits, times that fit lead to a new one."""
    fixed = machine.until(machine.book(sandbox.door()), "ready")
    extendable = machine.until(machine.book(sandbox.door(code_flags={"is_extendable": True})), "ready")
    with console_of(data_server, sandbox) as console:

        def door_of(booking: Booking, **times: str) -> dict[str, Any]:
            query = "&".join(f"{name}={value}" for name, value in times.items())
            answer = console.api("GET", f"{path_of(booking)}?{query}", role="operator").json()
            assert answer["is_previewed"]
            (door,) = answer["doors"]
            found: dict[str, Any] = door
            return found

        assert door_of(extendable, check_out=local(6, "10:15"))["effect"] == "changed"
        kept = door_of(fixed, check_in=local(2, "16:10"))
        assert (kept["effect"], kept["slot"]) == ("kept", "Guest")
        misfit = door_of(fixed, check_in=local(2, "13:00"))
        assert misfit["effect"] == "nothing_fits"
        (fitting, *_) = misfit["fitting_times"]
        assert door_of(fixed, check_out=fitting["check_out"], check_in=fitting["check_in"])["effect"] == "kept"
        page = console.browser("operator").get(f"{path_of(fixed)}?check_in={local(2, '13:00')}").text
        assert "I know that there is a door without a code then." in page
        assert f"/change?check_in={fitting['check_in'].replace(':', '%3A')}" in page


def test_a_door_without_a_code_is_accepted_first(
    data_server: DataServer, machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By form and by program: without the tick the order is refused, with the door's name; else it isn't needed."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 0.0)
    booking = machine.until(machine.book(sandbox.door(name="Front Door")), "ready")
    misfit = {"check_in": local(2, "13:00"), "reason": "guest called"}
    with console_of(data_server, sandbox) as console:
        browser = console.browser("operator")
        for answer in (
            console.api("POST", path_of(booking), role="operator", body=misfit),
            console.api("POST", path_of(booking), role="operator", body=misfit | {"accepts_no_code": False}),
        ):
            assert (answer.status_code, set(answer.json()["problems"])) == (400, {"accepts_no_code"})
            assert "no code can be made then for “Front Door”" in answer.json()["text"]
        refused = browser.post(path_of(booking), **misfit)
        assert (refused.status_code, "“Front Door”" in refused.text) == (400, True)
        assert machine.redis.xlen(OPS_STREAM) == 0
        assert browser.post(path_of(booking), **misfit, accepts_no_code="true").status_code == 303
        kept = {"check_in": local(2, "16:10"), "reason": "guest called"}
        assert console.api("POST", path_of(booking), role="operator", body=kept).status_code == 200
        assert machine.redis.xlen(OPS_STREAM) == 2


def test_times_that_are_over_end_the_booking(
    data_server: DataServer, machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and needs a word of its own: the general one isn't enough, by form and by program."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    past = {"check_in": local(-5, "15:45"), "check_out": local(-2, "10:15")}
    order = past | {"reason": "guest called"}
    with console_of(data_server, sandbox) as console:
        browser, path = console.browser("operator"), path_of(booking)
        query = f"{path}?check_in={past['check_in']}&check_out={past['check_out']}"
        shown = console.api("GET", query, role="operator").json()
        assert (shown["ends_booking"], "the booking ends for good" in shown["notes"][0]) == (True, True)
        # Each says which word the order needs.
        assert not shown["is_without_code"]
        page = browser.get(query).text
        assert "The booking ends for good" in page
        assert 'name="knows_it_ends"' in page
        assert "accepts_no_code" not in page
        for more in ({}, {"accepts_no_code": True}, {"knows_it_ends": "yes"}, {"knows_it_ends": 1}):
            refused = console.api("POST", path, role="operator", body=order | more)
            assert (refused.status_code, set(refused.json()["problems"])) == (400, {"knows_it_ends"})
            is_said = "must be true or false" if "knows_it_ends" in more else "by them the booking ends for good"
            assert is_said in refused.json()["text"]
        misspelled = console.api("POST", path, role="operator", body=order | {"know_it_ends": True})
        assert (misspelled.status_code, misspelled.json()["error"]) == (422, "unknown_fields")
        assert set(misspelled.json()["problems"]) == {"know_it_ends"}
        assert browser.post(path, **order, accepts_no_code="true").status_code == 400
        assert machine.redis.xlen(OPS_STREAM) == 0
        with monkeypatch.context() as patched:
            patched.setattr("receiver.console.commands._WAIT", 0.0)
            assert browser.post(path, **order, knows_it_ends="true").status_code == 303
        machine.run_commands()
        machine.apply_all()
        assert machine.until(booking, "ended").state == State.ENDED
        after = console.api("GET", path, role="operator")
        assert (after.status_code, "has ended" in after.json()["text"]) == (409, True)
        ended = machine.ledger.get(booking.booking_id)
        (door,) = ended.doors
        (old,) = door.residual
        assert (ended.reason, ended.residual_access_until) == ("", old.window.ends_at)
        # Who ended it knows it.
        assert not any("already_over" in alert.key for alert in machine.alerts.open())
        page = text_of(browser.get(f"/bookings/{booking.booking_id}").text)
        assert "The booking has ended. Its earlier code opens this door from" in page
        assert "No other code is made. An earlier one opens a door until" in page
        for false in ("no code was made", "No code was made", "There is no code"):
            assert false not in page


def test_who_ends_a_booking_is_not_told_but_of_its_booking_system(machine: Machine, sandbox: Sandbox) -> None:
    """Each message of a booking system that came too late is told, also one after a person ended the booking."""
    past = {"check_in": in_days(-5, "15:45:00"), "check_out": in_days(-2, "10:15:00")}

    def told(booking: Booking) -> list[str]:
        return [alert.key for alert in machine.alerts.open() if booking.booking_id in alert.key]

    ended = machine.until(machine.book(sandbox.door(), sandbox.door()), "ready")
    order = OpsCommand(action=CHANGE, target=ended.booking_id, by="olaf", revision=ended.revision, **past)  # type: ignore[arg-type]
    machine.run_command(replace(order, knows_it_ends=True), times=2)
    machine.apply_all()
    assert machine.until(ended, "ended").reason == ""
    assert told(ended) == []
    machine.update(ended, 9, **past | {"check_out": in_days(-3, "10:15:00")})
    assert machine.until(ended, "ended").reason == "already_over"
    assert len(told(ended)) == 2
    # As a worker of 0.2.0 notes it, or a person who didn't know.
    unknowing = machine.until(machine.book(sandbox.door()), "ready")
    machine.run_command(replace(order, target=unknowing.booking_id))
    machine.apply_all()
    assert machine.until(unknowing, "ended").reason == "already_over"
    assert len(told(unknowing)) == 1
    (alert,) = [it for it in machine.alerts.open() if unknowing.booking_id in it.key]
    assert "no code was made for these times" in alert.notice.happened


def test_a_stay_that_is_not_over_everywhere_does_not_end(
    data_server: DataServer, machine: Machine, sandbox: Sandbox
) -> None:
    """One that has begun, and one that is over only on other clocks than the lock's, need no such word."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    with console_of(data_server, sandbox) as console:

        def ends(**times: str) -> bool:
            query = "&".join(f"{name}={quote(value, safe='')}" for name, value in times.items())
            answer = console.api("GET", f"{path_of(booking)}?{query}", role="operator").json()
            assert answer["is_previewed"]
            return bool(answer["ends_booking"])

        assert not ends(check_in=local(-1, "15:45"))
        zone = booking.doors[0].time_zone
        assert zone is not None
        soon, before = (machine.clock().astimezone(ZoneInfo(zone)) + timedelta(minutes=by) for by in (30, -30))
        assert not ends(check_in=local(-3, "15:45"), check_out=f"{soon:%Y-%m-%dT%H:%M}")
        assert ends(check_in=local(-3, "15:45"), check_out=f"{before:%Y-%m-%dT%H:%M}")


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ({"check_in": "tomorrow"}, "check_in: neither a time nor a date"),
        ({"check_out": "01/02/2026 10:00"}, "check_out: could mean two days"),
        ({"check_out": local(1, "10:15")}, "check_out: is not after check_in"),
        ({"check_in": "2098-01-01T16:00", "check_out": "2098-02-01T16:00"}, "check_in: over three years ahead"),
        (BOOKED, "check_out: has these times already"),
        ({"check_in": local(2, "15:45:00")}, "check_out: has these times already"),
        ({"check_in": in_days(2, "15:45:00")}, "check_out: has these times already"),
        ({"check_in": HOSTILE}, "check_in: neither a time nor a date"),
    ],
)
def test_times_that_cannot_be_used(
    machine: Machine, console: Console, sandbox: Sandbox, times: dict[str, str], told: str
) -> None:
    """The form says so and keeps what was given; a program is told the field; an order of them is refused as well."""
    booking = machine.book(sandbox.door())
    field, why = told.split(": ")
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in times.items())
    page = console.browser("operator").get(f"{path_of(booking)}?{query}")
    assert (page.status_code, why in text_of(page.text)) == (200, True)
    assert "Why it is changed" not in page.text
    assert "<script>alert" not in page.text
    answer = console.api("GET", f"{path_of(booking)}?{query}", role="operator")
    assert (answer.status_code, why in answer.json()["problems"][field]) == (400, True)
    answer = console.api("POST", path_of(booking), role="operator", body={**times, "reason": "guest called"})
    assert (answer.status_code, why in answer.json()["problems"][field]) == (400, True)
    assert machine.redis.xlen(OPS_STREAM) == 0


@pytest.mark.parametrize("state", [State.CANCELLED, State.ENDED])
def test_what_is_over_cannot_be_changed(console: Console, redis_client: Redis, state: State) -> None:
    """409 for preview and order, and the booking's page doesn't offer it."""
    booking = book(redis_client, "BK-1", state=state)
    ledger_of(redis_client).record(booking, lambda it: Change(replace(it, cancelled=state is State.CANCELLED)))
    body = {"check_out": local(6, "10:15"), "reason": "guest called"}
    for method, content in (("GET", None), ("POST", body)):
        answer = console.api(method, "/bookings/BK-1/change", role="operator", body=content)
        assert (answer.status_code, "its stay can't be changed" in answer.json()["text"]) == (409, True)
    assert "/change" not in console.browser("operator").get("/bookings/BK-1").text
    assert redis_client.xlen(OPS_STREAM) == 0


def test_only_operators_change(console: Console, redis_client: Redis) -> None:
    """A viewer sees no link, and a form of another site orders nothing."""
    book(redis_client, "BK-1")
    assert "/change" not in console.browser("viewer").get("/bookings/BK-1").text
    assert console.api("GET", "/bookings/BK-1/change").status_code == 403
    order = {"check_out": local(6, "10:15"), "reason": "guest called"}
    assert console.api("POST", "/bookings/BK-1/change", body=order).status_code == 403
    browser = console.browser("operator")
    assert browser.post("/bookings/BK-1/change", site="cross-site", **order).status_code == 403
    assert browser.post("/bookings/BK-1/change", check_out=order["check_out"], reason="").status_code == 400
    assert redis_client.xlen(OPS_STREAM) == 0


def test_the_order_is_of_the_revision_that_was_shown(
    console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It carries only what is another time; after another change a stale page orders nothing."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 2 * PATIENCE)
    booking = book(redis_client, "BK-1/ä", label="Mr. <A>")
    path = "/bookings/BK-1%2F%C3%A4/change"
    shown = console.api("GET", path, role="operator").json()
    assert (shown["is_previewed"], shown["revision"], shown["clock"]) == (
        False,
        booking.revision,
        "America/Los_Angeles",
    )
    browser = console.browser("operator")
    fields = {"check_in": shown["check_in"], "check_out": local(9, "10:15"), "revision": str(shown["revision"])}
    stale = browser.post(path, **fields | {"revision": "7"}, reason="guest called")
    assert (stale.status_code, redis_client.xlen(OPS_STREAM)) == (409, 0)
    assert "was changed since you looked" in text_of(stale.text)
    with worker(redis_client) as taken:
        api = console.api("POST", path, role="operator", body={**fields, "reason": "guest called", "by": "desk"})
        assert api.status_code == 200
    assert [(it.action, it.by, it.check_in, it.check_out, it.revision) for it in taken] == [
        (CHANGE, "desk (olaf)", "", local(9, "10:15"), booking.revision)
    ]


def test_the_booking_systems_revisions_and_other_guests_are_told(
    data_server: DataServer, machine: Machine, sandbox: Sandbox
) -> None:
    """What its next message does with the change, and who has the door then."""
    door = sandbox.door()
    booking = machine.book(door, revision=3)
    other = machine.book(door, check_in=in_days(5, "15:45:00"), check_out=in_days(7, "10:15:00"), revision=0)
    query = f"{path_of(booking)}?check_out={local(6, '10:15')}"
    with console_of(data_server, sandbox) as console:
        notes = " ".join(console.api("GET", query, role="operator").json()["notes"])
        assert "this change takes revision 4. Its next message needs a higher one" in notes
        assert f"Bookings {' and '.join(sorted((booking.booking_id, other.booking_id)))} on" in notes
    with console_of(data_server, sandbox, double_booking_alerts=False) as console:
        notes = " ".join(console.api("GET", query, role="operator").json()["notes"])
        assert other.booking_id not in notes


def test_a_refusal_of_the_worker_is_the_answer(data_server: DataServer, machine: Machine, sandbox: Sandbox) -> None:
    """The booking was changed between the order and its turn: the answer says why nothing was done."""
    booking = machine.until(machine.book(sandbox.door()), "ready")

    def work() -> None:
        if machine.redis.xlen(OPS_STREAM):
            machine.update(booking, 5, check_out=in_days(7, "10:15:00"))
        machine.run_commands()

    with console_of(data_server, sandbox) as console, meanwhile(work):
        body = {"check_out": local(6, "10:15"), "reason": "guest called"}
        answer = console.api("POST", path_of(booking), role="operator", body=body).json()
    assert (answer["done"], answer["outcome"]) == (False, "refused")
    assert "and it was not done: the booking was changed meanwhile" in answer["text"]
    assert [line["what"] for line in answer["story"]] == ["booking.not_changed"]


def test_a_refusal_of_another_order_is_not_the_answer(
    data_server: DataServer, machine: Machine, sandbox: Sandbox
) -> None:
    """Somebody else's order was refused in the same moment: this one was done, and says so. It is waited for."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    refused = HistoryEntry(
        at=machine.clock() + timedelta(seconds=5), what=NOT_CHANGED, text="Not done: Ada's.", facts={ORDER_FACT: "1-1"}
    )
    rounds = 0

    def work() -> None:
        nonlocal rounds
        if machine.redis.xlen(OPS_STREAM):
            machine.ledger.note(booking.booking_id, refused)
            machine.run_commands()
        elif machine.redis.xlen("booking-created"):
            # The order is gone, and its message is applied only some rounds later.
            rounds += 1
            if rounds > 15:
                machine.apply_all()

    with console_of(data_server, sandbox) as console, meanwhile(work):
        body = {"check_out": local(6, "10:15"), "reason": "guest called"}
        answer = console.api("POST", path_of(booking), role="operator", body=body).json()
    assert (answer["done"], answer["outcome"]) == (True, "done")
    assert "message.applied" in [line["what"] for line in answer["story"]]


def test_without_a_doors_file_the_booking_says_what_its_unit_gives(
    data_server: DataServer, redis_client: Redis, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The console may have none: then times are the unit's as they were; with one, an unknown unit is refused."""
    unit = UnitRules(
        unit="101",
        device_ids=(sandbox.door(),),
        check_in=time(16),
        check_out=time(10),
        buffer_before=timedelta(minutes=30),
    )
    machine = Machine(redis_client, data_server.url, sandbox, units={"101": unit})
    dates = {"check_in": local(2, "")[:10], "check_out": local(5, "")[:10]}
    booking = machine.apply(machine.append(json.dumps({"booking_id": machine.new_id(), "unit": "101", **dates})))
    assert booking is not None
    query = f"{path_of(booking)}?check_out={local(6, '10:00')}"
    with console_of(data_server, sandbox) as console:
        answer = console.api("GET", query, role="operator").json()
    assert answer["booked"] == f"{local(2, '16:00')} (lock) to {local(5, '10:00')} (lock)".replace("T", " ")
    assert answer["wanted"] == f"{local(2, '16:00')} (lock) to {local(6, '10:00')} (lock)".replace("T", " ")
    assert answer["doors"][0]["effect"] == "another"
    doors_file = tmp_path / "doors.yaml"
    doors_file.write_text(f'"102":\n  device_ids: [{DOOR}]\n')
    with console_of(data_server, sandbox, doors_file=doors_file) as console:
        refused = console.api("GET", query, role="operator").json()
    assert "is not in the doors file" in refused["problems"]["unit"]
