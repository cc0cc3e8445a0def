"""How a code moves from phase to phase, and which events tell of it.

``unset`` until it is programmed (at creation, or some time before its start: Seam's "Access Codes" page says about an
hour for locks without native scheduling), then ``setting``, ``set``, and after its end ``removing`` and gone. Every
phase but the last has a due time, which is stored with the code: a restarted sandbox goes on.

While the door or its account has an error, Seam can't change codes on the door: they wait, and go on once it is
cleared. What the device refuses (`Behaviour.updates_fail`, `Behaviour.removals_fail`) is tried again after
`Settings.set_again_seconds`.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from deploy.sandbox.clock import Clock
from deploy.sandbox.codes.changes import emit_changed, emit_requested
from deploy.sandbox.codes.codes import Code, Codes, Phase
from deploy.sandbox.codes.errors import MESSAGES, with_error, without_errors
from deploy.sandbox.codes.events import CodeEvents
from deploy.sandbox.codes.objects import mutation
from deploy.sandbox.devices.context import DeviceContexts
from deploy.sandbox.devices.spec import Behaviour
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.scheduler import Scheduler
from deploy.sandbox.settings import CurrentSettings

_ON_THE_LOCK = {Phase.SET, Phase.UPDATING, Phase.REMOVING}
# What Seam has to do at the door to go on.
_NEEDS_THE_DOOR = {Phase.UNSET, Phase.SETTING, Phase.UPDATING, Phase.REMOVING}
_REMOVAL_ERRORS = ("failed_to_remove_from_device", "failed_to_delete")


class Lifecycle:
    """Moves codes on when they are due."""

    def __init__(
        self,
        *,
        codes: Codes,
        contexts: DeviceContexts,
        events: CodeEvents,
        scheduler: Scheduler,
        settings: CurrentSettings,
        clock: Clock,
    ) -> None:
        """Bind what a move needs."""
        self._codes = codes
        self._contexts = contexts
        self._events = events
        self._scheduler = scheduler
        self._settings = settings
        self._clock = clock

    def resume(self) -> None:
        """Schedule the stored codes again."""
        for code in self._codes.everything():
            self._schedule(code)

    def start(self, code: Code) -> Code:
        """Begin the life of a new code."""
        self.save(code)
        self._events.emit(code, "created")
        emit_requested(self._events, code, code.mutations)
        return code

    def save(self, code: Code) -> Code:
        """Store a changed code and schedule its next move."""
        self._codes.put(code)
        self._schedule(code)
        return code

    @property
    def step(self) -> timedelta:
        """How long a step takes now."""
        return timedelta(seconds=self._settings.current.step_seconds)

    @property
    def set_again_after(self) -> timedelta:
        """How long Seam waits before it tries again."""
        return timedelta(seconds=self._settings.current.set_again_seconds)

    def advance(self, access_code_id: str) -> None:
        """Make the next move of a code, if it is due."""
        code = self._codes.find(access_code_id)
        now = self._clock()
        if code is None or code.phase is Phase.GONE or code.due_at > now:
            return
        context = self._contexts.of(code.device_id)
        behaviour = context.door.behaviour if context.door else Behaviour()
        is_over = code.ends_at <= now
        if code.phase in {Phase.UNSET, Phase.SETTING} and is_over:
            self.remove(code)
        elif code.phase in _NEEDS_THE_DOOR and context.errors and not is_over:
            self._wait_for_the_door(code, now)
        elif code.phase is Phase.UPDATING and behaviour.updates_fail and not is_over:
            self._try_again(code, "failed_to_update", now)
        elif code.phase is Phase.REMOVING and behaviour.removals_fail:
            self._try_again(code, "failed_to_delete" if is_over else "failed_to_remove_from_device", now)
        else:
            self._move_on(code, now)

    def _move_on(self, code: Code, now: datetime) -> None:
        match code.phase:
            case Phase.UNSET:
                self.save(replace(code, phase=Phase.SETTING, due_at=now + self.step, mutations=(_creating(now),)))
            case Phase.SETTING if code.failure:
                self.mark_failed(code, code.failure)
            case Phase.SETTING | Phase.UPDATING:
                self.mark_set(code)
            case Phase.SET:
                self.start_removal(code)
            case Phase.FAILED | Phase.REMOVING | Phase.GONE:
                self.remove(code)

    def wake(self, device_id: str) -> None:
        """Let the codes go on that waited for the door."""
        due_at = self._clock() + self.step
        for code in self._codes.of_door(device_id):
            if code.phase in _NEEDS_THE_DOOR and code.due_at > due_at and not _is_deferred(code):
                self.save(replace(code, due_at=due_at))

    def mark_set(self, code: Code) -> Code:
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
        self.save(done)
        if code.phase is Phase.UPDATING:
            emit_changed(self._events, done, code.mutations)
        else:
            self._events.emit(done, "set_on_device", code=done.pin)
        return done

    def mark_failed(self, code: Code, error_code: str, message: str | None = None) -> Code:
        """Let a code not get set; it stays, with the error, until its end."""
        text = message or MESSAGES.get(error_code, error_code)
        failed = with_error(code, error_code, self._clock(), text)
        failed = self.save(replace(failed, phase=Phase.FAILED, due_at=code.ends_at))
        self._events.emit_with_issues(failed, "failed_to_set_on_device")
        return failed

    def start_removal(self, code: Code) -> Code:
        """Start to take a code off the lock."""
        now = self._clock()
        deleting = mutation("deleting", now, "Seam is removing the access code from the device.")
        removing = replace(code, phase=Phase.REMOVING, due_at=now + self.step, mutations=(deleting,))
        return self.save(removing)

    def set_again(self, code: Code, after: timedelta | None = None) -> Code:
        """Let Seam try to set a code again that isn't on the lock as it should be."""
        now = self._clock()
        wait = self.set_again_after if after is None else after
        due_at = min(now + wait, code.ends_at)
        return self.save(replace(code, phase=Phase.SETTING, due_at=due_at, mutations=(_creating(now),)))

    def remove(self, code: Code) -> Code:
        """Take a code off the lock: from here on Seam answers 404 for it."""
        code = without_errors(code, _REMOVAL_ERRORS)
        gone = replace(code, phase=Phase.GONE, gone_at=self._clock(), mutations=())
        self.save(gone)
        if not code.is_managed:
            self._events.emit(gone, "unmanaged.removed")
            return gone
        if code.phase in _ON_THE_LOCK:
            self._events.emit(gone, "removed_from_device")
        self._events.emit(gone, "deleted", code=gone.shown_pin)
        return gone

    def forget(self, code: Code) -> Code:
        """Delete a code at Seam alone: the lock keeps it."""
        gone = self.save(replace(code, phase=Phase.GONE, gone_at=self._clock(), mutations=()))
        self._events.emit(gone, "deleted", code=gone.shown_pin)
        return gone

    def _wait_for_the_door(self, code: Code, now: datetime) -> None:
        waiting = replace(code, due_at=min(now + self.set_again_after, code.ends_at))
        if _is_deferred(code):
            # It is due: from here on it waits for the door, no longer for its time.
            waiting = replace(waiting, mutations=(_creating(now),))
        self.save(waiting)

    def _try_again(self, code: Code, error_code: str, now: datetime) -> None:
        """Show that the device refused a change, and schedule the next try; the event tells of the first refusal."""
        is_known = any(error["error_code"] == error_code for error in code.errors)
        refused = code if is_known else with_error(code, error_code, now)
        self.save(replace(refused, due_at=now + self.set_again_after))
        if not is_known:
            self._events.emit_with_issues(refused, error_code)

    def _schedule(self, code: Code) -> None:
        if code.phase is not Phase.GONE:
            self._scheduler.call_at(code.due_at, partial(self.advance, code.access_code_id))


def _creating(now: datetime) -> JsonObject:
    return mutation("creating", now, "Seam is setting the access code on the device.")


def _is_deferred(code: Code) -> bool:
    return any(entry["mutation_code"] == "deferring_creation" for entry in code.mutations)
