"""What the ledger keeps of a booking: values only, no behaviour. `shared.domain.booking.transitions` moves them.

A door's record is flat. Which of its fields belong to which state: `shared.domain.booking.door_state`.

To add a field or a state, read `shared/domain/versions.py` first. A class that has `unknown_fields` may gain fields.
Transitions keep them because they `replace` values instead of making new ones.

A booking on several doors is one `Booking` with a `BookedDoor` for each. Each door has a state of its own. The state of
the booking is drawn from all of them (`shared.domain.booking.transitions.change`).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal

from shared.domain import versions
from shared.domain.matching.manual_choice import ChosenSlot, SlotOffer
from shared.domain.stay.stay import Stay
from shared.domain.versions import NOT_IN_JSON, UnknownFields


class State(StrEnum):
    """The booking states of the contract; a door is always in one of them too."""

    RECEIVED = "received"
    SCHEDULED = "scheduled"
    WAITING = "waiting"
    CREATING = "creating"
    ISSUED = "issued"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ENDED = "ended"


OVER: Final = (State.CANCELLED, State.ENDED)
"""The states of a door for which nothing more is made."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a code opens the door. Both times are aware: in the lock's zone if we computed them, in UTC if Seam did."""

    starts_at: datetime
    ends_at: datetime


def on_clock_of(asked: Window, made: Window) -> Window:
    """Return `made` on the clock of `asked`: its start with the offset of that start, its end with that of that end."""
    return Window(made.starts_at.astimezone(asked.starts_at.tzinfo), made.ends_at.astimezone(asked.ends_at.tzinfo))


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The deletion of an access code. Until it is done the code opens the door.

    - `asked_at`: when Seam was asked. Not `asked`: nobody may delete this code, so Seam never was.
    - `look_at`: when the code is read next, to see whether it is gone; None if Seam refused at once, or wasn't asked.
    - `looks`: how often it was read since.
    - `attempt_id`: Seam's action attempt; "" if Seam gave none.
    - `failure`: why the code isn't gone, with Seam's words; "" while the deletion is under way.
    """

    asked_at: datetime
    look_at: datetime | None = None
    looks: int = 0
    attempt_id: str = ""
    failure: str = ""
    asked: bool = True
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessCode:
    """An access code that exists at Seam, since `known_since` as far as we know. Never its PIN.

    - `removal`: its deletion, once Seam was asked for it.
    - `update_attempt_id`: Seam's action attempt for the last change of its times; "" without one, or once it is done.
    - `update_failure`: Seam's words if that attempt has failed.
    - `replaced_at`: when a person had it replaced. No booking takes it over again.
    - `delete_at`: when Seam is to be asked to delete a replaced code; None until another code has taken its place.
    """

    access_code_id: str
    window: Window
    known_since: datetime
    user_level_id: str | None = None
    removal: Removal | None = None
    update_attempt_id: str = ""
    update_failure: str = ""
    replaced_at: datetime | None = None
    delete_at: datetime | None = None
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A create that may have reached Seam: written before the call, removed only by what a look at Seam shows."""

    intent_id: str
    at: datetime
    window: Window
    user_level_id: str
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedDoor:
    """One door of a booking. A stay that is split into consecutive codes has one of these for each code.

    - `part`: which of several consecutive codes this is, from 1; 0 if one code serves the stay.
    - `name`, `time_zone`: as the door was last read for any booking.
    - `wanted`: False once a later revision has left the door out.
    - `reason`, `detail`: why it isn't ready. While it `is_muted`, people aren't told of the reason yet.
    - `planned_revision`: the revision that `state` is for. If the booking has a newer one, the door is planned again.
    - `due_at`: when the door is worked on next. `attempts`: failed tries since the last success.
    - `check_in`, `check_out`: instants, once the lock's zone is known.
    - `intent`, `code`: a create that may have reached Seam; the current code.
    - `residual`: codes of earlier revisions that open the door until they end.
    - `asked`, `asked_user_level_id`: what a code was last asked for.
    - `drift`: how the door was changed after the code was made; "" if the code still fits it.
    - `pin_changed_at`, `pin_revealed_at`: when Seam last replaced the current code's PIN; when somebody last read it.
    - `offers`: the slots that a person may choose if none fits. `choice`: the slot that somebody chose.
    - `inherited`: Seam's code of the door's or account's error, if the code's problem only repeats that error.
    - `last_code_id`, `new_code_at`: the access code that the door had last; when another one took its place.
    - `same_pin_as`: the replaced access code that has the same PIN as the current one.
    """

    device_id: str
    part: int = 0
    name: str = ""
    wanted: bool = True
    state: State = State.RECEIVED
    reason: str = ""
    detail: str = ""
    planned_revision: int | None = None
    due_at: datetime | None = None
    attempts: int = 0
    check_in: datetime | None = None
    check_out: datetime | None = None
    time_zone: str | None = None
    slot_name: str = ""  # never set; a stored field may go with a new MAJOR version only
    intent: Intent | None = None
    code: AccessCode | None = None
    residual: tuple[AccessCode, ...] = ()
    asked: Window | None = None
    asked_user_level_id: str | None = None
    is_muted: bool = False
    drift: str = ""
    pin_changed_at: datetime | None = None
    pin_revealed_at: datetime | None = None
    offers: tuple[SlotOffer, ...] = ()
    choice: ChosenSlot | None = None
    inherited: str = ""
    last_code_id: str = ""
    new_code_at: datetime | None = None
    same_pin_as: str = ""
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)

    @property
    def new_pin_since(self) -> datetime | None:
        """When the PIN that the guest was last given stopped being the right one; None while it is right.

        Another access code took the place of an earlier one, or Seam replaced the PIN of the current code.
        """
        moments = [at for at in (self.new_code_at, self.pin_changed_at) if at is not None]
        return max(moments) if moments and self.code is not None else None

    @property
    def key(self) -> str:
        """The door's id, and which of several consecutive codes this is about."""
        return f"{self.device_id}#{self.part}" if self.part else self.device_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeNotice:
    """A change of the booking that its booking system is to be told; `sequence` orders them per booking, from 1."""

    kind: Literal["outcome"] = "outcome"
    sequence: int
    at: datetime
    outcome: str
    body: dict[str, Any]
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNotice:
    """A problem that began or changed (`raised`), or that is gone (not `raised`).

    - `check_in`: decides the severity. While the lock's zone isn't known, it is the earliest possible moment, and
      `wall_check_in` is what the lock's clock shows then.
    - `choices`: slots of the door `door_key` that a person may choose. `choose`: the command that takes the nearest.
    - `solved`: who solved it and how, once it is gone.
    - `inherited`: Seam's code of the door's or account's error that the problem only repeats. The alert of the door or
      the account inhibits this one.
    - `code`: when the door's access code works. `earlier_code`: when one of an earlier revision opens the door too.
    """

    kind: Literal["alert"] = "alert"
    at: datetime
    raised: bool
    key: str
    problem: str
    subject: str = ""
    happened: str = ""
    next_step: str = ""
    actor: str = ""
    look_closer: str = ""
    check_in: datetime | None = None
    time_zone: str | None = None
    check_out: datetime | None = None
    booking_id: str = ""
    device_id: str = ""
    door_key: str = ""
    choices: tuple[SlotOffer, ...] = ()
    solved: str = ""
    wall_check_in: datetime | None = None
    choose: str = ""
    inherited: str = ""
    code: Window | None = None
    earlier_code: Window | None = None
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


Notice = OutcomeNotice | AlertNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A booking as the ledger has it.

    - `held_back_by`: the door that decides the booking's `state` and `reason`, if it has several.
    - `seen_messages`: the identities of the last messages. `seen_contents`: their hashes and those of what each said.
    - `outbox`: notices that are still to be published.
    - `is_forgotten`: its personal data was erased. The name is stored.
    - `revision`: grows with each message that is applied, and fences decisions. `revision_offset`: how far it is ahead
      of the highest revision that a message gave; None if none gave any.
    - `newest_entry`: the stream entry of the newest message. `cancelled_entry`: that of the last cancellation without a
      revision, which cancels all that arrived before it.
    - `asked`: what the newest message asked for (`asked_of`); "" if that isn't known.
    - `version`: the version of the record that this value was read from, or written as. It is no part of the record.
    - `schema`: the version of this class that wrote the record.
    """

    booking_id: str
    revision: int
    cancelled: bool = False
    stay: Stay | None = None
    lead_time: timedelta | None = None
    label: str | None = None
    doors: tuple[BookedDoor, ...] = ()
    state: State = State.RECEIVED
    reason: str = ""
    held_back_by: str | None = None
    residual_access_until: datetime | None = None
    seen_messages: tuple[str, ...] = ()
    seen_contents: tuple[str, ...] = ()
    outcome_sequence: int = 0
    outbox: tuple[Notice, ...] = ()
    is_forgotten: bool = False
    revision_offset: int | None = None
    newest_entry: str = ""
    cancelled_entry: str = ""
    asked: str = ""
    version: int = 0
    schema: str = versions.BOOKING
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)

    def door(self, key: str) -> BookedDoor:
        """Return the booking's part on one door. Raises KeyError where the booking isn't on that door."""
        for door in self.doors:
            if door.key == key:
                return door
        raise KeyError(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of a booking's story: `what` is a past-tense dotted name, `text` is for people."""

    at: datetime
    what: str
    text: str
    device_id: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What a transition makes of a booking: its new value, and new lines of its history.

    Not `is_news`: only the record was changed, and nothing is to be done for the booking.
    """

    booking: Booking
    history: tuple[HistoryEntry, ...] = ()
    is_news: bool = True
