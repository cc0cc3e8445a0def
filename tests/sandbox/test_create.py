"""``/access_codes/create`` over HTTP: every rule by which Seam takes or refuses an Oracode code."""

from typing import Any

import pytest

from tests.sandbox.harness import Sandbox, in_days


def test_code_takes_the_times_of_the_slot(sandbox: Sandbox) -> None:
    """Times within an hour are rounded; the answer has the slot's times, in UTC."""
    answer = sandbox.create(sandbox.door()).json()

    code = answer["access_code"]
    assert code["starts_at"] == in_days(2, "16:00:00.000", offset="Z")
    assert code["ends_at"] == in_days(5, "10:00:00.000", offset="Z")
    assert (code["status"], code["code"], code["type"]) == ("unset", None, "time_bound")
    assert code["is_offline_access_code"] is code["is_managed"] is True
    assert code["pending_mutations"][0]["mutation_code"] == "creating"
    assert code["dormakaba_oracode_metadata"]["user_level_name"] == "Guest"
    assert answer["ok"] is True
    assert answer["action_attempt"]["action_type"] == "CREATE_ACCESS_CODE"
    assert answer["action_attempt"]["status"] == "pending"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts_at": ...}, "starts_at"),
        ({"ends_at": ...}, "ends_at"),
        ({"starts_at": "2030-01-01T16:00:00"}, "starts_at"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"starts_at": "2020-01-01T16:00:00Z", "ends_at": "2020-01-03T10:00:00Z"}, "ends_at"),
        ({"ends_at": in_days(1, "10:00:00")}, "ends_at"),
        ({"code": "1234"}, "code"),
        ({"max_time_rounding": "2h"}, "max_time_rounding"),
        ({"is_offline_access_code": "true"}, "is_offline_access_code"),
        ({"name": 7}, "name"),
        ({"device_id": ...}, "device_id"),
    ],
)
def test_bad_parameter_is_named(sandbox: Sandbox, change: dict[str, Any], field: str) -> None:
    """400 ``invalid_input`` with the parameter under ``validation_errors``."""
    answer = sandbox.create(**{"device_id": sandbox.door(), **change})

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_input"
    assert error["validation_errors"][field]["_errors"]
    assert answer.json()["ok"] is False


@pytest.mark.parametrize(
    ("spec", "body", "message"),
    [
        ({}, {"starts_at": in_days(2, "14:59:00")}, "no time slots found"),
        ({}, {"max_time_rounding": "1day"}, "no time slots found"),
        ({}, {"ends_at": in_days(40, "10:00:00")}, "31 consecutive days"),
        ({"slots": []}, {}, "no time slots found"),
        ({"offline_codes": False}, {}, "does not support offline"),
        ({"offline_codes": None}, {}, "does not support offline"),
        ({}, {"is_offline_access_code": ...}, "only supports offline"),
    ],
)
def test_provider_refuses(sandbox: Sandbox, spec: dict[str, Any], body: dict[str, Any], message: str) -> None:
    """400 ``invalid_input``; the message is all that tells the cases apart."""
    device_id = sandbox.door(**spec)
    answer = sandbox.create(device_id, **body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_input"
    assert message in answer.json()["error"]["message"]
    assert sandbox.codes(device_id) == []


def test_daily_slot_covers_the_stay(sandbox: Sandbox) -> None:
    """``1d`` rounds outward to a 24-hour slot."""
    noon = {"name": "24h", "check_in": "12:00", "check_out": "12:00", "is_24_hour": True}
    code = sandbox.created(
        sandbox.door(slots=[noon]),
        starts_at=in_days(2, "00:00:00"),
        ends_at=in_days(4, "23:59:00"),
        max_time_rounding="1d",
    )
    assert code["starts_at"] == in_days(1, "12:00:00.000", offset="Z")
    assert code["ends_at"] == in_days(5, "12:00:00.000", offset="Z")


def test_unknown_device(sandbox: Sandbox) -> None:
    """404 ``device_not_found``."""
    answer = sandbox.create("99999999-0000-4000-8000-000000000000")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "device_not_found")


def test_same_call_twice_makes_two_codes(sandbox: Sandbox) -> None:
    """There is no idempotency key, and a name may occur twice."""
    device_id = sandbox.door()
    first, second = sandbox.created(device_id), sandbox.created(device_id)
    assert first["access_code_id"] != second["access_code_id"]
    assert len(sandbox.codes(device_id)) == 2


def test_eleventh_create_in_a_minute_is_too_many(sandbox: Sandbox) -> None:
    """Ten creates a minute and door; other doors don't mind; refused ones count."""
    device_id = sandbox.door()
    answers = [sandbox.create(device_id, code="1234" if n else ...) for n in range(11)]

    assert [answer.status_code for answer in answers] == [200, *[400] * 9, 429]
    assert answers[-1].json()["error"]["type"] == "rate_limit_exceeded"
    assert "retry-after" not in answers[-1].headers
    assert sandbox.create(sandbox.door()).status_code == 200


def test_retry_after_where_the_door_says_so(sandbox: Sandbox) -> None:
    """The header isn't documented, so it is an option."""
    device_id = sandbox.door(retry_after_on_429=7)
    answers = [sandbox.create(device_id) for _ in range(11)]
    assert answers[-1].headers["retry-after"] == "7"


def test_rate_limits_can_be_switched_off(sandbox: Sandbox) -> None:
    """For benchmarks on one door."""
    sandbox.arrange("POST", "/sandbox/settings", {"rate_limits": False})
    try:
        device_id = sandbox.door()
        assert {sandbox.create(device_id).status_code for _ in range(15)} == {200}
    finally:
        sandbox.arrange("POST", "/sandbox/settings", {"rate_limits": True})


def test_pins_of_a_door_differ(sandbox: Sandbox) -> None:
    """Six digits, unique per door."""
    device_id = sandbox.door(pin_at_create=True)
    pins = [sandbox.created(device_id)["code"] for _ in range(10)]
    assert len(set(pins)) == 10
    assert all(len(pin) == 6 and pin.isdecimal() for pin in pins)
