"""What the flags of a code allow, as a table."""

from typing import Any

import pytest

from shared.domain.code.changes import CodeFlags

REVOCABLE: list[Any] = [
    pytest.param({}, False, id="nothing said"),
    pytest.param({"is_cancellable": True}, True, id="cancellable"),
    pytest.param({"is_overridable": True}, True, id="overridable"),
    pytest.param({"is_cancellable": True, "is_overridable": True}, True, id="both"),
    pytest.param({"is_extendable": True, "is_early_checkin_able": True}, False, id="only its times may move"),
]


@pytest.mark.parametrize(("flags", "may_be"), REVOCABLE)
def test_whether_deleting_is_worth_a_try(flags: dict[str, bool], *, may_be: bool) -> None:
    """If either flag is true, it is tried: Seam may still refuse."""
    assert CodeFlags(**flags).may_be_revoked is may_be
