"""A door's slots and codes on one clock of 24 hours, in the door's zone: a code that leaves its slot is seen."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from deploy.sandbox.codes.codes import Code, Phase
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.slots import Slot, zone_of
from deploy.sandbox.pages.html import text

SHOWN_CODES = 6
_DAY = 24 * 60
_TOP = 30
_SLOT_STEP, _CODE_STEP = 40, 40
_BAR, _THIN = 12, 7
_LONGEST, _LONGEST_OF_CODE = 28, 14


def clock(door: Door, codes: Sequence[Code], now: datetime) -> str:
    """Return the picture as SVG: slots as broad bars, codes as thin ones beneath, and the time at the door."""
    zone = zone_of(door.device) or ZoneInfo("UTC")
    rows = [*_slots(door.slots), *_codes(codes[:SHOWN_CODES], zone)]
    y, body = _TOP, []
    for step, row in rows:
        body.append(row.format(text=y + 14, bar=y + 20))
        y += step
    local = now.astimezone(zone)
    at = _share(_minute(local.time()))
    lines = "".join(
        f'<line class="grid" x1="{_share(hour * 60)}" x2="{_share(hour * 60)}" y1="{_TOP - 6}" y2="{y}"/>'
        f'<text class="muted{" odd" if hour % 6 else ""}" x="{_share(hour * 60)}" y="{_TOP - 11}" '
        f'text-anchor="{"start" if hour == 0 else "end" if hour == 24 else "middle"}">{hour:02}</text>'  # noqa: PLR2004
        for hour in range(0, 25, 3)
    )
    mark = f'<line class="nowline" x1="{at}" x2="{at}" y1="{_TOP - 6}" y2="{y}"/>' if rows else ""
    summary = text(_summary(door, codes, zone, local))
    # The line of now lies beneath all names.
    return (
        f'<svg class="clock" width="100%" height="{y + 4}" role="img" aria-label="{summary}">'
        f"{lines}{mark}{''.join(body)}</svg>"
    )


def _slots(slots: Sequence[Slot]) -> Iterator[tuple[int, str]]:
    for slot in slots:
        start, end = _minute(slot.check_in.at), _minute(slot.check_out.at)
        told = f"{slot.check_in.at:%H:%M} → {slot.check_out.at:%H:%M}"
        yield _SLOT_STEP, _row(slot.name, told, _bars(start, end), kind="slot", height=_BAR)


def _codes(codes: Sequence[Code], zone: ZoneInfo) -> Iterator[tuple[int, str]]:
    for code in codes:
        start, end = code.starts_at.astimezone(zone), code.ends_at.astimezone(zone)
        told = f"{_moment(start)} → {_moment(end)}"
        kind = "gone" if code.phase in (Phase.GONE, Phase.FAILED, Phase.REMOVING) else "code"
        bars = _bars(_minute(start.time()), _minute(end.time()))
        name = (code.name or code.access_code_id).partition(" | ")[0]
        yield _CODE_STEP, _row(name[:_LONGEST_OF_CODE], told, bars, kind=kind, height=_THIN)


def _row(name: str, told: str, bars: Sequence[tuple[float, float]], *, kind: str, height: int) -> str:
    """Return a row with `{text}` and `{bar}` for its places."""
    rects = "".join(
        f'<rect class="{kind}" x="{_share(start)}" width="{_share(end - start)}" y="{{bar}}" height="{height}" rx="2"/>'
        for start, end in bars
    )
    return (
        f'<text x="0" y="{{text}}">{_braced(name[:_LONGEST])}</text>'
        f'<text class="muted" x="100%" y="{{text}}" text-anchor="end">{_braced(told)}</text>'
        f'<rect class="rail" x="0" width="100%" y="{{bar}}" height="{height}" rx="2"/>{rects}'
    )


def _bars(start: float, end: float) -> Sequence[tuple[float, float]]:
    """Return the stretches of a day: one that passes midnight is two."""
    if start == end:
        return ((0, _DAY),)
    return ((start, end),) if start < end else ((start, _DAY), (0, end))


def _summary(door: Door, codes: Sequence[Code], zone: ZoneInfo, local: datetime) -> str:
    slots = [f"slot {slot.name} {slot.check_in.at:%H:%M} to {slot.check_out.at:%H:%M}" for slot in door.slots]
    told = [
        f"code {code.name or code.access_code_id} {_moment(code.starts_at.astimezone(zone))}"
        f" to {_moment(code.ends_at.astimezone(zone))}"
        for code in codes[:SHOWN_CODES]
    ]
    return ". ".join((*(slots or ["no time slots"]), *told, f"It is {local:%H:%M} at the door"))


def _minute(at: time) -> float:
    return at.hour * 60 + at.minute + at.second / 60


def _share(minute: float) -> str:
    return f"{minute * 100 / _DAY:.3f}%"


def _moment(at: datetime) -> str:
    return f"{at.day} {at:%b %H:%M}"


def _braced(value: str) -> str:
    """Return text for HTML that `str.format` leaves as it is."""
    return text(value).replace("{", "{{").replace("}", "}}")
