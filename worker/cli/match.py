"""`oracode match`: which slot of a door serves a booking, and why the others don't.

With files it needs nothing else: no Redis, no key, no settings, and no slow imports.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import click

from shared.clock import system_clock
from shared.domain.door.door import Door
from shared.domain.matching.late_arrival import match_late_arrival
from shared.domain.matching.long_stays import Plan, plan
from shared.domain.matching.match import Match, MatchPolicy, Outcome, SlotPreference, match
from shared.domain.matching.suggestions import Suggestion, suggest
from shared.domain.messages.message import InvalidMessage
from shared.domain.messages.parse import parse_booking_message
from shared.domain.quoting import shown
from shared.domain.stay.stay import UnitRules
from worker.cli.match_inputs import (
    DONE,
    NO,
    UNUSABLE,
    exit_if_unusable,
    load_door,
    load_rules,
    read,
    split_messages,
    stay_for,
)
from worker.cli.match_settings import LONG_STAYS, PREFERENCES, match_settings
from worker.cli.match_view import Answer, show_invalid, show_match


@click.command("match")
@click.option("--device", required=True, help="A device file as Seam returns it, or a device id.")
@click.option("--booking", required=True, help="A booking message, or JSON Lines of them; - is standard input.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per booking.")
@click.option(
    "--preference",
    type=click.Choice(PREFERENCES),
    help="Which of several fitting slots is taken; by default SLOT_PREFERENCE.",
)
@click.option(
    "--allow-biweekly/--no-allow-biweekly",
    default=None,
    help="Use biweekly slots for stays of at most 14 days; by default ALLOW_BIWEEKLY.",
)
@click.option(
    "--long-stays",
    type=click.Choice(LONG_STAYS),
    help="What is done with stays of more than 31 days; by default LONG_STAYS.",
)
@click.option("--doors-file", help="Default times and buffers of units; by default DOORS_FILE.")
@click.option("--at", metavar="TIME", help="The time to decide for, such as 2026-12-01T21:30-08:00; by default now.")
def command(
    *,
    device: str,
    booking: str,
    as_json: bool,
    preference: str | None,
    allow_biweekly: bool | None,
    long_stays: str | None,
    doors_file: str | None,
    at: str | None,
) -> None:
    """Explain which time slot serves a booking.

    The answer depends on the time: a guest who checks in long after a slot's start gets that slot once its start has
    passed. `--at` decides for another time.
    Exits 0 when matched, 1 when not, 2 when an input can't be used, 3 when Seam can't be reached.
    """
    options = {"SLOT_PREFERENCE": preference, "ALLOW_BIWEEKLY": allow_biweekly, "LONG_STAYS": long_stays}
    given = match_settings(os.environ, but=frozenset(name for name, value in options.items() if value is not None))
    if given.problems:
        for problem in given.problems:
            click.echo(problem, err=True)
        sys.exit(UNUSABLE)
    may_use_biweekly = allow_biweekly if allow_biweekly is not None else given.allow_biweekly or False
    policy = MatchPolicy(SlotPreference(preference or given.preference or "nearest"), may_use_biweekly)
    now = _moment(at) if at is not None else system_clock()
    splits = (long_stays or given.long_stays) == "split"
    with exit_if_unusable():
        door = load_door(device)
        messages = split_messages(read(booking))
        # DOORS_FILE is read only if a message names a unit: otherwise a bad file doesn't matter.
        needed = given.doors_file if any(map(_names_a_unit, messages)) else None
        rules = load_rules(doors_file or needed)
    worst = DONE
    for place, raw in enumerate(messages):
        if place and not as_json:
            click.echo()
        code, lines = _answer(raw, door, rules, policy, now, as_json=as_json, split=splits)
        for line in lines:
            click.echo(line, color=False if os.environ.get("NO_COLOR") else None)
        worst = max(worst, code)
    sys.exit(worst)


def _moment(text: str) -> datetime:
    """Return the moment that `--at` names. Raises click.BadParameter."""
    right = "a time with its offset, such as 2026-12-01T21:30-08:00"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{shown(text)} is no time: write {right}", param_hint="--at") from None
    if moment.tzinfo is None:
        raise click.BadParameter(f"{shown(text)} could be any zone's: write {right}", param_hint="--at")
    return moment


def _names_a_unit(raw: bytes) -> bool:
    try:
        return parse_booking_message(raw).unit is not None
    except InvalidMessage:
        return False


def _answer(
    raw: bytes,
    door: Door,
    rules: Mapping[str, UnitRules],
    policy: MatchPolicy,
    now: datetime,
    *,
    as_json: bool,
    split: bool,
) -> tuple[int, Iterable[str]]:
    """Return the exit code for one booking and what to print."""
    try:
        message = parse_booking_message(raw)
        stay = stay_for(message, rules)
    except InvalidMessage as invalid:
        return UNUSABLE, [_json(_invalid(invalid))] if as_json else show_invalid(invalid.problems)
    found = match(stay, door, policy)
    found = match_late_arrival(stay, door, policy, found, now=now, is_new=True) or found
    codes = plan(stay, door, policy) if split and found.outcome in _SPLITTABLE else None
    suggestions = suggest(stay, door, policy, found)
    code = _exit_code(found, codes)
    if as_json:
        return code, [_json(_object(message.booking_id, found, suggestions, codes))]
    answer = Answer(
        title=shown(message.label or message.booking_id),
        stay=stay,
        door=door,
        found=found,
        suggestions=suggestions,
        codes=codes.codes if codes is not None else (),
    )
    return code, show_match(answer, _encoding())


_SPLITTABLE = (Outcome.TOO_LONG, Outcome.NO_SLOT)


def _exit_code(found: Match, codes: Plan | None) -> int:
    if found.outcome is Outcome.INVALID_BOOKING:
        return UNUSABLE
    matched = found.outcome is Outcome.MATCHED or (codes is not None and codes.codes)
    return DONE if matched else NO


def _object(booking_id: str, found: Match, suggestions: Iterable[Suggestion], codes: Plan | None) -> dict[str, Any]:
    """Return the contract's object; for a split stay with `codes`.

    Then `starts_at` and `ends_at` are those of the whole stay, and `slot` is that of the first code.
    """
    whole = {
        "booking_id": booking_id,
        **found.as_json(),
        "suggestions": [one.as_json() for one in suggestions],
    }
    if codes is not None and codes.codes:
        whole |= codes.as_json() | {"outcome": "matched", "problem": "", "suggestions": []}
    return whole


def _invalid(invalid: InvalidMessage) -> dict[str, Any]:
    """Return an object with the same keys as for a usable booking, and every problem."""
    return {
        **Match(outcome=Outcome.INVALID_BOOKING, problem=str(invalid)).as_json(),
        "suggestions": [],
        "problems": [{"field": one.field, "wrong": one.wrong, "right": one.right} for one in invalid.problems],
    }


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value)


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "ascii"
