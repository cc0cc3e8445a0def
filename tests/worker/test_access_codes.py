"""Codes as Seam returns them: read without the PIN, found again by name, refused if they can't be read."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shared.domain.seam_issues import ModifiedField, SeamIssue
from shared.seam.access_codes import AccessCodes, is_name_of, name_of
from shared.seam.errors import OutcomeUnknown, Unreadable
from tests.shared.stories import WINDOW
from tests.worker.seam import answering, client_on

CODE: dict[str, Any] = {
    "access_code_id": "c-1",
    "device_id": "d0000000-0000-0000-0000-000000000001",
    "name": "BK-1 | Suite",
    "code": "739158",
    "starts_at": "2036-12-01T16:00:00.000Z",
    "ends_at": "2036-12-05T10:00:00.000Z",
    "status": "setting",
    "errors": [{"error_code": "provider_issue", "message": "PIN 739158 is taken"}],
    "warnings": [],
    "pending_mutations": [{"mutation_code": "creating"}],
    "dormakaba_oracode_metadata": {"user_level_id": "level-1"},
}


def reading(code: Any) -> Any:
    """Read one code that looks like this."""
    return AccessCodes(answering(200, json.dumps({"access_code": code}))).get("c-1")


def test_a_report_holds_everything_but_the_pin() -> None:
    """`has_pin` says that there is one; Seam's texts are masked."""
    report = reading(CODE)
    assert (report.access_code_id, report.user_level_id, report.has_pin) == ("c-1", "level-1", True)
    assert (report.pending, report.errors) == (("creating",), (SeamIssue("provider_issue", "PIN ###### is taken"),))
    assert "739158" not in repr(report)


def test_a_change_outside_of_seam_has_its_kind_and_its_fields() -> None:
    """Of the values only times are read: another one may be a PIN."""
    fields = [
        {"field": "code", "from": "739158", "to": "739159"},
        {"field": "ends_at", "from": "2036-12-05T10:00:00.000Z", "to": "2036-12-04T11:00:00+01:00"},
        {"field": "starts_at", "to": "739157"},
        {"field": "name", "to": "2036-12-04T10:00:00Z"},
        *({"field": "code_at", "to": odd} for odd in ("739156", None, 7, ["739156"], "2036-12-04T10:00:00")),
    ]
    code = "external_modification_in_effect"
    warning = {"warning_code": code, "message": "Hm.", "change_type": "modified", "modified_fields": fields}
    report = reading(CODE | {"warnings": [warning, {"warning_code": "of_tomorrow", "change_type": None}]})
    changed = (
        ModifiedField("code"),
        ModifiedField("ends_at", datetime(2036, 12, 4, 10, tzinfo=UTC)),
        ModifiedField("starts_at"),
        ModifiedField("name"),
        *[ModifiedField("code_at")] * 5,
    )
    assert report.warnings == (SeamIssue(code, "Hm.", "modified", changed), SeamIssue("of_tomorrow"))
    assert "73915" not in repr(report)


@pytest.mark.parametrize("fields", [None, "code", {}, [], ["739158"], [{}], [{"field": None}], [{"field": 739158}]])
def test_changed_fields_that_cannot_be_read(fields: Any) -> None:
    """Seam's schema lets them be missing; malformed ones hide nothing else of the code."""
    error = {"error_code": "conflicting_external_modification", "message": "Hm.", "modified_fields": fields}
    report = reading(CODE | {"errors": [error]})
    assert report.errors == (SeamIssue("conflicting_external_modification", "Hm."),)


SPARSE: list[Any] = [
    pytest.param({"status": None}, id="status null"),
    pytest.param({"errors": None, "warnings": None, "pending_mutations": None}, id="lists null"),
    pytest.param({"dormakaba_oracode_metadata": None}, id="metadata null"),
    pytest.param({"dormakaba_oracode_metadata": {}}, id="metadata empty"),
    pytest.param({"name": None, "code": None}, id="no name, no PIN"),
    pytest.param({"starts_at": None, "ends_at": None, "type": "ongoing"}, id="no times"),
    pytest.param({"something_new": {"deep": [1]}}, id="more than we know"),
]


@pytest.mark.parametrize("changed", SPARSE)
def test_what_seam_may_leave_out(changed: dict[str, Any]) -> None:
    """Optional fields may be missing, and new ones are ignored."""
    assert reading(CODE | changed).access_code_id == "c-1"


BROKEN: list[Any] = [
    pytest.param(None, id="no code"),
    pytest.param([], id="a list"),
    pytest.param("c-1", id="a text"),
    pytest.param({}, id="empty"),
    *(
        pytest.param(CODE | changed, id=str(changed))
        for changed in (
            {"access_code_id": None},
            {"access_code_id": ""},
            {"device_id": 7},
            {"starts_at": "tomorrow"},
            {"starts_at": ""},
            {"ends_at": "2036-12-05T10:00:00"},
            {"pending_mutations": [7]},
            {"pending_mutations": "creating"},
            {"errors": ["oops"]},
            {"dormakaba_oracode_metadata": "oops"},
        )
    ),
]


@pytest.mark.parametrize("code", BROKEN)
def test_what_cannot_be_read(code: Any) -> None:
    """A read may be repeated; after a create the same answer means doubt. Neither error quotes the answer."""
    with pytest.raises(Unreadable) as unreadable:
        reading(code)
    assert "739158" not in str(unreadable.value)
    codes = AccessCodes(answering(200, json.dumps({"access_code": code})))
    with pytest.raises(OutcomeUnknown):
        codes.create(
            device_id="d0000000-0000-0000-0000-000000000001", name="BK-1", window=WINDOW, max_time_rounding="1hour"
        )


def pages(*contents: list[Any], endless: bool = False) -> AccessCodes:
    """Return a Seam that lists these pages."""

    def handle(request: httpx.Request) -> httpx.Response:
        number = int(json.loads(request.content).get("page_cursor", 0))
        is_last = not endless and number + 1 == len(contents)
        pagination = {"next_page_cursor": None if is_last else str(number + 1)}
        return httpx.Response(
            200, json={"access_codes": contents[number % len(contents)], "pagination": pagination}
        )  # fmt: skip

    return AccessCodes(client_on(httpx.MockTransport(handle)))


def test_every_page_is_read() -> None:
    """A code that is missed would be made a second time."""
    others = [CODE | {"access_code_id": f"x-{number}", "name": "BK-2"} for number in range(3)]
    found = pages(others, [], [CODE]).on_door("d0000000-0000-0000-0000-000000000001").of_booking("BK-1")
    assert [report.access_code_id for report in found] == ["c-1"]


def test_endless_pages_are_an_error() -> None:
    """An error, not a loop."""
    with pytest.raises(Unreadable, match="never end"):
        pages([CODE], endless=True).on_door("d0000000-0000-0000-0000-000000000001").of_booking("BK-1")


def test_codes_that_do_not_belong_to_the_booking_are_left_out() -> None:
    """Codes of other doors (a fake of Seam ignores the device), ongoing codes, codes of other bookings."""
    listed = [
        CODE | {"device_id": "d0000000-0000-0000-0000-000000000002"},
        CODE | {"name": "BK-10"},
        CODE | {"starts_at": None, "ends_at": None, "type": "ongoing"},
        CODE | {"name": None},
    ]
    assert pages(listed).on_door("d0000000-0000-0000-0000-000000000001").of_booking("BK-1") == []


def test_an_answer_without_a_list() -> None:
    """Nothing is concluded from it; least of all that there is no code."""
    with pytest.raises(Unreadable):
        AccessCodes(answering(200, '{"access_codes": null}')).on_door(
            "d0000000-0000-0000-0000-000000000001"
        ).of_booking("BK-1")


NAMES = [
    #            name         booking   is its name
    pytest.param("BK-1", "BK-1", True, id="alone"),
    pytest.param("BK-1 | Suite", "BK-1", True, id="with a label"),
    pytest.param("BK-1 (moved)", "BK-1", False, id="changed by people"),
    pytest.param("BK-1 B", "BK-1", False, id="a word more"),
    pytest.param("BK-10", "BK-1", False, id="a longer number"),
    pytest.param("BK-1a", "BK-1", False, id="a letter more"),
    pytest.param("BK-1-2", "BK-1", False, id="a part"),
    pytest.param("BK-1.2", "BK-1", False, id="a version"),
    pytest.param("BK-1_2", "BK-1", False, id="an underscore"),
    pytest.param("BK-1/2", "BK-1", False, id="a slash"),
    pytest.param("bk-1", "BK-1", False, id="other letters"),
    pytest.param(" BK-1", "BK-1", False, id="a space before"),
    pytest.param("", "BK-1", False, id="no name"),
]


@pytest.mark.parametrize(("name", "booking_id", "is_it"), NAMES)
def test_which_booking_a_name_belongs_to(name: str, booking_id: str, *, is_it: bool) -> None:
    """The name starts with the booking's id, and the id ends there."""
    assert is_name_of(name, booking_id) is is_it


@pytest.mark.parametrize("label", [None, "", "Suite", "x" * 500], ids=["none", "empty", "short", "very long"])
def test_a_name_is_found_again(label: str | None) -> None:
    """For any label and any length of the id."""
    for booking_id in ("BK-1", "B" * 64):
        name = name_of(booking_id, label)
        assert is_name_of(name, booking_id)
        assert len(name) <= 120
