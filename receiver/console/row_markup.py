"""Markup that many rows of a page share: a state as a word with its shape, and links to bookings and doors.

Templates have it as `ui`. The shapes themselves are drawn once a page, by `sprite`; a state only refers to its own.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from markupsafe import Markup, escape

from receiver.console.addresses import part_of
from shared.domain.quoting import shown

KIND: Final[Mapping[str, str]] = {
    "ready": "ok",
    "on its way": "half",
    "at risk": "alert",
    "received": "dots",
    "scheduled": "clock",
    "waiting": "wait",
    "creating": "half",
    "issued": "half",
    "failed": "fail",
    "cancelled": "off",
    "ended": "end",
    "page": "fail",
    "urgent": "alert",
    "warning": "alert",
    "info": "dots",
    "open": "alert",
    "resolved": "ok",
}
"""The shape of each word; a word that isn't here has three dots."""

_DRAWN: Final[Mapping[str, str]] = {
    "ok": '<circle class="shape-fill" cx="8" cy="8" r="7"/><path class="shape-cut" d="M4.6 8.3 7 10.7l4.6-5"/>',
    "half": '<circle cx="8" cy="8" r="6.2"/><path class="shape-fill" d="M8 1.8a6.2 6.2 0 0 1 0 12.4z"/>',
    "alert": '<path class="shape-fill" d="M8 .8 15.6 14.6H.4z"/><path class="shape-cut" d="M8 5.4v4.4M8 12v.6"/>',
    "fail": '<path class="shape-fill" d="M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z"/>'
    '<path class="shape-cut" d="m5.4 5.4 5.2 5.2m0-5.2-5.2 5.2"/>',
    "wait": '<path d="M3.5 1.5h9M3.5 14.5h9M4.5 1.5c0 4 3.5 4.5 3.5 6.5S4.5 10.5 4.5 14.5M11.5 1.5c0 4-3.5 4.5-3.5 6.5'
    's3.5 2.5 3.5 6.5"/>',
    "clock": '<circle cx="8" cy="8" r="6.2"/><path d="M8 4.2V8l2.6 1.8"/>',
    "off": '<circle cx="8" cy="8" r="6.2"/><path d="m3.8 3.8 8.4 8.4"/>',
    "end": '<path d="M3 8h10"/>',
    "dots": '<circle class="shape-fill" cx="3" cy="8" r="1.5"/><circle class="shape-fill" cx="8" cy="8" r="1.5"/>'
    '<circle class="shape-fill" cx="13" cy="8" r="1.5"/>',
}


@cache
def sprite() -> Markup:
    """Return the drawings that shapes refer to: once a page, before the first of them."""
    drawn = "".join(
        f'<symbol id="shape-{kind}" viewBox="0 0 16 16">{drawing}</symbol>' for kind, drawing in _DRAWN.items()
    )
    return Markup(f'<svg class="sprite" aria-hidden="true">{drawn}</svg>')  # noqa: S704 - all of it stands here


def shape(word: str) -> Markup:
    """Return the shape of a word."""
    return _shape(KIND.get(word, "dots"))


def state(word: str) -> Markup:
    """Return a word with its shape."""
    kind = KIND.get(word, "dots")
    return Markup(f'<span class="state {kind}">{_shape(kind)}{escape(word)}</span>')  # noqa: S704 - escaped


def booking_link(booking_id: str) -> Markup:
    """Return a link to a booking's page."""
    return _link("bookings", booking_id, booking_id)


def door_link(device_id: str, name: str) -> Markup:
    """Return a link to a door's page; a door without a name is called by its id."""
    return _link("doors", device_id, name or device_id)


@cache
def _shape(kind: str) -> Markup:
    return Markup(  # noqa: S704 - of our own kinds
        f'<svg class="shape {kind}" aria-hidden="true"><use href="#shape-{kind}"/></svg>'
    )


def _link(page: str, name: str, text: str) -> Markup:
    return Markup(f'<a href="/{page}/{part_of(name)}">{escape(shown(text))}</a>')  # noqa: S704 - escaped
