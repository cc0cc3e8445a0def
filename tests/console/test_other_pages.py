"""Alerts, silences, parked messages, doors, residual access and health: what they show and what they order."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from redis import Redis

from shared.clock import system_clock
from shared.domain.alerting.arrivals import Arrival, Readiness
from shared.domain.alerting.missed_heartbeats import WEBHOOK
from shared.domain.booking.record import AccessCode, AlertNotice, Change, State, Window
from shared.domain.messages.message import Problem
from shared.domain.messages.refused import refused_message
from shared.ledger.auth_failures import AuthFailureLedger
from shared.ledger.door_history import DoorChange, note_door
from shared.ledger.heartbeats import Heartbeats
from shared.ledger.processes import ProcessIdentity, ProcessSigns
from shared.ledger.readiness_history import ReadinessHistory
from shared.ledger.seam_call_counts import SeamCallCounts
from shared.liveness.fleet import PROCESSES
from shared.ops_commands import DISCARD, HANDLE, REPLAY
from shared.parked import Parked, ParkedList
from shared.refused_messages import RefusedMessages
from shared.seam.errors import Unreachable
from tests.console.bookings import DOOR, book, ledger_of, read_door
from tests.console.console import TOKENS, Console
from tests.console.test_booking_pages import HOSTILE, worker
from tests.shared.ledgers import alert_ledger
from tests.worker.machine import Machine

PAGES = (
    "/arrivals",
    "/bookings",
    "/alerts",
    "/alerts?state=all",
    "/parked",
    "/parked?q=x&field=check_in",
    "/doors",
    "/residual-access",
    "/health",
)


def tell(
    redis: Redis, key: str, *, group_problem: str = "no_slot", raised: bool = True, text: str = "It is so."
) -> None:
    """Raise or resolve an alert."""
    notice = AlertNotice(
        at=system_clock(),
        raised=raised,
        key=key,
        problem=group_problem,
        subject=f"Subject of {key}",
        happened=text,
        next_step="Do something.",
        actor="ops",
        booking_id="BK-1",
        device_id=DOOR,
    )
    alert_ledger(redis, clock=system_clock).record_notice(notice)


def park(redis: Redis, message: str, *, stream: str = "booking-created") -> str:
    """Park a message with two problems."""
    problems = (f"check_in: {HOSTILE} is neither a time nor a date; give one such as 2026-12-01", "no field at all")
    return ParkedList(redis).park(
        Parked(
            stream=stream,
            field="message",
            source_id="1-1",
            message=message,
            problems=problems,
            parked_at=system_clock().isoformat(),
        )
    )


@pytest.mark.parametrize("path", PAGES)
def test_every_page_bears_an_empty_ledger(console: Console, path: str) -> None:
    """Nothing to show is said, not shown as an error."""
    assert console.browser("viewer").get(path).status_code == 200
    assert console.api("GET", path).status_code == 200


def test_alerts_by_what_becomes_of_them(console: Console, redis_client: Redis) -> None:
    """Open, handled, silenced and resolved are told apart; the counts are of all."""
    for key in ("a/open", "a/silenced", "a/over"):
        tell(redis_client, key, text=HOSTILE)
    tell(redis_client, "a/over", raised=False)
    body = {"length": "2h", "why": "known", "key": "*/silenced"}
    assert console.api("POST", "/silences", role="operator", body=body).json()["done"]
    with worker(redis_client) as taken:
        (alert,) = console.api("GET", "/alerts").json()["alerts"]
        assert (alert["key"], alert["state"]) == ("a/open", "open")
        assert console.api("POST", "/alerts/a%2Fopen/handle", role="operator", body={}).json()["done"]
    assert [(it.action, it.target, it.by) for it in taken] == [(HANDLE, "a/open", "olaf")]
    answer = console.api("GET", "/alerts?state=all").json()
    assert {it["key"]: it["state"] for it in answer["alerts"]} == {
        "a/open": "open",
        "a/silenced": "silenced",
        "a/over": "resolved",
    }
    assert answer["counts"] == {"open": 1, "handled": 0, "silenced": 1}
    assert answer["severities"] == {"page": 0, "warning": 3, "info": 0}
    of_severity = {it: console.api("GET", f"/alerts?state=all&severity={it}").json() for it in ("page", "warning")}
    assert {name: len(it["alerts"]) for name, it in of_severity.items()} == {"page": 0, "warning": 3}
    assert of_severity["page"]["severities"] == answer["severities"]
    page = console.browser("viewer").get("/alerts?state=all").text
    assert "<script>alert" not in page
    assert "I take care of it" not in page
    assert console.api("POST", "/alerts/nothing/handle", role="operator", body={}).status_code == 404


def test_a_whole_group_at_once(console: Console, redis_client: Redis) -> None:
    """All open alerts that are told together, and no other."""
    tell(redis_client, "booking/BK-1/no_slot/d")
    tell(redis_client, "booking/BK-2/no_slot/d")
    tell(redis_client, "booking/BK-3/late_set/d", group_problem="late_set")
    with worker(redis_client) as taken:
        answer = console.api(
            "POST", "/alerts/booking%2FBK-1%2Fno_slot%2Fd/handle", role="operator", body={"group": True}
        )
    assert "2 of 2 alerts" in answer.json()["text"]
    assert {it.target for it in taken} == {"booking/BK-1/no_slot/d", "booking/BK-2/no_slot/d"}


def test_silences_begin_and_end(console: Console) -> None:
    """By forms, too; one that says nothing, lasts too long or not at all is refused by its field."""
    browser = console.browser("operator")
    page = browser.follow(browser.post("/silences", length="30m", why="night works", device_id=DOOR))
    assert "Silent until" in page.text
    assert "night works" in page.text
    (silence,) = console.api("GET", "/silences").json()["silences"]
    assert silence["by"] == "olaf"
    assert "The silence is over" in browser.follow(browser.post(f"/silences/{silence['silence_id']}/end")).text
    assert console.api("DELETE", f"/silences/{silence['silence_id']}", role="operator").status_code == 404
    for bad in ({"length": "2h"}, {"length": "40d", "key": "x"}, {"length": "soon", "key": "x"}):
        answer = console.api("POST", "/silences", role="operator", body={"why": "known", **bad})
        assert set(answer.json()["problems"]) <= {"length", "key"}


def test_a_booking_tells_of_its_parked_cancellation(console: Console, redis_client: Redis) -> None:
    """On its page, in the list, and among the parked messages by what it is: the code stays valid."""
    tell_of = book(redis_client, "BK-1")
    cancelled = json.dumps({"type": "booking.cancelled", "data": {"booking_id": tell_of.booking_id}})
    parked_id = park(redis_client, cancelled)
    park(redis_client, json.dumps({"booking_id": "BK-OTHER"}))
    (told,) = console.api("GET", f"/bookings/{tell_of.booking_id}").json()["parked"]
    assert (told["parked_id"], told["kind"]) == (parked_id, "cancellation")
    assert "the code stays valid" in told["stands"]
    page = console.browser("viewer").get(f"/bookings/{tell_of.booking_id}").text
    assert "the code stays valid" in page
    assert f"/parked/{parked_id}" in page
    assert "<script>alert" not in page
    (row,) = console.api("GET", "/bookings").json()["bookings"]
    assert row["parked"] == [parked_id]
    assert "1 parked message" in console.browser("viewer").get("/bookings").text
    kinds = {kind: console.api("GET", f"/parked?kind={kind}").json()["total"] for kind in ("cancellation", "booking")}
    assert kinds == {"cancellation": 1, "booking": 1}
    assert "A message of it is parked" in console.api("GET", "/bookings/BK-OTHER").text


def test_what_was_refused_is_shown(console: Console, redis_client: Redis) -> None:
    """On the page of its booking, whether that is known or not, and among the parked messages."""
    known = book(redis_client, "BK-1")
    refused = RefusedMessages(redis_client)
    for booking_id in (known.booking_id, "BK-NEW"):
        problems = [Problem("check_in", f"{HOSTILE!r} is neither a time nor a date", "give one")]
        refused.keep(refused_message(json.dumps({"booking_id": booking_id}), problems), system_clock())
    (line,) = console.api("GET", "/bookings/BK-1").json()["refused"]
    assert "A change of BK-1 was refused at" in line
    assert "the booking keeps its old times" in line
    assert "A message for BK-NEW was refused at" in console.api("GET", "/bookings/BK-NEW").text
    assert len(console.api("GET", "/parked").json()["refused"]) == 2
    for path in ("/bookings/BK-1", "/parked"):
        page = console.browser("viewer").get(path).text
        assert "BK-1 was refused at" in page
        assert "<script>alert" not in page


def test_a_parked_message_is_corrected_in_place(console: Console, redis_client: Redis) -> None:
    """Each problem beside its field; what would only be parked again is refused with its problems."""
    good = {"booking_id": "BK-1", "device_ids": [DOOR], "check_in": "2036-12-01T16:00", "check_out": "2036-12-02T10:00"}
    parked_id = park(redis_client, json.dumps(good | {"check_in": "tomorrow"}))
    (row,) = console.api("GET", "/parked").json()["parked"]
    assert row["booking_id"] == "BK-1"
    assert row["problems"][0]["field"] == "check_in"
    assert row["problems"][1] == {"field": "", "wrong": "no field at all", "right": ""}
    page = console.browser("operator").get(f"/parked/{parked_id}").text
    assert "Correct it here" in page
    assert "<script>alert" not in page
    assert "Correct it here" not in console.browser("viewer").get(f"/parked/{parked_id}").text
    path = f"/parked/{parked_id}/replay"
    bad = console.api("POST", path, role="operator", body={"message": json.dumps(good | {"check_in": "soon"})})
    assert set(bad.json()["problems"]) == {"check_in"}
    with worker(redis_client) as taken:
        console.api("POST", path, role="operator", body={"message": json.dumps(good)})
        console.browser("operator").post(path, message=json.dumps(good | {"check_in": "tomorrow"}, indent=2))
        console.api("POST", f"/parked/{parked_id}/discard", role="operator", body={"reason": "sent again"})
    assert [(it.action, bool(it.message), it.reason) for it in taken] == [
        (REPLAY, True, ""),
        (REPLAY, False, ""),
        (DISCARD, False, "sent again"),
    ]
    for unknown in ("1-1", "x", "all", "%C3%BC"):
        assert console.api("GET", f"/parked/{unknown}").status_code == 404


def arrival(check_in: datetime, readiness: Readiness) -> Arrival:
    """Return an arrival that stands so."""
    return Arrival(
        booking_id="BK-1",
        device_id=DOOR,
        door_name="Room 101",
        check_in=check_in,
        wall_check_in=None,
        time_zone="UTC",
        state=State.READY,
        readiness=readiness,
        reason="",
        why="",
        next_step="",
    )


def test_doors_and_one_door(console: Console, redis_client: Redis) -> None:
    """Slots, how full it is, and whether the coming bookings fit; one that was never read says so."""
    book(redis_client, "BK-1")
    book(redis_client, "BK-2", device_id="never-read", name="")
    read_door(redis_client, DOOR, name=HOSTILE)
    doors = {row["device_id"]: row for row in console.api("GET", "/doors").json()["doors"]}
    assert doors[DOOR]["slots"] == ["16:00–10:00"]
    assert doors["never-read"]["read_at"] is None
    door = console.api("GET", f"/doors/{DOOR}").json()
    assert (door["coming"], door["codes_alive"]) == (1, 1)
    assert [row["booking_id"] for row in door["bookings"]] == ["BK-1"]
    assert door["changes"] == []
    pipeline = redis_client.pipeline(transaction=False)
    for fingerprint in ("before", "after"):
        change = DoorChange(system_clock(), (f"Slot {HOSTILE} was added.",))
        note_door(pipeline, DOOR, fingerprint, change, keep_for=timedelta(days=1))
    pipeline.execute()
    (change_of,) = console.api("GET", f"/doors/{DOOR}").json()["changes"]
    assert change_of["what"] == [f"Slot {HOSTILE} was added."]
    browser = console.browser("viewer")
    assert "How its slots and zone were changed" in browser.get(f"/doors/{DOOR}").text
    for path in ("/doors", f"/doors/{DOOR}", "/doors/never-read", "/doors?q=never"):
        assert "<script>alert" not in browser.get(path).text
    assert browser.get("/doors/unknown").status_code == 404
    assert console.api("GET", "/doors?page=0").status_code == 400


def test_who_can_still_open_what(console: Console, redis_client: Redis) -> None:
    """Codes of cancelled bookings until they end; those that have ended aren't listed."""
    now = system_clock()
    for number, days in enumerate((2, 1, -1)):
        booking = book(redis_client, f"BK-{number}", state=State.CANCELLED)
        code = AccessCode(
            access_code_id=f"c{number}",
            window=Window(now - timedelta(days=3), now + timedelta(days=days)),
            known_since=now,
        )
        doors = (replace(booking.doors[0], residual=(code,)),)
        ledger_of(redis_client).record(booking, lambda it, doors=doors: Change(replace(it, doors=doors)))  # type: ignore[misc]
    answer = console.api("GET", "/residual-access").json()
    assert [row["access_code_id"] for row in answer["codes"]] == ["c1", "c0"]
    assert "c0" in console.browser("viewer").get("/residual-access").text


def test_health_tells_what_waits(console: Console, redis_client: Redis) -> None:
    """The entries of a stream, and that no worker takes them."""
    redis_client.xadd("booking-created", {"message": "{}"})
    health = console.api("GET", "/health").json()
    waiting = {row["stream"]: row["waiting"] for row in health["streams"]}
    assert waiting == {"booking-created": 1, "seam-events": 0, "ops-commands": 0}
    assert health["streams"][0]["oldest_at"]
    assert health["streams"][0]["oldest_waiting_at"] == health["streams"][0]["oldest_at"]
    assert health["ready_share"] is None


def test_health_says_first_what_to_look_at(console: Console, redis_client: Redis) -> None:
    """The urgent first, each with where to look; what it is about is unfolded, the rest is folded."""
    redis_client.xadd("booking-created", {"message": "{}"}, id="1-1")
    AuthFailureLedger(redis_client).add({"wrong_signature": 3}, {"wrong_signature": system_clock()})
    book(redis_client, "BK-1", hours=5, state=State.WAITING, reason="no_slot")
    tell(redis_client, "a/b")
    park(redis_client, "{}")
    found = console.api("GET", "/health").json()["findings"]
    assert [each["is_urgent"] for each in found] == sorted((each["is_urgent"] for each in found), reverse=True)
    texts = {each["page"]: each["text"] for each in found}
    assert texts["#streams"].startswith("No worker reads booking-created: 1 waiting, the oldest for")
    assert texts["/arrivals?hours=24&readiness=at+risk"] == "1 arrival is at risk in the next 24 hours."
    assert texts["#webhooks"] == "3 requests refused in the last hour."
    assert texts["/alerts"] == "1 alert is open."
    assert "beat has given no sign of life in the last week. Nothing that is due is done." in str(found)
    page = console.browser("viewer").get("/health").text
    assert page.index("No worker reads") < page.index(">Each process<")
    assert 'id="streams" open>' in page
    assert 'id="last-done">' in page
    assert f"<title>{len(found)} to look at" in page


def test_health_has_nothing_to_say_where_all_is_well(console: Console, redis_client: Redis) -> None:
    """Everything is folded, and the page says that it is well."""
    signs = ProcessSigns(redis_client)
    for number, process in enumerate(PROCESSES):
        signs.sign(ProcessIdentity(process=process, host="h", pid=number, version="1.2.3", started_at=system_clock()))
    assert console.api("GET", "/health").json()["findings"] == []
    page = console.browser("viewer").get("/health").text
    assert "Nothing here needs a person." in page
    assert " open>" not in page


def test_health_tells_who_lives_and_whom_web_refuses(console: Console, redis_client: Redis) -> None:
    """Every process of the Procfile, seen or not, and failed signatures by reason."""
    now = system_clock()
    identity = ProcessIdentity(process="web", host="<b>h", pid=7, version="1.2.3", started_at=now)
    ProcessSigns(redis_client).sign(identity)
    AuthFailureLedger(redis_client).add({"wrong_signature": 3}, {"wrong_signature": now})
    health = console.api("GET", "/health").json()
    alive = {row["process"]: [each["pid"] for each in row["alive"]] for row in health["processes"]}
    assert alive == {"web": [7], "worker": [], "beat": [], "console": []}
    assert health["processes"][1]["last_sign_at"] is None
    assert [(row["reason"], row["count"]) for row in health["auth_failures"]] == [("wrong_signature", 3)]
    page = console.browser("viewer").get("/health").text
    assert "1.2.3 on &lt;b&gt;h, pid 7" in page
    assert "3 requests refused in the last hour: wrong signature" in page


def test_a_web_of_an_older_version_is_unknown(console: Console, redis_client: Redis) -> None:
    """It gives no signs of life and takes webhooks: neither dead nor alive, and no metric says that none lives."""
    Heartbeats(redis_client).beat(WEBHOOK, system_clock())
    web, worker, *_ = console.api("GET", "/health").json()["processes"]
    assert (web["state"], web["alive"], worker["state"]) == ("unknown", [], "not seen")
    assert web["worked_at"]
    assert "gives no signs, as versions before 0.2.0 do" in console.browser("viewer").get("/health").text
    text = console.send("GET", "/metrics", headers={"authorization": f"Bearer {TOKENS['viewer']}"}).text
    assert 'oracode_processes_alive{process="worker"} 0.0' in text
    assert 'oracode_processes_alive{process="web"}' not in text
    ProcessSigns(redis_client).sign(
        ProcessIdentity(process="web", host="h", pid=7, version="1.2.3", started_at=system_clock())
    )
    assert console.api("GET", "/health").json()["processes"][0]["state"] == "alive"


def test_the_console_and_a_worker_together(console: Console, machine: Machine) -> None:
    """A real worker does what the console ordered: an alert that its handler knows is handled."""
    machine.book(machine.sandbox.door(slots=[]))
    (alert,) = console.api("GET", "/alerts").json()["alerts"]
    assert alert["problem"] == "no_slots_configured"
    entry: list[str] = []

    def run_ops_command() -> None:
        found = machine.redis.xrange("ops-commands")
        for entry_id, _ in found:  # type: ignore[union-attr]
            entry.append(str(entry_id))
            machine.handlers.run_ops_command(str(entry_id))

    import threading  # noqa: PLC0415 - only here

    over = threading.Event()

    def work() -> None:
        while not over.wait(0.02):
            run_ops_command()
        machine.redis.connection_pool.disconnect()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        path = f"/alerts/{alert['key'].replace('/', '%2F')}/handle"
        assert console.api("POST", path, role="operator", body={}).json()["done"]
    finally:
        over.set()
        thread.join()
    assert console.api("GET", "/alerts?state=handled").json()["alerts"][0]["handled_by"] == "olaf"


def test_how_seam_answers_and_how_ready_arrivals_were(console: Console, redis_client: Redis) -> None:
    """Counts by path, and a chart of thirty days that those who can't see it can read."""
    calls = SeamCallCounts(redis_client, system_clock)
    calls.count("/access_codes/create", None, 0.3)
    calls.count("/access_codes/create", Unreachable("away"), 6)
    calls.write()
    history, now = ReadinessHistory(redis_client), system_clock()
    assert console.api("GET", "/health").json()["readiness"]["total"] == 0
    history.count((), since=None, until=now)
    until = now + timedelta(hours=24)
    arrivals = [arrival(now + timedelta(hours=12), each) for each in (*[Readiness.READY] * 3, Readiness.AT_RISK)]
    assert history.count(arrivals, since=now, until=until)
    assert not history.count(arrivals, since=now, until=until)
    health = console.api("GET", "/health").json()
    (row,) = health["seam"]["paths"]
    assert (row["calls"], row["failures"], row["half_within"]) == (2, {"Unreachable": 1}, 0.5)
    assert (health["readiness"]["ready"], health["readiness"]["total"], len(health["readiness"]["days"])) == (3, 4, 30)
    page = console.browser("viewer").get("/health").text
    assert "Of 4 arrivals in 30 days, 3 were ready" in page
    assert page.count('class="risk-part"') == 2
