# ruff: noqa: RUF001, E501 - words of many scripts, some of them wide
"""The meaning of a status: a cancellation in any words is never taken for a booking."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.booking_message_redaction import without_secrets
from shared.domain.messages.parked_kind import kind_said
from shared.domain.messages.parse import parse_booking_message
from shared.domain.messages.refused import refused_message
from shared.domain.messages.status_words import Meaning, is_status_word, meaning_of, plain_text, status_key
from tests.domain.booking_messages import booking, envelope, problems_of

CANCELLED = [
    "отменено", "Отменён", "ОТМЕНА", "аннулировано", "скасовано", "キャンセル", "ｷｬﾝｾﾙ", "キャンセル済み", "予約取消",
    "取り消し", "已取消", "取消", "預訂已取消", "취소", "예약 취소", "취소됨", "Ακυρώθηκε", "ακύρωση", "İPTAL", "iptal edildi",
    "IPTAL", "ıptal", "מבוטל", "בוטלה", "ملغي", "ملغى", "إلغاء", "ยกเลิก", "रद्द", "đã huỷ", "dibatalkan", "törölve",
    "anulată", "otkazano", "ＣＡＮＣＥＬＬＥＤ", "can\u200bcelled", "bookingCancelled", "Booking cancelled by guest", "com.acme.booking.canceled",
    "Stornierung bestätigt", "confirmed cancellation", "annule\u0301e", "zrušená", "anulowana",
]  # fmt: skip
GONE = ["refunded", "Released", "release", "no show", "No-Show", "NOSHOW", "not confirmed", "not_confirmed", "UNCONFIRMED",
        "called off", "booking.refunded", "expired"]  # fmt: skip
STANDS = [
    "confirmed", "CONFIRMED", "new", "booked", "booking.created", "reservation.updated.v2", "com.acme.reservation.created",
    "checked_in", "CheckedIn", "checked in", "In House", "in-house", "DueOut", "ownerStay", "newReservation", "Started",
    "Processed", "guaranteed", "bestätigt", "bestaetigt", "BESTÄTIGT", "confirmée", "confirme\u0301e", "confirmada", "Nuova",
    "bevestigd", "подтверждено", "確定", "予約確定", "已确认", "확정", "ONAYLANDI", "onaylandı", "επιβεβαιωμένη", "מאושר",
    "مؤكد", "vacation", "reservation", "", "  ", "urn:acme:booking:updated", "https://acme.example/booking/created",
]  # fmt: skip
UNKNOWN = [
    "pending", "tentative", "inquiry", "optional", "requested", "waitlist", "x9", "7", "-", "Y", "not", "yet to be confirmed",
    "αβγ", "เสร็จ", "confirmed.not", "booking.frobnicated", "acme.frobnicated", "confirmed?no", "con\u0441ellato", "x" * 100_000,
    "confirmed " * 1_000,
]  # fmt: skip
OF_THE_BOOKING = [
    "status", "Status", "booking_status", "reservationStatus", "state", "type", "kind", "event", "event_type", "eventType",
    "Event-Name", "action", "operation", "change", "messageType", "статус", "ステータス", "estado", "x-event-type", "ce_type",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        pytest.param(text, meaning, id=f"{text[:40]!r}")
        for meaning, texts in (
            (Meaning.CANCELLED, CANCELLED), (Meaning.GONE, GONE), (Meaning.STANDS, STANDS), (Meaning.UNKNOWN, UNKNOWN)
        )
        for text in texts
    ],
)  # fmt: skip
def test_what_a_word_says(text: str, meaning: Meaning) -> None:
    """In any case, width and composition of the letters."""
    assert meaning_of(text) is meaning
    if "\u0130" not in text and "\u0131" not in text:  # those have other capitals in Turkish than elsewhere
        for form in ("NFC", "NFD"):
            assert meaning_of(unicodedata.normalize(form, text)) is meaning


@pytest.mark.parametrize("name", OF_THE_BOOKING)
def test_an_unknown_status_makes_no_booking(name: str) -> None:
    """Bare, as data, beside the data: the problem says how to send it if the booking stands, and how to cancel."""
    for raw in (booking(**{name: "x9"}), envelope(data=booking(**{name: "x9"}))):
        (problem,) = problems_of(raw)
        assert (problem.field, problem.wrong) == (name, "'x9' isn't known to say that the booking stands")
        assert "write confirmed, or set BOOKING_STATUS_WORDS" in problem.right
        assert '"type": "booking.cancelled"' in problem.right
        assert kind_said(json.dumps(raw)) == "booking"
        assert refused_message(json.dumps(raw), [problem]).kind == "booking"
        assert parse_booking_message(raw, {"x9"}).booking_id == "BK-1001"
        for word in ("confirmed", None, "", True):
            known = json.loads(json.dumps(raw).replace('"x9"', json.dumps(word)))
            assert parse_booking_message(known).booking_id == "BK-1001"
        (gone,) = problems_of(json.loads(json.dumps(raw).replace('"x9"', '"已取消"')))
        assert "says that the booking is cancelled" in gone.wrong
    cancellation = envelope(type="booking.cancelled", data={"booking_id": "BK-1001", name: "x9"})
    assert parse_booking_message(cancellation).type == "booking.cancelled"


NOT_KNOWN: list[tuple[dict[str, Any], str]] = [
    ({"status": 7}, "status"),
    ({"status": False}, "status"),
    ({"status": ["confirmed", "x9"]}, "status"),
    ({"status": ["cancelled", "confirmed"]}, "status"),
    ({"status": {"id": 3, "name": "x9"}}, "status"),
    ({"status": {"code": "4821"}}, "status"),
    ({"state": "Nevada"}, "state"),
    ({"reservation": {"status": "x9"}}, "reservation.status"),
    ({"event": {"type": "x9"}}, "event.type"),
    ({"event": {"payload": {"reservation": {"state": "x9"}}}}, "event.payload.reservation.state"),
]


@pytest.mark.parametrize(("fields", "path"), NOT_KNOWN, ids=str)
def test_values_that_are_no_text_are_unknown(fields: dict[str, Any], path: str) -> None:
    """A number, a list, an object; within the booking, too."""
    (problem,) = problems_of(booking(**fields))
    assert problem.field == path
    assert "isn't known to say that the booking stands" in problem.wrong


@pytest.mark.parametrize(
    ("fields", "path", "told"),
    [
        ({"status_code": {"a": "x"}}, "status_code", "a value that is not kept (it may be a PIN)"),
        ({"statusCode": "OK-3"}, "statusCode", "a value that is not kept (it may be a PIN)"),
        ({"status": {"code": {"a": "x"}}}, "status", "an object"),
        ({"booking": {"status": {"code": "4821"}}}, "booking.status", "an object"),
    ],
    ids=str,
)
def test_a_status_that_was_removed_is_unknown(fields: dict[str, Any], path: str, told: str) -> None:
    """What may be a PIN is taken out before the message is read: that something was removed says nothing."""
    text = without_secrets(json.dumps(booking(**fields)))
    (problem,) = problems_of(text)
    assert (problem.field, problem.wrong) == (path, f"{told} isn't known to say that the booking stands")
    assert kind_said(text) == "booking"


def test_words_within_a_status_that_was_removed_count() -> None:
    """A cancellation stays one, and what stands stands."""
    cancelled = without_secrets(json.dumps(booking(status={"code": {"name": "cancelled", "id": "4821"}})))
    assert "4821" not in cancelled
    assert kind_said(cancelled) == "cancellation"
    stands = without_secrets(json.dumps(booking(status_code={"name": "confirmed"})))
    assert parse_booking_message(stands).booking_id == "BK-1001"


ENDS: list[dict[str, Any]] = [
    {"confirmed": False}, {"isConfirmed": "no"}, {"approved": 0}, {"released": True}, {"refunded_at": "2026-11-20"},
    {"no_show": True}, {"storniert": True}, {"Отменено": "yes"}, {"キャンセル": 1}, {"subject": "cancelled"},
    {"subject": "bookings/BK-1001/cancelled"},
]  # fmt: skip


@pytest.mark.parametrize("fields", ENDS, ids=str)
def test_other_ways_to_say_that_a_booking_does_not_stand(fields: dict[str, Any]) -> None:
    """Flags, and the subject of an envelope."""
    for raw in (booking(**fields), envelope(**fields)):
        (problem,) = problems_of(raw)
        assert problem.right.startswith('send a CloudEvents envelope with "type": "booking.cancelled"')


HARMLESS: list[dict[str, Any]] = [
    {"payment_status": "x9"}, {"room_state": "dirty"}, {"previous_status": "x9"}, {"status_history": ["x9"]},
    {"guest": {"status": "x9"}}, {"address": {"state": "NV"}}, {"state": "NV", "country": "US"}, {"status": None},
    {"status": {}}, {"status": []}, {"status": {"id": 3, "name": "Confirmed", "at": "2026-11-20"}}, {"status": ["confirmed"]},
    {"subject": "BK-1001"}, {"subject": "x9"}, {"confirmed": True}, {"confirmed": None}, {"refunded": False},
    {"storniert": False}, {"event": {"id": 5, "name": "x9"}}, {"bookingType": "x9"}, {"room_type": "x9"},
    {"currency": "x9"}, {"cancellation": {"deadline": "2026-11-20"}}, {"storno": None}, {"statusText": "confirmed"},
]  # fmt: skip


@pytest.mark.parametrize("fields", HARMLESS, ids=str)
def test_a_status_of_something_else_is_ignored(fields: dict[str, Any]) -> None:
    """A plain booking has no status, and is always accepted."""
    for raw in (booking(**fields), envelope(data=booking(**fields))):
        assert parse_booking_message(raw).booking_id == "BK-1001"


@given(st.text())
@example("\u0130")
def test_any_text_has_a_meaning(text: str) -> None:
    """However it is written; blanks around it and its composition change nothing."""
    assert meaning_of(text) is meaning_of(f" {text} ") or len(text) > 78
    assert plain_text(text) == plain_text(unicodedata.normalize("NFD", text))


@given(
    st.sampled_from(CANCELLED[:30]),
    st.sampled_from([*STANDS[:20], *UNKNOWN[:8]]),
    st.sampled_from([" ", "_", "-", "/", ": "]),
)
def test_no_further_word_turns_a_cancellation_into_a_booking(cancelled: str, other: str, between: str) -> None:
    """Whatever else the text says."""
    assert meaning_of(f"{other}{between}{cancelled}") is Meaning.CANCELLED
    assert meaning_of(f"{cancelled}{between}{other}") is Meaning.CANCELLED


def test_a_system_s_own_words_are_compared_like_others() -> None:
    """Without case, accents, blanks and hyphens; also a number."""
    own = {status_key(word) for word in ("Auf-Anfrage", "7")}
    assert [meaning_of(word, own) for word in ("auf anfrage", "AUF_ANFRAGE", "7", "anfrage")] == [
        *[Meaning.STANDS] * 3, Meaning.UNKNOWN,
    ]  # fmt: skip


def test_no_word_for_a_status_is_taken_for_a_pin() -> None:
    """Then it would not be known any more. A PIN or a name is no such word."""
    for word in ("confirmed", "已取消", "no show"):
        assert is_status_word(word)
        sent = json.dumps(booking(status={"code": word}))
        assert json.loads(without_secrets(sent)) == json.loads(sent)
    for secret in ("4821", "confirmed1", "hotel", "owner", "x9", ""):
        assert not is_status_word(secret)
