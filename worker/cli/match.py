"""`oracode match`: which slot of a door serves a booking, and why the others don't.

On files it needs nothing else: no Redis, no key, no settings, and no heavy import.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click

from shared.domain.booking_messages import parse_booking_message
from shared.domain.bookings import InvalidMessage, UnitRules
from shared.domain.doors import Door
from shared.domain.long_stays import Plan, plan
from shared.domain.matching import Match, MatchPolicy, Outcome, SlotPreference, match
from shared.domain.quoting import shown
from shared.domain.suggestions import Suggestion, suggest
from worker.cli.match_inputs import (
    DONE,
    NO,
    UNREACHABLE,
    UNUSABLE,
    Unreachable,
    UnusableInput,
    load_door,
    load_rules,
    read,
    split_messages,
    stay_for,
)
from worker.cli.match_view import Answer, show_invalid, show_match


@click.command("match")
@click.option("--device", required=True, help="A device file as Seam returns it, or a device id.")
@click.option("--booking", required=True, help="A booking message, or JSON Lines of them; - is standard input.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a booking.")
@click.option(
    "--preference",
    type=click.Choice([one.value for one in SlotPreference]),
    default="nearest",
    envvar="SLOT_PREFERENCE",
    help="Which of several fitting slots is taken.",
)
@click.option(
    "--allow-biweekly/--no-allow-biweekly",
    default=False,
    envvar="ALLOW_BIWEEKLY",
    help="Use biweekly slots for stays of at most 14 days.",
)
@click.option(
    "--long-stays",
    type=click.Choice(["refuse", "split"]),
    default="refuse",
    envvar="LONG_STAYS",
    help="What becomes of stays of more than 31 days.",
)
@click.option("--doors-file", envvar="DOORS_FILE", help="Default times and buffers of units.")
def command(
    *,
    device: str,
    booking: str,
    as_json: bool,
    preference: str,
    allow_biweekly: bool,
    long_stays: str,
    doors_file: str | None,
) -> None:
    """Explain which time slot serves a booking.

    Exits 0 when matched, 1 when not, 2 when an input can't be used, 3 when Seam can't be reached.
    """
    policy = MatchPolicy(SlotPreference(preference), allow_biweekly)
    try:
        door = load_door(device)
        rules = load_rules(doors_file)
        messages = split_messages(read(booking))
    except UnusableInput as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)
    except Unreachable as error:
        click.echo(str(error), err=True)
        sys.exit(UNREACHABLE)
    worst = DONE
    for place, raw in enumerate(messages):
        if place and not as_json:
            click.echo()
        code, lines = _answer(raw, door, rules, policy, as_json=as_json, split=long_stays == "split")
        for line in lines:
            click.echo(line, color=False if os.environ.get("NO_COLOR") else None)
        worst = max(worst, code)
    sys.exit(worst)


def _answer(
    raw: bytes,
    door: Door,
    rules: Mapping[str, UnitRules],
    policy: MatchPolicy,
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
    """Return the contract's object; a stay that was split has its `codes` besides.

    Its `starts_at` and `ends_at` are then those of the whole, its `slot` that of the first code.
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
    """Return the same keys as for any other booking, and every problem."""
    return {
        **Match(outcome=Outcome.INVALID_BOOKING, problem=str(invalid)).as_json(),
        "suggestions": [],
        "problems": [{"field": one.field, "wrong": one.wrong, "right": one.right} for one in invalid.problems],
    }


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value)


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "ascii"
