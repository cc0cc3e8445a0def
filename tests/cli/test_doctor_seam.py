"""What the doctor finds at Seam: webhooks, doors and accounts, by tables; and all of it over a client."""

import json
from typing import Any

import httpx
import pytest

from shared.domain.code.event_types import NEEDED_TYPES
from shared.domain.door.door import door_from_device
from shared.domain.door.issues import Issue, issues_of_account
from shared.domain.stay.stay import UnitRules
from shared.seam.accounts import Accounts
from shared.seam.client import SeamClient
from tests.domain.building import device, vendor_slot
from tests.worker.seam import client_on
from worker.cli.doctor_seam import account, door, seam, webhook
from worker.cli.findings import Finding

HERE = "https://codes.example.com/webhooks/seam"
SLOT = vendor_slot("16:00", "10:00")
LOST = {"error_code": "account_disconnected", "message": "Log in.", "is_connected_account_error": True}
MISMATCH = {"warning_code": "time_zone_mismatch", "message": "The zones differ."}
THIRD_PARTY = {"warning_code": "third_party_integration_detected", "message": "Another system."}
UNAPPROVED = {"warning_code": "dormakaba_sites_unapproved", "message": "Wait for us."}
OF_ACCOUNT = issues_of_account({"errors": [LOST], "warnings": [UNAPPROVED]})

WEBHOOKS: list[Any] = [
    pytest.param([], "bad", "none ends in /webhooks/seam", id="none"),
    pytest.param([{"url": "https://other.example.com/"}], "bad", "none ends", id="another's"),
    pytest.param(["?", None, {"url": HERE}], "ok", HERE, id="all types, since it names none"),
    pytest.param([{"url": HERE, "event_types": ["*"]}], "ok", HERE, id="all types"),
    pytest.param([{"url": HERE, "event_types": sorted(NEEDED_TYPES)}], "ok", HERE, id="all that are needed"),
    pytest.param(
        [{"url": HERE, "event_types": [each for each in NEEDED_TYPES if each.startswith("access_code.")]}],
        "warn",
        "does not send connected_account.",
        id="none of doors and accounts",
    ),
    pytest.param(
        [{"url": HERE, "event_types": ["access_code.created"]}], "bad", "access_code.changed", id="too few of codes"
    ),
    pytest.param(
        [
            {"url": HERE, "event_types": [each for each in NEEDED_TYPES if each.startswith("access_code.")]},
            {"url": HERE, "event_types": [each for each in NEEDED_TYPES if not each.startswith("access_code.")]},
        ],
        "ok",
        HERE,
        id="two, that are enough together",
    ),
]


@pytest.mark.parametrize(("listed", "verdict", "text"), WEBHOOKS)
def test_webhooks(listed: list[Any], verdict: str, text: str) -> None:
    """One leads here and sends what we need; types of codes that lack are bad, others a warning."""
    found = webhook(listed)
    assert (found.verdict, text in found.text) == (verdict, True), found
    assert bool(found.remedy) == (verdict != "ok")


def judged(*of_account: Issue, **fields: Any) -> Finding:
    """Return what is found of a door."""
    known: dict[str, Any] = {"connected_account_id": "a-1"}
    return door(door_from_device(device(SLOT, **(known | fields))), of_account)


def test_a_door_without_issues_is_well() -> None:
    """As before."""
    found = judged()
    assert (found.verdict, found.text, found.issues) == ("ok", "1 slot(s), America/Los_Angeles", ())
    quiet = judged(warnings=[{"warning_code": "device_has_flaky_connection"}])
    assert (quiet.verdict, len(quiet.issues)) == ("ok", 1)


BLOCKED: list[Any] = [
    pytest.param({"warnings": [MISMATCH]}, "bad", "codes may work at the wrong hour", id="a warning that blocks"),
    pytest.param({"errors": [{"error_code": "device_removed"}]}, "bad", "was removed", id="removed"),
    pytest.param(
        {"errors": [{"error_code": "new", "message": "Hm."}]}, "bad", "Seam says: new: Hm", id="unknown error"
    ),
    pytest.param({"warnings": [{"warning_code": "new"}]}, "warn", "Seam says: new", id="unknown warning"),
    pytest.param({"warnings": [THIRD_PARTY]}, "warn", "another system", id="a warning that does not"),
    pytest.param({"errors": [LOST]}, "bad", "lost its connection", id="the account's, which could not be read"),
]


@pytest.mark.parametrize(("fields", "verdict", "text"), BLOCKED)
def test_a_door_in_trouble(fields: dict[str, Any], verdict: str, text: str) -> None:
    """What blocks is bad; the remedy says what is to be done."""
    found = judged(**fields)
    assert (found.verdict, text.lower() in found.text.lower()) == (verdict, True), found
    assert found.remedy
    assert len(found.issues) == 1


def test_a_door_of_an_account_in_trouble_is_not_well() -> None:
    """What the account's own finding says at length is only named at its doors."""
    found = judged(*OF_ACCOUNT, errors=[LOST])
    assert found.verdict == "bad"
    assert found.text == "its account a-1 has account_disconnected, dormakaba_sites_unapproved"
    assert found.remedy == "see the account above"
    both = judged(*OF_ACCOUNT, errors=[LOST], warnings=[MISMATCH])
    assert "wrong hour" in both.text
    assert "its account a-1" in both.text


def test_slots_and_issues_are_told_together() -> None:
    """One line a door."""
    found = door(door_from_device(device(warnings=[THIRD_PARTY])), ())
    assert found.verdict == "warn"
    assert "another system" in found.text.lower()
    assert "has no time slots" in found.text


def answering(account_answer: httpx.Response, *devices: dict[str, Any]) -> SeamClient:
    """Return a client of a Seam with these devices."""

    def answer(request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/webhooks/list":
                return httpx.Response(200, json={"webhooks": [{"url": HERE}]})
            case "/devices/list":
                return httpx.Response(200, json={"devices": list(devices)})
            case "/connected_accounts/get":
                asked.append(json.loads(request.content))
                return account_answer
            case _:
                return httpx.Response(404)

    asked: list[Any] = []
    client = client_on(httpx.MockTransport(answer))
    client.asked = asked  # type: ignore[attr-defined]
    return client


def shown(**fields: Any) -> httpx.Response:
    """Return Seam's answer for an account."""
    return httpx.Response(200, json={"connected_account": {"connected_account_id": "a-1", **fields}})


def test_each_account_is_read_once() -> None:
    """However many doors it has; what is wrong with it is said at length once."""
    devices = [device(SLOT, device_id=f"d-{number}", connected_account_id="a-1") for number in range(3)]
    client = answering(shown(warnings=[UNAPPROVED]), *devices, device(SLOT, device_id="d-9"))
    found = list(seam(client, {}))
    assert client.asked == [{"connected_account_id": "a-1"}]  # type: ignore[attr-defined]
    (of_account,) = [each for each in found if each.subject == "account a-1"]
    assert of_account.verdict == "bad"
    assert "not approved yet" in of_account.text
    assert "support@getseam.com" in of_account.remedy
    assert [each.verdict for each in found if each.subject.startswith("door ")] == ["bad", "bad", "bad", "ok"]


NOT_SHOWN: list[Any] = [
    pytest.param(httpx.Response(404, json={"error": {"type": "not_found", "message": "No endpoint"}}), id="unknown"),
    pytest.param(httpx.Response(401, json={"error": {"type": "unauthorized", "message": "no"}}), id="unauthorized"),
    pytest.param(httpx.Response(403, json={"error": {"type": "forbidden", "message": "no"}}), id="forbidden"),
    pytest.param(httpx.Response(500), id="Seam fails"),
    pytest.param(httpx.Response(200, json={"connected_account": []}), id="no account"),
    pytest.param(shown(connected_account_id="a-2"), id="another account"),
]


@pytest.mark.parametrize("answer", NOT_SHOWN)
def test_an_account_that_cannot_be_read_is_said(answer: httpx.Response) -> None:
    """And nothing else breaks: its doors are judged by what they say themselves."""
    found = account("a-1", Accounts(answering(answer)))
    assert found.verdict == "warn"
    assert found.text.startswith("can't be read: ")
    lines = list(seam(answering(answer, device(SLOT, connected_account_id="a-1")), {}))
    assert [each.verdict for each in lines] == ["ok", "warn", "ok"]


def test_an_account_that_was_deleted_is_bad() -> None:
    """Connecting it again is the remedy, whatever the key may read."""
    gone = httpx.Response(404, json={"error": {"type": "connected_account_not_found", "message": "Gone"}})
    found = account("a-1", Accounts(answering(gone)))
    assert found.verdict == "bad"
    assert "no such connected account any more" in found.text


def test_a_door_of_the_doors_file_that_seam_does_not_list_is_bad() -> None:
    """It was removed, or the key is another workspace's: its guests get no code."""
    units = {"Three": UnitRules(unit="Three", device_ids=("d-1", "d-3"))}
    lines = list(seam(answering(shown(), device(SLOT, device_id="d-1")), units))
    assert [(each.subject, each.verdict) for each in lines if "d-3" in each.subject] == [("door d-3", "bad")]
    assert "unit Three" in next(each.text for each in lines if "d-3" in each.subject)
    assert [each.verdict for each in lines if "d-1" in each.subject] == ["ok"]


def test_json_has_the_issues() -> None:
    """Kind, code, message, words, and whether it blocks."""
    issues: Any = judged(warnings=[MISMATCH]).as_json()["issues"]
    (issue,) = issues
    assert set(issue) == {"kind", "code", "message", "words", "blocks"}
    assert (issue["kind"], issue["blocks"]) == ("door warning", True)
