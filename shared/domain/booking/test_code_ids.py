"""How the booking of a test code is recognised: by its id. No guest has it (`oracode codes test`). Pure."""

import re
from typing import Final

_TEST_CODE: Final = re.compile(r"TEST-.+-[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9a-f]{8}")


def is_test_code(booking_id: str) -> bool:
    """Say whether the booking is a test code. The person who made it was told which stays it overlaps."""
    return _TEST_CODE.fullmatch(booking_id) is not None
