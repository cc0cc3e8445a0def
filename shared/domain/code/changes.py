"""Which changes of an existing access code are possible, by the code's own flags.

An Oracode code can, as a rule, be neither changed nor deleted (Seam docs, "Programming Offline Access Codes on
Dormakaba Oracode Locks"). Seam's newer schema puts flags on each code, `dormakaba_oracode_metadata.is_extendable` and
so on; if a flag is there and true, that change is possible. Any other change isn't allowed.

No flag says for certain that a code can be deleted. `is_cancellable` means it. An `is_overridable` code may be
revocable, too, as long as the lock's budget of overrides lasts (Seam's access grants warn of an "exhausted override
budget", `offline_access_code_not_revocable`; Seam types 1.1038). So if one is true, deleting is tried, and Seam may
refuse.
"""

from dataclasses import dataclass

from shared.domain.booking.record import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFlags:
    """The changes that the lock's provider allows for one code."""

    is_cancellable: bool = False
    is_extendable: bool = False
    is_early_checkin_able: bool = False
    is_overridable: bool = False

    @property
    def may_be_revoked(self) -> bool:
        """Whether it is worth asking to delete the code; Seam may still refuse."""
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
