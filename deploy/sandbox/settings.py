"""The sandbox's settings: how fast it answers, how fast codes move, how soon webhooks are tried again."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat

from deploy.sandbox.store import Collection, Store

DEFAULT_API_KEY = "seam_sandbox_key"
_KEY = "current"


class Settings(BaseModel):
    """Every setting; durations in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    program_lead_seconds: NonNegativeFloat | None = Field(
        default=None,
        description="How long before its start a code is programmed; none: at once. Seam: 3600.",
    )
    step_seconds: NonNegativeFloat = Field(
        default=1.0, description="How long each step of a code's life takes (unset, setting, set)."
    )
    set_again_seconds: NonNegativeFloat = Field(
        default=60.0,
        description="How long Seam waits before it tries again what the device didn't take, or what was undone there.",
    )
    latency_seconds: NonNegativeFloat = Field(
        default=0.0, description="How long each API call takes: half before its effect, half after."
    )
    retry_scale: NonNegativeFloat = Field(
        default=1.0, description="Factor on the pauses of the webhook retry schedule."
    )
    rate_limits: bool = Field(default=True, description="Whether the limits per minute and device are enforced.")
    retry_after_on_429: NonNegativeFloat | None = Field(
        default=None,
        description="Retry-After of a 429 in seconds; none: no such header, as documented.",
    )


class CurrentSettings:
    """The settings as they are now; changed ones are remembered."""

    def __init__(self, store: Store) -> None:
        """Read what the store remembers."""
        self._kept = Collection(store, "settings", Settings)
        self.current = self._kept.get(_KEY) or Settings()

    def change(self, changes: dict[str, Any]) -> Settings:
        """Change some settings.

        Raises:
            pydantic.ValidationError: an unknown setting or an impossible value.

        """
        self.current = Settings.model_validate({**self.current.model_dump(), **changes})
        self._kept.put(_KEY, self.current)
        return self.current
