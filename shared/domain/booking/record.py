"""What the ledger keeps of a booking: values only, no behaviour. `shared.domain.booking.transitions` moves them.

A door's record is flat. Which of its fields belong to which state: `shared.domain.booking.door_state`.

To add a field or a state, read `shared/domain/versions.py` first. A class that has `unknown_fields` may gain fields.
Transitions keep them because they `replace` values instead of making new ones.

A booking on several doors is one `Booking` with one `BookedDoor` each; every door has its own fate, the booking has one
verdict over all of them.
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
    """When a code opens the door: aware, in the lock's zone where we made it, in UTC where Seam told it."""

    starts_at: datetime
    ends_at: datetime


def on_clock_of(asked: Window, made: Window) -> Window:
    """Return `made` on the clock that `asked` is told on, each end with its own offset."""
    return Window(made.starts_at.astimezone(asked.starts_at.tzinfo), made.ends_at.astimezone(asked.ends_at.tzinfo))


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A deletion of an access code that Seam was asked for at `asked_at`. Until it is done the code opens the door.

    `look_at` is when the code is looked at next; None where nothing more comes of it: Seam refused at once, or was not
    `asked`, because nobody may delete this code.
    `looks` counts the looks so far. `attempt_id` names Seam's action attempt, where Seam gave one. `failure` says why
    the code isn't gone, with Seam's words; empty while the deletion is under way.
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

    `removal` is there once Seam was asked to delete it. `update_attempt_id` names Seam's action attempt of the last
    change of its times that Seam accepted; empty where there was none, or it has arrived. `update_failure` has Seam's
    words where that attempt has failed. `replaced_at` is when a person had it replaced: no booking
    takes it over again. `delete_at` is when Seam is to be asked to delete such a code; None until another code has
    taken its place.
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
    """One door of a booking; not `wanted` once a later revision left it out.

    A stay that is split into consecutive codes has one of these for each: `part` counts them from 1, and is 0 for a
    stay that one code serves. `key` names it within its booking.

    `planned_revision` is the revision that `state` answers to; a newer one of the booking means: plan again. `due_at`
    is when the door is looked at next. `attempts` counts failed tries since the last success. `residual` are codes of
    earlier revisions that open the door until they end. `asked` is the window that a code was last asked for. While it
    `is_muted`, the reason is not for people yet. `check_in`/`check_out` are instants, once the lock's zone is known.
    `name` and `time_zone` may be as others last knew the door, while it can't be read.
    `drift` says how the door was changed under a code that exists. `pin_changed_at` is when Seam last replaced the PIN
    of the current code, `pin_revealed_at` when somebody last read it. `last_code_id` is the access code that the door
    had last, and `new_code_at` when another one took its place. `same_pin_as` is the replaced access code that has the
    very PIN of the current code. While it waits for want of a slot, `offers` are those
    that a person may choose; `choice` is the one that somebody chose. Where the code's problem only repeats an error of
    the door or its account, `inherited` is Seam's code of that error.
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
    """A problem that people are to be told (`raised`) or told to forget (not `raised`).

    `choices` are slots of the door `door_key` that a person may choose, and `choose` is the command that takes the
    nearest; `solved` says who did what, once it is over.
    `wall_check_in` is what the lock's clock shows at check-in while nobody knows its zone; `check_in` is the earliest
    moment that this can be then, and for haste alone.
    `inherited` is Seam's code of the error of the door or its account that the problem only repeats: an alert of the
    door or the account inhibits this one.
    `code` is when the door's access code works; `earlier_code` is when one of an earlier revision opens the door too.
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
    """A booking as the ledger has it. `outbox` is what is still to be told; telling it empties it.

    `is_forgotten` once its personal parts are gone.

    `revision` grows with every message that is applied, and fences decisions. `revision_offset` is how far it is ahead
    of the highest one that a message gave; None where no message gave one. `newest_entry` is the stream entry of the
    newest message, `cancelled_entry` that of a cancellation without a revision: what arrived before it is cancelled.
    `seen_contents` are hashes of remembered messages and of what each said (`content_entry`).
    `asked` is what the newest message asked for, as the JSON of its fields (`asked_of`); "" where that isn't known.

    `version` is that of the ledger's record that this value was read from, or written as; not part of the record.
    `schema` is the version of this very class, as the record was written.
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
    """What a transition makes of a booking: its new value and the lines its history gains.

    Not `is_news`: something was noted in the record, and nothing is to be done for the booking.
    """

    booking: Booking
    history: tuple[HistoryEntry, ...] = ()
    is_news: bool = True
