"""Device ids: a UUID in lower case; nothing that only a lenient parser would accept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.door.device_id import NotADeviceId, device_id_of

ID = "f23721ec-6dce-4c54-8971-40d58449a366"


@given(st.uuids(), st.booleans())
def test_every_uuid_is_read_in_lower_case(uuid: object, in_capitals: bool) -> None:  # noqa: FBT001 - drawn
    """Of any version, in any spelling."""
    text = str(uuid)
    assert device_id_of(text.upper() if in_capitals else text) == text


def test_seams_own_example_is_one() -> None:
    """It has neither version nor variant."""
    assert device_id_of("11111111-1111-1111-1111-444444444444") == "11111111-1111-1111-1111-444444444444"


OTHERS = {
    "empty": "",
    "a name": "front-door",
    "a number": "101",
    "no hyphens": ID.replace("-", ""),
    "braces": f"{{{ID}}}",
    "an URN": f"urn:uuid:{ID}",
    "a blank before": f" {ID}",
    "a line break behind": f"{ID}\n",
    "one digit more": f"{ID}0",
    "one digit less": ID[:-1],
    "no hex digit": f"g{ID[1:]}",
    "a digit of another script": f"\u0663{ID[1:]}",
    "two": f"{ID} {ID}",
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS.keys())
def test_others_are_not(text: str) -> None:
    """With a reason in one printable line."""
    with pytest.raises(NotADeviceId, match="is not a UUID") as refused:
        device_id_of(text)
    assert str(refused.value).isprintable()
