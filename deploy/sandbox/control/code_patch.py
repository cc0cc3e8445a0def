"""The body of ``PATCH /sandbox/access_codes/{id}``: what shall happen to a code from outside."""

from datetime import timedelta
from typing import Literal

from pydantic import AwareDatetime, NonNegativeFloat

from deploy.sandbox.devices.spec import CodeFlags
from deploy.sandbox.models import StrictModel

Simulation = Literal[
    "set",
    "modified_external",
    "deleted_external",
    "removed",
    "failed_to_set",
    "failed_to_issue",
    "provider_issue",
    "access_code_inactive",
    "duplicate_code_on_device",
    "no_space",
    "delay_in_setting",
    "delay_in_issuing",
    "converted_to_unmanaged",
    "code_changed",
    "time_frame_changed",
]


class CodePatch(StrictModel):
    """A simulation and its details.

    `code`, `starts_at` and `ends_at` are what the simulated change sets. `set_again_seconds` is how long Seam takes to
    undo a change; by default as in the settings.
    """

    simulate: Simulation | None = None
    code: str | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    message: str | None = None
    code_flags: CodeFlags | None = None
    is_external_modification_allowed: bool | None = None
    set_again_seconds: NonNegativeFloat | None = None

    @property
    def set_again_after(self) -> timedelta | None:
        """How long Seam takes to undo a change; None: as in the settings."""
        return None if self.set_again_seconds is None else timedelta(seconds=self.set_again_seconds)
