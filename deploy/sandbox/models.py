"""What the bodies of the control endpoints have in common."""

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


class StrictModel(BaseModel):
    """A body in which every unknown field is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, KeyError) as problem:
        raise ValueError(f"unknown time zone {name!r}") from problem
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]
Probability = Annotated[float, Field(ge=0, le=1)]
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_uuid(text: str) -> bool:
    """Whether a text has the form of an id that Seam gives."""
    return _UUID.fullmatch(text) is not None


def _uuid(text: str) -> str:
    if not is_uuid(text):
        raise PydanticCustomError("uuid", "Invalid uuid")
    return text


Uuid = Annotated[str, AfterValidator(_uuid)]
