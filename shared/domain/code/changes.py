"""What may be done to an access code that exists, by the code's own flags.

An Oracode code can, as a rule, be neither changed nor deleted (Seam docs, "Programming Offline Access Codes on
Dormakaba Oracode Locks"). Seam's newer schema puts flags on each code, `dormakaba_oracode_metadata.is_extendable` and
so on; where one is there and true, that change is possible. Whatever isn't said is not allowed.

No flag says for certain that a code can be taken back: `is_cancellable` means it, and an `is_overridable` one may be
revocable as well, as long as the lock's budget of overrides lasts (Seam's access grants warn of an "exhausted override
budget", `offline_access_code_not_revocable`; Seam types 1.1038). So either is tried, and Seam's refusal is read.
"""

from dataclasses import dataclass

from shared.domain.booking.record import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFlags:
    """What the provider lets be done to one code."""

    is_cancellable: bool = False
    is_extendable: bool = False
    is_early_checkin_able: bool = False
    is_overridable: bool = False

    @property
    def may_be_revoked(self) -> bool:
        """Whether it is worth asking to delete the code; Seam may refuse all the same."""
        return self.is_cancellable or self.is_overridable


def may_become(made: Window, wanted: Window, flags: CodeFlags) -> bool:
    """Say whether a code for `made` may be changed into one for `wanted`.

    Extending is a later end, early check-in an earlier start; everything else, shortening above all, is overriding.
    """
    if made == wanted or flags.is_overridable:
        return True
    start_may_move = wanted.starts_at == made.starts_at or (
        flags.is_early_checkin_able and wanted.starts_at < made.starts_at
    )
    end_may_move = wanted.ends_at == made.ends_at or (flags.is_extendable and wanted.ends_at > made.ends_at)
    return start_may_move and end_may_move
