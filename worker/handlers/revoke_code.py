"""Takes an access code back at Seam, where its own flags say that it may work; says what came of it.

Deleting may be repeated without harm, so an answer that never came is simply tried again. What Seam refuses is not
asked again. A deletion that Seam accepts isn't done yet: the code counts as residual access until a look finds it gone
(`worker.handlers.check_removals`).
"""

from dataclasses import dataclass

import structlog

from shared.clock import Clock
from shared.domain.booking.record import AccessCode, Removal
from shared.domain.code.removal import deletion_accepted, deletion_refused
from shared.seam.access_codes import AccessCodes, CodeReport
from shared.seam.errors import NoSuchAccessCode, OutcomeUnknown, Refused, SeamError, Unreachable

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Revoked:
    """What came of taking a code back: `is_gone`, or not; then `removal` says how it stands, where Seam was asked."""

    is_gone: bool
    removal: Removal | None = None


KEPT = Revoked(is_gone=False)


class RevokeCode:
    """Asks Seam to delete codes. Idempotent."""

    def __init__(self, *, codes: AccessCodes, clock: Clock) -> None:
        self._codes = codes
        self._clock = clock

    def __call__(
        self, code: AccessCode, report: CodeReport | None, device_id: str, *, only_look: bool = False
    ) -> Revoked:
        """Ask Seam to delete the code where its flags say that it may do so. Raises TryAgainLater.

        `report` is how the code stands at Seam; None where Seam has it no more.
        """
        if report is None:
            # A code that Seam doesn't manage any more opens the door all the same.
            return Revoked(is_gone=not self._codes.is_unmanaged(code.access_code_id, device_id))
        was_asked = code.removal is not None and code.removal.asked
        if only_look or was_asked or not report.flags.may_be_revoked:
            return KEPT
        try:
            attempt_id = self._codes.delete(code.access_code_id).action_attempt_id
        except NoSuchAccessCode:
            return Revoked(is_gone=True)
        except OutcomeUnknown as unknown:
            raise Unreachable(str(unknown)) from unknown
        except Refused as refusal:
            log.warning("code.delete_refused", access_code_id=code.access_code_id, error=str(refusal))
            return Revoked(is_gone=False, removal=deletion_refused(str(refusal), self._clock()))
        return self._accepted(code, attempt_id, device_id)

    def _accepted(self, code: AccessCode, attempt_id: str, device_id: str) -> Revoked:
        """Look once at a code whose deletion Seam has accepted: it may be gone at once."""
        try:
            name = code.access_code_id
            is_gone = self._codes.get(name) is None and not self._codes.is_unmanaged(name, device_id)
        except SeamError:
            is_gone = False
        return (
            Revoked(is_gone=True)
            if is_gone
            else Revoked(is_gone=False, removal=deletion_accepted(attempt_id, self._clock()))
        )
