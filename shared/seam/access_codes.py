"""Access codes at Seam: makes, finds, reads, changes and deletes them. The values that it returns hold no PIN."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from pydantic import SecretStr

from shared.contracts import is_id
from shared.domain.booking.record import Window
from shared.domain.code.changes import CodeFlags
from shared.domain.quoting import shown
from shared.domain.seam_issues import ModifiedField, SeamIssue
from shared.seam import second_sign
from shared.seam.client import Answer, SeamClient
from shared.seam.errors import NoSuchAccessCode, OutcomeUnknown, Refused, SeamError, UnnamedNotFound, Unreadable
from shared.seam.pages import MOST_PAGES, PAGE, pages
from shared.seam_event_redaction import mask_digits

_NAME_SEPARATOR: Final = " | "
_LONGEST_NAME: Final = 120
_MOST_CODES: Final = MOST_PAGES * PAGE
_MOST_ISSUES: Final = 20
_LONGEST_WORD: Final = 80
_LONGEST_MESSAGE: Final = 300
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9000


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReport:
    """What Seam says of an access code at one moment.

    `window` is None if Seam names no start or no end: in its schema both may be missing or null, as for an ongoing
    code. `status` is deprecated by Seam, and empty if it is missing. `has_pin` says that a PIN exists, not which.
    `is_waiting_for_pin` is Seam's `is_waiting_for_code_assignment`. `request_id` is that of the call.
    """

    access_code_id: str
    window: Window | None
    user_level_id: str | None
    device_id: str
    name: str
    status: str
    has_pin: bool
    pending: tuple[str, ...]
    errors: tuple[SeamIssue, ...]
    warnings: tuple[SeamIssue, ...]
    flags: CodeFlags
    is_waiting_for_pin: bool = False
    is_ongoing: bool = False
    request_id: str | None = None

    def is_of(self, booking_id: str) -> bool:
        """Say whether the code's name is this booking's. An ongoing code belongs to no booking."""
        return not self.is_ongoing and is_name_of(self.name, booking_id)


@dataclass(frozen=True, slots=True)
class CodesOnDoor:
    """All codes of one door at one moment."""

    reports: tuple[CodeReport, ...]

    def of_booking(self, booking_id: str) -> list[CodeReport]:
        """Return the booking's codes, by their names."""
        return [report for report in self.reports if report.is_of(booking_id)]

    def alive_at(self, now: datetime) -> int:
        """Return how many codes have an end that is still to come."""
        return sum(report.window is not None and report.window.ends_at > now for report in self.reports)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A change that Seam has accepted, but may not have made yet: the ids of its action attempt and of the call.

    `action_attempt_id` is empty if the answer has none.
    """

    action_attempt_id: str
    request_id: str | None


class AccessCodes:
    """The calls to `/access_codes/…`; each raises what `shared.seam.errors` lists."""

    def __init__(self, client: SeamClient) -> None:
        self._client = client

    def create(self, *, device_id: str, name: str, window: Window, max_time_rounding: str) -> CodeReport:
        """Make an offline access code, once. Raises OutcomeUnknown if it isn't known whether it was made."""
        answer = self._client.change(
            "/access_codes/create",
            {
                "device_id": device_id,
                "name": name,
                "starts_at": window.starts_at.isoformat(),
                "ends_at": window.ends_at.isoformat(),
                "is_offline_access_code": True,
                "max_time_rounding": max_time_rounding,
            },
        )
        return replace(_report(answer.get("access_code"), OutcomeUnknown), request_id=answer.request_id)

    def get(self, access_code_id: str) -> CodeReport | None:
        """Read one code; None if Seam doesn't have it any more."""
        try:
            answer = self._read(access_code_id)
        except NoSuchAccessCode:
            return None
        return replace(_report(answer.get("access_code"), Unreadable), request_id=answer.request_id)

    def _read(self, access_code_id: str) -> Answer:
        try:
            return self._client.read("/access_codes/get", {"access_code_id": access_code_id})
        except UnnamedNotFound as first:
            second_sign.of_code(self._client, access_code_id, first)
            raise

    def is_unmanaged(self, access_code_id: str, device_id: str) -> bool:
        """Say whether Seam still knows this code of the door, but doesn't manage it any more."""
        try:
            self._client.read("/access_codes/unmanaged/get", {"access_code_id": access_code_id})
        except NoSuchAccessCode:
            return False
        except UnnamedNotFound as first:
            try:
                second_sign.of_unmanaged_code(self._client, access_code_id, device_id, first)
            except NoSuchAccessCode:
                return False
        return True

    def pin(self, access_code_id: str) -> SecretStr | None:
        """Read the PIN of a code, now; None if Seam doesn't have the code any more, or has no PIN for it yet.

        This is the only place where a PIN enters this process. It is wrapped, so that no log or error can show it.
        """
        try:
            answer = self._read(access_code_id)
        except NoSuchAccessCode:
            return None
        code = answer.get("access_code")
        pin = code.get("code") if isinstance(code, Mapping) else None
        return SecretStr(pin) if isinstance(pin, str) and pin else None

    def on_door(self, device_id: str) -> CodesOnDoor:
        """Read every code of the door, through all pages.

        Seam's `search` isn't used to find a booking's code, because it isn't documented how it searches names. If it
        missed a code, that code would be made a second time.
        """
        return self._listed("/access_codes/list", device_id)

    def unmanaged_on_door(self, device_id: str) -> CodesOnDoor:
        """Read every code of the door that Seam knows but doesn't manage; no other list has them."""
        return self._listed("/access_codes/unmanaged/list", device_id)

    def _listed(self, path: str, device_id: str) -> CodesOnDoor:
        found: list[CodeReport] = []
        for codes in pages(self._client, path, {"device_id": device_id}, "access_codes"):
            reports = (_report(code, Unreadable) for code in codes)
            found += [report for report in reports if report.device_id == device_id]
            if len(found) > _MOST_CODES:
                raise Unreadable(f"{path}: over {_MOST_CODES} codes on one door")
        return CodesOnDoor(tuple(found))

    def created_since(self, device_id: str, since: datetime, *, listed: CodesOnDoor) -> list[CodeReport]:
        """Read the door's codes that aren't in `listed`, but that Seam's events say were made since then.

        The events are a second source, because the list may lag behind.
        """
        answer = self._client.read(
            "/events/list",
            {"since": since.isoformat(), "device_id": device_id, "event_type": "access_code.created"},
        )
        events = answer.get("events")
        if not isinstance(events, list):
            raise Unreadable("/events/list: the answer has no events")
        ids = {
            event["access_code_id"]
            for event in events
            if isinstance(event, Mapping) and event.get("device_id") == device_id and is_id(event.get("access_code_id"))
        }
        ids -= {report.access_code_id for report in listed.reports}
        reports = (self.get(access_code_id) for access_code_id in sorted(ids))
        return [report for report in reports if report is not None]

    def change_window(self, access_code_id: str, window: Window) -> Accepted:
        """Ask Seam to move a code's window. May be repeated. An answer only means that Seam has accepted the change.

        Raises OutcomeUnknown if it isn't known whether Seam accepted it.
        """
        answer = self._client.change(
            "/access_codes/update",
            {
                "access_code_id": access_code_id,
                "starts_at": window.starts_at.isoformat(),
                "ends_at": window.ends_at.isoformat(),
            },
        )
        return _accepted("/access_codes/update", answer)

    def delete(self, access_code_id: str) -> Accepted:
        """Ask Seam to delete a code. May be repeated. Raises NoSuchAccessCode if it is gone already.

        An answer only means that Seam has accepted the deletion.
        """
        path = "/access_codes/delete"
        return _accepted(path, self._client.change(path, {"access_code_id": access_code_id}))

    def attempt_error(self, action_attempt_id: str) -> str:
        """Return what Seam says of an action attempt that has failed; empty if it hasn't failed, or can't be read.

        The text is for people only. The state of a code is read from the code itself.
        """
        path = "/action_attempts/get"
        try:
            _check_attempt(path, self._client.read(path, {"action_attempt_id": action_attempt_id}))
        except Refused as refusal:
            return refusal.reason if refusal.status == httpx.codes.OK else ""
        except SeamError:
            return ""
        return ""


def name_of(booking_id: str, label: str | None) -> str:
    """Return the name of a booking's code. It begins with the booking's id, so that a look finds the code again.

    The names of two bookings are never the same: the separator is taken out of labels, and an id that holds the
    separator always gets a label.
    """
    shown = (label or "").replace(_NAME_SEPARATOR, " / ")
    if _NAME_SEPARATOR in booking_id:
        shown = shown or "-"
    return f"{booking_id}{_NAME_SEPARATOR}{shown}"[:_LONGEST_NAME] if shown else booking_id


def is_name_of(name: str, booking_id: str) -> bool:
    """Say whether a code of this name is the booking's: `BK-1` owns neither `BK-10` nor `BK-1 B`.

    Only names that `name_of` makes count. Taking over another booking's code would give that guest's PIN away.
    """
    if name == booking_id:
        return _NAME_SEPARATOR not in booking_id
    start = booking_id + _NAME_SEPARATOR
    return name.startswith(start) and _NAME_SEPARATOR not in name.removeprefix(start)


def _accepted(path: str, answer: Answer) -> Accepted:
    _check_attempt(path, answer)
    attempt = answer.get("action_attempt")
    name = attempt.get("action_attempt_id") if isinstance(attempt, Mapping) else None
    return Accepted(name if is_id(name) else "", answer.request_id)


def _check_attempt(path: str, answer: Answer) -> None:
    """Raise Refused if the answer, in spite of HTTP 200, holds an action attempt that has failed already."""
    attempt = answer.get("action_attempt")
    if not isinstance(attempt, Mapping) or attempt.get("status") != "error":
        return
    error = attempt.get("error")
    named = error if isinstance(error, Mapping) else {}
    kind, message = _word(named.get("type", "unknown")), str(named.get("message", ""))[:_LONGEST_MESSAGE]
    reason = f"{kind}: {mask_digits(shown(message))}"
    status, request_id = httpx.codes.OK, answer.request_id
    raise Refused(f"{path}: {reason}", status=status, error_type=kind, request_id=request_id, reason=reason)


def _report(code: Any, error_class: type[SeamError]) -> CodeReport:
    try:
        metadata = code.get("dormakaba_oracode_metadata") or {}
        return CodeReport(
            access_code_id=_id(code["access_code_id"]),
            window=_window(code),
            user_level_id=_word(metadata["user_level_id"]) if metadata.get("user_level_id") is not None else None,
            device_id=_id(code["device_id"]),
            name=str(code.get("name") or ""),
            status=_word(code.get("status") or ""),
            has_pin=bool(code.get("code")),
            is_waiting_for_pin=code.get("is_waiting_for_code_assignment") is True,
            is_ongoing=code.get("type") == "ongoing",
            pending=_words(code.get("pending_mutations"), "mutation_code"),
            errors=_issues(code.get("errors"), "error_code"),
            warnings=_issues(code.get("warnings"), "warning_code"),
            flags=CodeFlags(
                is_cancellable=metadata.get("is_cancellable") is True,
                is_extendable=metadata.get("is_extendable") is True,
                is_early_checkin_able=metadata.get("is_early_checkin_able") is True,
                is_overridable=metadata.get("is_overridable") is True,
            ),
        )
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # The error's own text could quote the answer, and the answer holds the PIN.
        raise error_class(f"an access code that can't be read ({type(error).__name__})") from None


def _issues(issues: Any, code_field: str) -> tuple[SeamIssue, ...]:
    return tuple(
        SeamIssue(
            code=_word(each.get(code_field, "unknown")),
            message=mask_digits(shown(str(each.get("message", ""))[:_LONGEST_MESSAGE])),
            change_type=_word(each.get("change_type") or ""),
            modified_fields=tuple(_modified_fields(each.get("modified_fields"))),
            created_at=_moment_of(each.get("created_at")),
        )
        for each in (issues or ())[:_MOST_ISSUES]
    )


def _modified_fields(listed: Any) -> Iterator[ModifiedField]:
    """Yield the fields that somebody changed. Only values that are times are read: any other may be a PIN."""
    for each in listed[:_MOST_ISSUES] if isinstance(listed, list) else ():
        name = each.get("field") if isinstance(each, Mapping) else None
        if isinstance(name, str) and name:
            yield ModifiedField(_word(name), _moment_of(each.get("to")) if name.endswith("_at") else None)


def _moment_of(value: Any) -> datetime | None:
    try:
        return _instant(value).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _words(issues: Any, kind: str) -> tuple[str, ...]:
    return tuple(_word(each[kind]) for each in (issues or ())[:_MOST_ISSUES])


def _word(value: Any) -> str:
    """Return a text of Seam's, short and printable."""
    return shown(str(value)[:_LONGEST_WORD])


def _id(value: Any) -> str:
    if not is_id(value):
        raise ValueError("not an id")
    return value


def _window(code: Any) -> Window | None:
    starts_at, ends_at = code.get("starts_at"), code.get("ends_at")
    return None if starts_at is None or ends_at is None else Window(_instant(starts_at), _instant(ends_at))


def _instant(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError("a time at the end of the calendar, where no other zone has it")
    return moment
