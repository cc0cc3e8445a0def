"""How a code moves from phase to phase, and which events tell of it.

``unset`` until it is programmed (at creation, or some time before its start: Seam's "Access Codes"
page says about an hour for locks without native scheduling), then ``setting``, ``set``, and after
its end ``removing`` and gone. Every phase but the last has a due time, which is stored with the
code: a restarted sandbox goes on.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from deploy.sandbox.agenda import Agenda
from deploy.sandbox.changes import announce, request
from deploy.sandbox.clock import Clock
from deploy.sandbox.code_objects import mutation
from deploy.sandbox.codes import Code, Codes, Phase
from deploy.sandbox.events import EventLog
from deploy.sandbox.settings import Dials
from deploy.sandbox.wire import JsonObject, instant

FAILURES = {
    "provider_issue": "The provider could not issue the access code: no time slots found.",
    "no_space_for_access_code_on_device": "No space is left for the access code on the device.",
    "failed_to_set_on_device": "Failed to set the access code on the device. Seam keeps trying.",
    "duplicate_code_on_device": "Another access code on the device has the same code.",
    "conflicting_external_modification": "The access code was changed outside of Seam.",
}
_ON_THE_LOCK = {Phase.SET, Phase.UPDATING, Phase.REMOVING}


class Lifecycle:
    """Moves codes on when they are due."""

    def __init__(self, codes: Codes, events: EventLog, agenda: Agenda, dials: Dials, clock: Clock) -> None:
        """Bind what a move needs."""
        self._codes = codes
        self._events = events
        self._agenda = agenda
        self._dials = dials
        self._clock = clock

    def resume(self) -> None:
        """Put the stored codes on the agenda again."""
        for code in self._codes.everything():
            self._remind(code)

    def admit(self, code: Code) -> Code:
        """Begin the life of a new code."""
        self.keep(code)
        self._events.emit_for(code, "created")
        request(self._events, code, code.mutations)
        return code

    def keep(self, code: Code) -> Code:
        """Store a changed code and see to it that its next move comes."""
        self._codes.put(code)
        self._remind(code)
        return code

    @property
    def step(self) -> timedelta:
        """How long a step takes now."""
        return timedelta(seconds=self._dials.current.step_seconds)

    def advance(self, access_code_id: str) -> None:
        """Make the next move of a code, if it is due."""
        code = self._codes.find(access_code_id)
        now = self._clock()
        if code is None or code.phase is Phase.GONE or code.due_at > now:
            return
        match code.phase:
            case Phase.UNSET:
                creating = mutation("creating", now, "Seam is setting the access code on the device.")
                due_at = now + self.step
                changed = replace(code, phase=Phase.SETTING, due_at=due_at, mutations=(creating,))
                self.keep(changed)
            case Phase.SETTING if code.ends_at <= now:
                self.remove(code)
            case Phase.SETTING if code.failure:
                self.fail(code, code.failure)
            case Phase.SETTING | Phase.UPDATING:
                self.settle(code)
            case Phase.SET:
                self.begin_removal(code)
            case Phase.FAILED | Phase.REMOVING:
                self.remove(code)

    def settle(self, code: Code) -> Code:
        """Let a code be set, with its PIN shown and nothing pending."""
        done = replace(
            code,
            phase=Phase.SET,
            is_pin_shown=True,
            mutations=(),
            errors=(),
            warnings=(),
            failure=None,
            due_at=code.ends_at,
        )
        self.keep(done)
        if code.phase is Phase.UPDATING:
            announce(self._events, done, code.mutations)
        else:
            self._events.emit_for(done, "set_on_device", code=done.pin)
        return done

    def fail(self, code: Code, error_code: str, message: str | None = None) -> Code:
        """Let a code not get set; it stays, with the error, until its end."""
        text = message or FAILURES.get(error_code, error_code)
        failed = replace(self.with_error(code, error_code, text), phase=Phase.FAILED, due_at=code.ends_at)
        self.keep(failed)
        self._events.emit_issue(failed, "failed_to_set_on_device")
        return failed

    def with_error(self, code: Code, error_code: str, message: str, **extra: object) -> Code:
        """Return the code with one more error of its own."""
        error: JsonObject = {
            "error_code": error_code,
            "message": message,
            "created_at": instant(self._clock()),
            "is_access_code_error": True,
            **extra,
        }
        return replace(code, errors=(*code.errors, error))

    def begin_removal(self, code: Code) -> Code:
        """Start to take a code off the lock."""
        now = self._clock()
        deleting = mutation("deleting", now, "Seam is removing the access code from the device.")
        removing = replace(code, phase=Phase.REMOVING, due_at=now + self.step, mutations=(deleting,))
        return self.keep(removing)

    def remove(self, code: Code) -> Code:
        """Take a code off the lock: from here on Seam answers 404 for it."""
        gone = replace(code, phase=Phase.GONE, gone_at=self._clock(), mutations=())
        self.keep(gone)
        if code.phase in _ON_THE_LOCK:
            self._events.emit_for(gone, "removed_from_device")
        self._events.emit_for(gone, "deleted", code=gone.shown_pin)
        return gone

    def _remind(self, code: Code) -> None:
        if code.phase is not Phase.GONE:
            self._agenda.add(code.due_at, partial(self.advance, code.access_code_id))
