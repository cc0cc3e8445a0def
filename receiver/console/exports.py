"""Lists as CSV, for spreadsheets. Cells that a spreadsheet would take for a formula are defused."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from receiver.console.operations import Call
from receiver.console.views.arrivals import ArrivalsQuery, read_arrivals
from receiver.console.views.bookings import BookingsQuery, read_bookings
from receiver.console.views.residual import read_residual

MOST_ROWS: Final = 1_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")

Row = Iterable[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One list: its address is `path` + `.csv`."""

    path: str
    query: type
    columns: tuple[str, ...]
    rows: Callable[[Call], Iterator[Row]]


def as_csv(columns: Iterable[str], rows: Iterable[Row]) -> str:
    """Return a CSV file's text (RFC 4180), with the mark by which spreadsheets know UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return "\ufeff" + text.getvalue()


def defused(cell: Any) -> str:
    """Return a cell's text. One that begins as a formula does gets an apostrophe before it (OWASP, "CSV Injection")."""
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="minutes")
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _arrivals(call: Call) -> Iterator[Row]:
    for row in read_arrivals(call).arrivals[:MOST_ROWS]:
        yield (
            row.check_in,
            row.time_zone,
            row.building,
            row.unit,
            row.door_name,
            row.booking_id,
            row.label,
            row.readiness,
            row.state,
            row.why or row.reason,
            row.next_step,
        )


def _bookings(call: Call) -> Iterator[Row]:
    count, cursor = 0, ""
    while count < MOST_ROWS:
        page = read_bookings(replace(call, query=replace(call.query, cursor=cursor)))
        for row in page.bookings:
            yield (
                row.booking_id,
                row.label,
                row.state,
                row.reason,
                row.check_in,
                ", ".join(row.doors),
                row.residual_access_until and row.residual_access_until.astimezone(UTC),
            )
        count, cursor = count + len(page.bookings), page.cursor
        if not cursor:
            return


def _residual(call: Call) -> Iterator[Row]:
    for row in read_residual(call).codes[:MOST_ROWS]:
        yield (
            row.opens_until,
            row.time_zone,
            row.building,
            row.unit,
            row.door_name,
            row.booking_id,
            row.label,
            row.state,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFilter:
    """All of them."""


EXPORTS: Final = (
    Export(
        path="/arrivals",
        query=ArrivalsQuery,
        columns=(
            "check_in (lock's clock)",
            "time_zone",
            "building",
            "unit",
            "door",
            "booking_id",
            "label",
            "readiness",
            "state",
            "what holds it back",
            "next step",
        ),
        rows=_arrivals,
    ),
    Export(
        path="/bookings",
        query=BookingsQuery,
        columns=(
            "booking_id",
            "label",
            "state",
            "reason",
            "check_in (lock's clock)",
            "doors",
            "residual_access_until (UTC)",
        ),
        rows=_bookings,
    ),
    Export(
        path="/residual-access",
        query=NoFilter,
        columns=(
            "opens_until (lock's clock)",
            "time_zone",
            "building",
            "unit",
            "door",
            "booking_id",
            "label",
            "state",
        ),
        rows=_residual,
    ),
)
