"""What the client makes of real failures on a real connection, and whether the call had its effect."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.booking.record import Window
from shared.seam.access_codes import AccessCodes
from shared.seam.client import SeamClient
from shared.seam.errors import OutcomeUnknown, RateLimited, Refused, SeamError, Unauthorized, Unreachable, Unreadable
from tests.sandbox.harness import API_KEY, Sandbox, in_days
from tests.worker.machine import kept

CREATE, LIST = "access_codes.create", "access_codes.list"
PATIENCE = timedelta(seconds=0.3)


def codes_at(sandbox: Sandbox, *, api_key: str = API_KEY, url: str | None = None) -> AccessCodes:
    """Return calls to the sandbox by a client with short time-outs."""
    return AccessCodes(kept(SeamClient(endpoint=url or sandbox.url, api_key=api_key, answer_within=PATIENCE)))


def create(codes: AccessCodes, device_id: str) -> Any:
    """Ask for a code in the usual slot."""
    window = Window(*(datetime.fromisoformat(each) for each in (in_days(2, "16:00:00"), in_days(5, "10:00:00"))))
    return codes.create(device_id=device_id, name="BK-1", window=window, max_time_rounding="1hour")


CREATES: list[Any] = [
    pytest.param("refuse", {}, Refused, 0, id="refused"),
    pytest.param("rate_limit", {"retry_after": 3}, RateLimited, 0, id="too many"),
    pytest.param("error_before", {}, OutcomeUnknown, 0, id="500 before"),
    pytest.param("error_after", {}, OutcomeUnknown, 1, id="500 after"),
    pytest.param("timeout_before", {}, OutcomeUnknown, 0, id="no answer, not done"),
    pytest.param("timeout_after", {}, OutcomeUnknown, 1, id="no answer, done"),
    pytest.param("disconnect_before", {}, OutcomeUnknown, 0, id="cut off before"),
    pytest.param("disconnect_after", {}, OutcomeUnknown, 1, id="cut off after"),
    pytest.param("truncated", {}, OutcomeUnknown, 1, id="half an answer"),
    pytest.param("garbage", {}, OutcomeUnknown, 1, id="garbage"),
    pytest.param("html_502", {}, OutcomeUnknown, 0, id="a proxy's page"),
    pytest.param("slow", {"seconds": 1}, OutcomeUnknown, None, id="too slow"),
]


@pytest.mark.parametrize(("kind", "more", "error", "made"), CREATES)
def test_creates(sandbox: Sandbox, kind: str, more: dict[str, Any], error: type[SeamError], made: int | None) -> None:
    """In doubt if it may have happened; sent once in every case."""
    door = sandbox.door()
    sandbox.fault(CREATE, kind, device_id=door, **more)
    with pytest.raises(error) as raised:
        create(codes_at(sandbox), door)
    asked = sandbox.look("/sandbox/requests", device_id=door, path="/access_codes/create")["requests"]
    assert len(asked) <= 1
    if made is not None:
        assert len(sandbox.codes(door)) == made
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after == timedelta(seconds=3)


READS: list[Any] = [
    pytest.param("error_before", Unreachable, id="500"),
    pytest.param("timeout_before", Unreachable, id="no answer"),
    pytest.param("disconnect_before", Unreachable, id="cut off"),
    pytest.param("truncated", Unreachable, id="half an answer"),
    pytest.param("html_502", Unreachable, id="a proxy's page"),
    pytest.param("garbage", Unreadable, id="garbage"),
    pytest.param("refuse", Refused, id="refused"),
    pytest.param("rate_limit", RateLimited, id="too many"),
]


@pytest.mark.parametrize(("kind", "error"), READS)
def test_reads(sandbox: Sandbox, kind: str, error: type[SeamError]) -> None:
    """The caller can repeat a failed read: it never means doubt."""
    door = sandbox.door()
    sandbox.fault(LIST, kind, device_id=door)
    codes = codes_at(sandbox)
    with pytest.raises(error):
        codes.on_door(door)
    assert codes.on_door(door).reports == ()


def test_a_refused_connection(sandbox: Sandbox) -> None:
    """Nothing was sent, so there is no doubt."""
    codes = codes_at(sandbox, url="http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        create(codes, "d0000000-0000-0000-0000-000000000001")
    with pytest.raises(Unreachable):
        codes.get("c-1")


def test_a_key_that_is_not_accepted(sandbox: Sandbox) -> None:
    """The error is the same for every call, until a person corrects the key."""
    codes = codes_at(sandbox, api_key="another")
    with pytest.raises(Unauthorized):
        create(codes, sandbox.door())
    with pytest.raises(Unauthorized):
        codes.get("c-1")


def test_an_outage(sandbox: Sandbox) -> None:
    """503 for every call; a create is in doubt even then."""
    codes, door = codes_at(sandbox), sandbox.door()
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    with pytest.raises(OutcomeUnknown):
        create(codes, door)
    with pytest.raises(Unreachable):
        codes.on_door(door)


def test_the_good_case(sandbox: Sandbox) -> None:
    """The new code is reported with its window and level, and found by its name; a deleted one is None."""
    codes, door = codes_at(sandbox), sandbox.door(pin_at_create=True)
    made = create(codes, door)
    assert (made.window.starts_at.hour, made.window.ends_at.hour, made.has_pin) == (16, 10, True)
    assert made.window.starts_at.utcoffset() == datetime.now(UTC).utcoffset()
    assert made.user_level_id
    (found,) = codes.on_door(door).of_booking("BK-1")
    assert found.access_code_id == made.access_code_id
    pin = sandbox.look("/sandbox/access_codes", device_id=door)["access_codes"][0]["pin"]
    assert pin not in repr(made) + repr(found)
    assert codes.get("c0000000-0000-0000-0000-000000000404") is None
