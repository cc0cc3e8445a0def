"""`oracode codes test`: makes a code for the next stay on a slot of a door, and follows it until it is usable.

This command makes no code itself. It publishes a booking, which is handled like every booking: the look before the
create, the intent, the create quota, the alerts. So if the same test is started twice, or again after a kill, it is one
booking and one code (`shared.code_trial`).
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any, Final, NoReturn

import click

from shared.booking_stream import BookingStream
from shared.clock import system_clock
from shared.code_trial import Trial, known, planned
from shared.domain.booking.notices import next_step_of, problems_of
from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.door.device_id import RIGHT_DEVICE_ID, NotADeviceId, device_id_of
from shared.domain.door.door import Door, NotADoor, door_from_device
from shared.domain.matching.manual_choice import called, short
from shared.domain.matching.match import slots_named
from shared.domain.matching.match_json import slot_json
from shared.domain.matching.next_stay import NextStay, NoNextStay, next_stay
from shared.domain.times.durations import parse_duration
from shared.seam.access_codes import AccessCodes
from shared.seam.client import SeamClient
from shared.seam.errors import Refused, SeamError
from shared.settings import Settings
from worker.cli.codes_follow import Follower, Verdict
from worker.cli.context import settings_for, user_name
from worker.cli.printable import printable
from worker.handlers.request_test_code import UNDER_WAY, request_test_code
from worker.ports import Ports, open_ports, seam_client

_LOOK_EVERY: Final = 0.2
# A worker takes a booking within a second. After this time the command says that no worker has.
_HINT_AFTER: Final = 10.0


class Answer:
    """The command's output: lines as they come, or one JSON object at the end."""

    def __init__(self, device_id: str, *, as_json: bool) -> None:
        self.is_json = as_json
        self._object: dict[str, Any] = {"device_id": device_id, "booking_id": None, "outcome": None}

    def say(self, text: str, *, err: bool = False) -> None:
        """Print a line for people; with `--json` on standard error (`err`), or not at all."""
        if err or not self.is_json:
            click.echo(printable(text), err=err)

    def add(self, **fields: Any) -> None:
        """Add fields to the JSON object."""
        self._object |= fields

    def end(self, outcome: str, code: int, **fields: Any) -> NoReturn:
        """Print the object with `--json`, and end the command."""
        self.add(outcome=outcome, **fields)
        if self.is_json:
            click.echo(json.dumps(self._object))
        raise SystemExit(code)


def is_interactive() -> bool:
    """Say whether there is somebody to ask."""
    return sys.stdin.isatty()


def run(device: str, *, slot: str | None, yes: bool, as_json: bool, wait: str, by: str) -> NoReturn:
    """Run the command; ends with 0 (usable), 1 (not usable) or 2 (invalid input). Raises SeamError and RedisError."""
    try:
        device_id, patience = device_id_of(device), parse_duration(wait)
    except NotADeviceId as error:
        _refuse(f"{error}: {RIGHT_DEVICE_ID}.")
    except ValueError as error:
        _refuse(f"--wait: {error}.")
    if not yes and not is_interactive():
        _refuse("This makes a code that can't be taken back, and asks first: run it in a terminal, or with --yes.")
    settings = settings_for("REDIS_URL", "SEAM_API_KEY")
    answer = Answer(device_id, as_json=as_json)
    with closing(seam_client(settings)) as client:
        ports, codes = open_ports(settings), AccessCodes(client)
        door = _door(device_id, client)
        stay = _stay(door, slot, settings, answer)
        trial = planned(door, stay, ports.ledger, taken=codes.on_door(device_id).alive_at(system_clock()))
        answer.add(booking_id=trial.booking_id)
        follower = _started(trial, settings, ports, codes, answer, agreed=yes, by=by or user_name())
        _follow(trial, follower, answer, patience)


def _refuse(why: str) -> NoReturn:
    click.echo(printable(why), err=True)
    raise SystemExit(2)


def _door(device_id: str, client: SeamClient) -> Door:
    try:
        device = client.read("/devices/get", {"device_id": device_id}).get("device")
        return door_from_device(device if isinstance(device, Mapping) else {})
    except (Refused, NotADoor) as error:
        _refuse(f"{device_id} is no door of Seam: {error}.")


def _stay(door: Door, slot: str | None, settings: Settings, answer: Answer) -> NextStay:
    """Return the stay of the test; ends the command if no slot has one."""
    if slot is not None and door.slots and not slots_named(slot, door):
        names = ", ".join(called(each.name) for each in door.slots)
        _refuse(f"{short(door.name)} has no slot {called(slot)}; it has {names}.")
    now, lead_time = system_clock(), settings.create_lead_time
    stay = next_stay(door, settings.match_policy, now=now, lead_time=lead_time, slot=slot)
    answer.add(door=door.name)
    if isinstance(stay, NoNextStay):
        answer.say(f"{short(door.name)}: nothing was made: {stay.why}.", err=True)
        for name, why in stay.slots:
            answer.say(f"  {name}: {why}", err=True)
        answer.end("no_stay", 1, problem=stay.why, slots=[{"name": name, "why": why} for name, why in stay.slots])
    answer.add(
        slot=slot_json(stay.slot),
        starts_at=stay.starts_at.isoformat(),
        ends_at=stay.ends_at.isoformat(),
        time_zone=stay.time_zone,
    )
    return stay


def _started(
    trial: Trial, settings: Settings, ports: Ports, codes: AccessCodes, answer: Answer, *, agreed: bool, by: str
) -> Follower:
    """Order the code, unless that was done before; return its follower."""
    if trial.before is None or trial.before.state not in UNDER_WAY:
        _agree(trial, answer, agreed=agreed)
    # The person may have taken a while to answer: it is looked at once more.
    stream = BookingStream(ports.redis, settings.booking_stream)
    done = request_test_code(trial, by=by, ledger=ports.ledger, stream=stream, clock=system_clock)
    if done.stands_as is not None:
        answer.say(f"{trial.booking_id} was asked for before, and is {done.stands_as}: nothing new is made.")
    return _follower(
        trial,
        ports,
        codes,
        is_new=done.stands_as is None,
        revision=done.revision,
        after_version=done.after_version,
    )


def _agree(trial: Trial, answer: Answer, *, agreed: bool) -> None:
    """Print what will be made, and ask unless `agreed`. Ends the command if the answer is no."""
    for line in trial.lines():
        answer.say(line, err=answer.is_json and not agreed)
    if trial.is_full:
        answer.say("The lock is full: nothing was made. The next code that ends makes room.", err=True)
        answer.end("full", 1)
    if not agreed and not click.confirm("Make it?", default=False, err=True):
        answer.say("Nothing was made.", err=True)
        answer.end("declined", 1)


def _follower(
    trial: Trial,
    ports: Ports,
    codes: AccessCodes,
    *,
    is_new: bool = True,
    revision: int = 0,
    after_version: int = 0,
) -> Follower:
    started = time.monotonic()

    def has_pin(access_code_id: str) -> bool:
        try:
            report = codes.get(access_code_id)
        except SeamError:
            # The worker has the same failure, and tells people if it lasts.
            return False
        return report is not None and report.has_pin

    return Follower(
        read=lambda: known(ports.ledger, trial.booking_id),
        has_pin=has_pin,
        elapsed=lambda: time.monotonic() - started,
        is_new=is_new,
        revision=revision,
        after_version=after_version,
    )


def _follow(trial: Trial, follower: Follower, answer: Answer, patience: timedelta) -> NoReturn:
    """Print each step until the code is usable, a person is needed, or `patience` is over; then end the command."""
    try:
        _watch(follower, answer, patience)
    except KeyboardInterrupt:
        answer.say("", err=True)
    booking, door = follower.booking, follower.door
    answer.add(
        state=str(booking.state) if booking else None,
        access_code_id=door.code.access_code_id if door and door.code else None,
        steps=[{"what": step.what, "seconds": step.seconds, "text": step.text} for step in follower.steps],
    )
    match follower.verdict:
        case Verdict.USABLE:
            answer.say(f"Usable: the code works from {trial.window}.")
            answer.say(f"Read its PIN with `oracode codes reveal {trial.booking_id}`, and try it at the lock.")
            answer.end("usable", 0)
        case Verdict.NEEDS_A_PERSON:
            problems = list(_problems(follower))
            answer.say(
                f"Not usable: the booking {trial.booking_id} is {booking.state if booking else 'unknown'}.", err=True
            )
            for each in problems:
                answer.say(each["happened"], err=True)
                answer.say(f"Next: {each['next_step']} ({each['actor']})", err=True)
            answer.say(f"Its story: `oracode bookings show {trial.booking_id}`.", err=True)
            answer.end("problem", 1, problems=problems)
        case Verdict.OPEN:
            story = f"`oracode bookings show {trial.booking_id}`"
            text = f"It goes on without this command: follow it with `oracode bookings watch`, or read {story}."
            answer.say(text, err=True)
            answer.end("open", 1)


def _watch(follower: Follower, answer: Answer, patience: timedelta) -> None:
    started, has_hinted = time.monotonic(), False
    while True:
        for step in follower.look():
            when = f"{step.seconds:8.1f} s" if step.seconds is not None else "    before"
            answer.say(f"{when}  {step.text}")
        waited = time.monotonic() - started
        if follower.verdict is not Verdict.OPEN or waited >= patience.total_seconds():
            return
        if not has_hinted and waited > _HINT_AFTER and follower.booking is None:
            has_hinted = True
            answer.say("No worker has taken it yet: is one running? It stays in the stream until then.", err=True)
        time.sleep(_LOOK_EVERY)


def _problems(follower: Follower) -> Iterator[dict[str, str]]:
    booking, door = follower.booking, follower.door
    if booking is None or door is None:
        return
    for problem, detail in problems_of(door):
        trouble = PROBLEMS[problem]
        yield {
            "problem": problem,
            "happened": f"{trouble.happened} {detail}".strip(),
            "next_step": next_step_of(booking, door, problem, system_clock()),
            "actor": trouble.actor,
        }
