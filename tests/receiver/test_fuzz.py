"""Whatever is sent, the answer is one of the contract's: never a 5xx while the data server is well."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shared.domain.messages.parse import parse_booking_message
from shared.seam_event_redaction import mask_digits
from shared.settings import Settings
from tests.receiver.web import TOKEN, Web, booking_of, event_of, running, settings_for, signed
from tests.support.hostile import JSON, TEXTS, examples, mutated, spelled
from tests.support.server import DataServer

HEADER_VALUES = st.binary(max_size=60).map(lambda raw: raw.translate(None, b"\r\n\0"))
NAMES = st.sampled_from(
    [
        *(f"{family}-{part}" for family in ("svix", "webhook") for part in ("id", "timestamp", "signature")),
        "content-length",
        "content-type",
        "authorization",
    ]
)
KEYS = st.sampled_from(
    ["event_id", "event_type", "access_code_id", "code", "from", "to", "property", "changed_properties", "occurred_at"]
)
LIMIT = Settings.model_fields["webhook_body_limit"].default
# An app that hangs costs seconds an example: the first failure is enough.
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
BOOKING_KEYS = st.sampled_from(
    ["booking_id", "revision", "device_ids", "unit", "check_in", "check_out", "time_zone", "label", "slot", "data"]
)


@pytest.fixture(scope="module")
def fuzzed(data_server: DataServer) -> Iterator[Web]:
    """Run one `web` for all examples."""
    with running(settings_for(data_server.url, rejection_limit=10**9)) as it:
        yield it


@given(body=st.binary(max_size=200), headers=st.lists(st.tuples(NAMES, HEADER_VALUES), max_size=8))
@settings(max_examples=examples(200))
def test_anything_unsigned_is_refused(fuzzed: Web, body: bytes, headers: list[tuple[str, bytes]]) -> None:
    """Any bytes under any headers: 401, or 413 where the declared length is over the limit."""
    raw = [(name.encode(), value) for name, value in headers]
    assert fuzzed.send("POST", "/webhooks/seam", body=body, headers=raw).status_code in (401, 413)


@given(event=st.dictionaries(KEYS, TEXTS | JSON, max_size=6), is_ours=st.booleans())
@settings(max_examples=examples(200), phases=UNSHRUNK)
def test_anything_signed_is_taken(fuzzed: Web, event: dict[str, Any], is_ours: bool) -> None:  # noqa: FBT001 - drawn
    """Any JSON that Seam could sign: 202 (413 if it is too large), and the next event is accepted too."""
    whole = event_of() | event if is_ours else event
    body = spelled(whole).encode()
    assert fuzzed.webhook(body).status_code == (202 if len(body) <= LIMIT else 413)
    assert fuzzed.webhook(event_of()).json() == {"status": "accepted"}


@given(text=st.text(max_size=200))
def test_any_signed_text_is_taken(fuzzed: Web, text: str) -> None:
    """Signed text that isn't JSON is parked, never refused."""
    body = text.encode()
    answer = fuzzed.send("POST", "/webhooks/seam", body=body, headers=signed(body))
    assert (answer.status_code, answer.json()) == (202, {"status": "parked"})


@given(body=st.binary(max_size=100) | st.dictionaries(BOOKING_KEYS, JSON).map(lambda it: spelled(it).encode()))
@settings(max_examples=examples(200))
def test_any_booking_is_answered(fuzzed: Web, body: bytes) -> None:
    """202 or 400, or 413 for what is too large; nothing else."""
    assert fuzzed.booking(body, token=TOKEN).status_code in (202, 400, 413)


BOOKING = booking_of()


@given(message=mutated(BOOKING))
@settings(max_examples=examples(200))
def test_any_nearly_good_booking_is_answered(fuzzed: Web, message: dict[str, Any]) -> None:
    """What is accepted can be read from the stream as what it was; what isn't is told why, in words."""
    answer = fuzzed.booking(spelled(message).encode(), token=TOKEN)
    assert answer.status_code in (202, 400, 413)
    if answer.status_code == 202:
        assert parse_booking_message(spelled(message)).booking_id == answer.json()["booking_id"]
    else:
        assert len(answer.text) < 100_000


NASTY = st.sampled_from(["1 1 1 ", "1-", "12 3. ", "a1b2", "1" * 50 + "x", "deadbeef-", "\t1", "1.1.1 x", "0-0-0-"])


@given(parts=st.lists(NASTY, min_size=1, max_size=4))
@settings(max_examples=examples(20))
def test_masking_takes_no_longer_than_reading(parts: list[str]) -> None:
    """No text makes the search for PINs slow: time grows with length alone."""
    text = ("".join(parts) * 100_000)[: 256 * 1024]
    before = time.monotonic()
    mask_digits(text)
    assert time.monotonic() - before < 1
