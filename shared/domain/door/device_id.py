"""A Seam device id: a UUID, in small letters. Seam gives every device one (Seam API reference, `device_id`: uuid)."""

import re
from typing import Final

from shared.domain.quoting import quoted

RIGHT_DEVICE_ID: Final = "give the device_id as Seam shows it, a UUID such as 11111111-1111-1111-1111-444444444444"
# Only the spelling is checked: the ids in Seam's own examples have no valid version or variant. `uuid.UUID` isn't used,
# because it also accepts braces, `urn:uuid:` and missing hyphens, which Seam doesn't.
DEVICE_ID_PATTERN: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID: Final = re.compile(DEVICE_ID_PATTERN, re.IGNORECASE | re.ASCII)


class NotADeviceId(ValueError):
    """The text is no device id; the error's own text says so in one printable line, without a full stop."""


def device_id_of(text: str) -> str:
    """Return the device id in small letters, as Seam writes it. Raises NotADeviceId."""
    if _UUID.fullmatch(text) is None:
        raise NotADeviceId(f"{quoted(text)} is not a UUID")
    return text.lower()
