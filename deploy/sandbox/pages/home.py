"""The front page: how the stand-in for Seam does, buttons for what can go wrong, and the doors with their codes."""

from typing import Final

from starlette.responses import HTMLResponse

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.codes import Code, Phase
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.slots import zone_of
from deploy.sandbox.devices.spec import DoorSpec
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.pages.clock import SHOWN_CODES, clock
from deploy.sandbox.pages.html import options, page, table, text

SHOWN_TABLE = 200
SHOWN_DOORS = 60
_MARKS = ("is_24_hour", "is_biweekly_mode", "is_one_shot", "is_master")
_EMPTY_SLOTS: Final = 1
FAILING_CALLS: Final = {
    "*": "all calls",
    "access_codes.create": "creating a code",
    "access_codes.get": "reading a code",
    "access_codes.delete": "deleting a code",
    "devices.get": "reading a door",
}
FAILURES: Final = {
    "error_before": "answer 500, nothing done",
    "error_after": "answer 500, though it was done",
    "timeout_after": "never answer, though it was done",
    "disconnect_after": "hang up, though it was done",
    "rate_limit": "answer 429: too many calls",
    "refuse": "refuse it",
}
_TIMES: Final = {"1": "next", "3": "next 3", "10": "next 10"}
_DONE: Final = {
    "away": "Seam is away: every call of its API fails. Codes and doors stay as they are.",
    "back": "Seam answers again.",
    "lost": "Webhooks are lost from now on: what happens is found by comparing with Seam's own list.",
    "delivered": "Webhooks are delivered again.",
    "fault": "The next calls fail as you chose.",
    "cleared": "No call fails any more.",
    "slots": "The slots were changed, as an installer would. Seam's clients read the door again within minutes.",
}


def home(sandbox: Sandbox, *, done: str = "", problem: str = "") -> HTMLResponse:
    """Return the front page; `done` names what a button did, `problem` says why it did nothing."""
    doors = list(sandbox.doors)
    newest = list(reversed(sandbox.codes.everything()))
    note = f'<p class="note" role="status">{text(_DONE[done])}</p>' if done in _DONE else ""
    note += f'<p class="problem" role="alert">{text(problem)}</p>' if problem else ""
    more = f'<p class="hint">The first {SHOWN_DOORS} of {len(doors)} doors.</p>' if len(doors) > SHOWN_DOORS else ""
    body = (
        f"{note}<p>This process stands in for Seam: the same endpoints, rules, events and signed webhooks, and no lock "
        "anywhere. Its API key is "
        f"<code>{text(sandbox.api_key)}</code>. Break something below, and see what becomes of it.</p>"
        f'<section aria-label="What goes wrong" class="controls">{_seam(sandbox)}{_webhooks(sandbox)}{_faults(sandbox)}'
        f"</section><h2>Doors, with slots and codes on the clock of the lock</h2>{more}"
        f'<div class="cards">{"".join(_door(sandbox, door) for door in doors[:SHOWN_DOORS])}</div>'
        f"<h2>Codes <small>newest first</small></h2>"
        + (
            '<div class="codes">'
            + table(
                ["Name", "Door", "From (UTC)", "To (UTC)", "State", "PIN"],
                [_code_row(sandbox, code) for code in newest[:SHOWN_TABLE]],
            )
            + "</div>"
            if newest
            else "<p>None yet. A booking makes the first: <code>oracode bookings publish</code>.</p>"
        )
    )
    return page("Doors and codes", body, here="/", status=400 if problem else 200)


def _seam(sandbox: Sandbox) -> str:
    is_away = sandbox.outage.spec.on
    state = '<p class="now off">✕ Seam is away</p>' if is_away else '<p class="now ok">● Seam answers</p>'
    button = (
        '<button name="on" value="false">Bring Seam back</button>'
        if is_away
        else '<label>It <select name="kind"><option value="http_503">answers 503</option>'
        '<option value="disconnect">hangs up</option></select></label>'
        '<button name="on" value="true">Take Seam away</button>'
    )
    return _control("Seam's API", state, f'<form method="post" action="/sandbox/buttons/outage">{button}</form>')


def _webhooks(sandbox: Sandbox) -> str:
    spec = sandbox.webhook_sender.delivery_faults.spec
    if spec.drop >= 1:
        state, button = (
            '<p class="now off">✕ Webhooks are lost</p>',
            '<button name="drop" value="0">Deliver them</button>',
        )
    elif spec.drop or spec.hold or spec.duplicate or spec.shuffle:
        state = '<p class="now some">▲ Webhooks are disturbed</p>'
        button = '<button name="drop" value="0">Deliver them as they should be</button>'
    else:
        state, button = (
            '<p class="now ok">● Webhooks are delivered</p>',
            '<button name="drop" value="1">Lose them</button>',
        )
    return _control("Webhooks", state, f'<form method="post" action="/sandbox/buttons/webhooks">{button}</form>')


def _faults(sandbox: Sandbox) -> str:
    standing = [fault for fault in sandbox.faults if not fault.is_spent]
    state = '<p class="now ok">● No call is set to fail</p>'
    clear = ""
    if standing:
        listed = "".join(
            f"<li><code>{text(it.spec.operation)}</code>: {text(FAILURES.get(it.spec.kind, it.spec.kind))}, "
            f"{'always' if it.spec.times is None else f'{it.spec.times - it.fired} more'}</li>"
            for it in standing
        )
        state = f'<p class="now some">▲ Calls are set to fail</p><ul>{listed}</ul>'
        clear = (
            '<form method="post" action="/sandbox/buttons/clear"><button class="quiet">Let no call fail</button></form>'
        )
    form = (
        '<form method="post" action="/sandbox/buttons/fault">'
        f'<label>The <select name="times">{options(_TIMES)}</select></label>'
        f'<label>of <select name="operation">{options(FAILING_CALLS)}</select></label>'
        f'<label>shall <select name="kind">{options(FAILURES)}</select></label><button>Let them fail</button></form>'
    )
    return _control("The next calls", state, form + clear)


def _control(title: str, state: str, form: str) -> str:
    return f'<div class="card"><h2 class="hint">{text(title)}</h2>{state}{form}</div>'


def _door(sandbox: Sandbox, door: Door) -> str:
    living = sorted(sandbox.codes.of_door(door.device_id), key=lambda code: code.seq, reverse=True)
    zone = zone_of(door.device)
    facts = [text(zone.key if zone else "no time zone"), f"{len(living)} code{'s' if len(living) != 1 else ''}"]
    if door.max_active_codes is not None:
        facts[-1] += f" of {door.max_active_codes}"
    facts += ["<strong>takes no offline codes</strong>"] if not door.offers_offline_codes else []
    facts += [f"<strong>{text(issue.code)}</strong>" for issue in door.issues]
    more = f'<p class="hint">and {len(living) - SHOWN_CODES} codes more</p>' if len(living) > SHOWN_CODES else ""
    none = "" if door.slots else "<p>No time slots.</p>"
    special = [f"{slot.get('name')} ({_marks(slot)})" for slot in _listed_slots(door) if _marks(slot)]
    notes = f'<p class="hint">{text(", ".join(special))}</p>' if special else ""
    return (
        f'<article class="card"><div class="head"><h3>{text(door.name)}</h3>'
        f"<small>{' · '.join(facts)}</small></div><code>{text(door.device_id)}</code>"
        f"{none}{clock(door, living, sandbox.clock())}{notes}{more}{_slots_form(door)}</article>"
    )


def _slots_form(door: Door) -> str:
    if not isinstance(door.spec, DoorSpec):
        return '<p class="hint">Given as Seam has it: its slots are changed by <code>PATCH /sandbox/devices</code>.</p>'
    known = [(slot.name, slot.check_in, slot.check_out) for slot in door.spec.slots]
    rows = "".join(
        f'<input name="name" aria-label="Name of slot {number}" value="{text(name)}">'
        f'<input name="check_in" type="time" aria-label="Check-in of slot {number}" value="{text(check_in)}">'
        f'<input name="check_out" type="time" aria-label="Check-out of slot {number}" value="{text(check_out)}">'
        for number, (name, check_in, check_out) in enumerate([*known, *[("", "", "")] * _EMPTY_SLOTS], start=1)
    )
    return (
        "<details><summary>Change its slots</summary>"
        f'<form method="post" action="/sandbox/buttons/slots"><input type="hidden" name="device_id" '
        f'value="{text(door.device_id)}"><div class="slots">{rows}</div>'
        '<button>Save, as an installer would</button><span class="hint">A slot without a name goes.</span></form>'
        "</details>"
    )


def _listed_slots(door: Door) -> list[JsonObject]:
    metadata = door.properties.get("dormakaba_oracode_metadata")
    listed = metadata.get("predefined_time_slots") if isinstance(metadata, dict) else None
    return [slot for slot in listed if isinstance(slot, dict)] if isinstance(listed, list) else []


def _marks(slot: JsonObject) -> str:
    return " ".join(mark.removeprefix("is_").replace("_", " ") for mark in _MARKS if slot.get(mark) is True)


def _code_row(sandbox: Sandbox, code: Code) -> list[str]:
    served = sandbox.code_object(code)
    door = next((door.name for door in sandbox.doors if door.device_id == code.device_id), code.device_id)
    errors = ", ".join(str(error["error_code"]) for error in code.errors)
    state = "removed" if code.phase is Phase.GONE else served["status"]
    return [
        text(code.name or ""),
        text(door),
        text(str(served["starts_at"]).replace("T", " ")[:16]),
        text(str(served["ends_at"]).replace("T", " ")[:16]),
        text(f"{state} {errors}"),
        text(code.shown_pin or "not yet"),
    ]
