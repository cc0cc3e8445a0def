"""What survives ``kill -9``, and that the sandbox goes on where it was."""

import signal
from pathlib import Path

import pytest

from deploy.sandbox.__main__ import main
from tests.sandbox.harness import Receiver, Sandbox
from tests.support.waiting import wait_until


def test_everything_goes_on_after_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    """Doors, codes in mid-step, events, webhooks, undelivered messages, faults, alerts, requests."""
    data = tmp_path / "sandbox.sqlite"
    killed = Sandbox("--step", "0.5", "--retry-scale", "0", data=data)
    webhook = killed.arrange("PUT", "/sandbox/webhook", {"url": "http://127.0.0.1:9/closed"})
    killed.arrange("POST", "/sandbox/delivery", {"hold": True})
    device_id = killed.door(name="Kept")
    code = killed.created(device_id)
    killed.fault("devices.get", "error_before", times=2)
    killed.api.get("/devices/get", params={"device_id": device_id})
    killed.control.post("/alerts/slack", json={"text": "kept"})
    killed.end(signal.SIGKILL)

    with Sandbox(data=data) as risen:
        stats = risen.look("/sandbox/stats")
        assert stats["settings"]["step_seconds"] == 0.5
        assert stats["by_path_and_status"]["/devices/get"] == {"500": 1}
        assert len(risen.look("/alerts.json")["alerts"]) == 1
        [fault] = risen.look("/sandbox/faults")["faults"]
        assert (fault["fired"], fault["is_spent"]) == (1, False)
        again = risen.arrange("PUT", "/sandbox/webhook", {"url": receiver.url})
        assert again["secret"] == webhook["secret"]
        risen.wait_for_status(code["access_code_id"], "set")
        types = ["created", "mutations_requested", "set_on_device"]
        assert risen.event_types(code["access_code_id"]) == types
        wait_until(lambda: len(risen.look("/sandbox/deliveries")["deliveries"]) == 3)
        assert risen.arrange("POST", "/sandbox/delivery/release") == {"released": 3}
        wait_until(lambda: len(receiver.received) == 3)
        answers = [risen.create(device_id).status_code for _ in range(10)]
        assert answers == [*[200] * 9, 429]


def test_issues_and_overrides_survive_a_kill(tmp_path: Path) -> None:
    """Errors of doors and accounts, what was changed through the API, codes found on a lock, action attempts."""
    data = tmp_path / "sandbox.sqlite"
    killed = Sandbox("--step", "0.02", "--set-again", "0.1", data=data)
    device_id = killed.door(code_flags={"is_overridable": True}, override_budget=1)
    asked = {"device_id": device_id}
    code_id = killed.wait_for_status(killed.created(device_id)["access_code_id"], "set")["access_code_id"]
    killed.ask("/access_codes/update", access_code_id=code_id, name="BK-2")
    wait_until(lambda: not killed.code(code_id)["pending_mutations"])
    killed.ask("/devices/update", **asked, name="Renamed")
    killed.ask("/access_codes/simulate/create_unmanaged_access_code", **asked, code="4711", name="Cleaner")
    killed.arrange("POST", f"/sandbox/devices/{device_id}/issues", {"code": "device_disconnected"})
    waiting = killed.created(device_id)["access_code_id"]
    paths = ("/devices/get", "/access_codes/unmanaged/list")
    known = [killed.ask(path, **asked) for path in paths]
    killed.end(signal.SIGKILL)

    with Sandbox(data=data) as risen:
        assert [risen.ask(path, **asked) for path in paths] == known
        assert len(risen.ask("/action_attempts/list", **asked)["action_attempts"]) == 3
        assert risen.code(code_id)["dormakaba_oracode_metadata"]["is_overridable"] is False
        assert risen.code(waiting)["code"] is None
        risen.arrange("DELETE", f"/sandbox/devices/{device_id}/issues/device_disconnected")
        risen.wait_for_status(waiting, "set")


def test_replaced_pin_is_a_secret_for_ever(tmp_path: Path) -> None:
    """Leak tests must find what was handed out before the restart, too."""
    data = tmp_path / "sandbox.sqlite"
    killed = Sandbox(data=data)
    code = killed.created(killed.door(pin_at_create=True))
    change = {"simulate": "code_changed", "code": "777777"}
    killed.arrange("PATCH", f"/sandbox/access_codes/{code['access_code_id']}", change)
    killed.end(signal.SIGKILL)
    with Sandbox(data=data) as risen:
        assert {code["code"], "777777"} <= set(risen.look("/sandbox/secrets")["pins"])


def test_pending_delivery_is_tried_after_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    """A message whose endpoint was away keeps its id over the restart."""
    data = tmp_path / "sandbox.sqlite"
    killed = Sandbox("--retry-scale", "0.1", data=data)
    killed.arrange("PUT", "/sandbox/webhook", {"url": "http://127.0.0.1:9/closed"})
    killed.arrange("POST", "/sandbox/events", {"event_type": "custom.event"})

    def tried() -> str | None:
        [delivery] = killed.look("/sandbox/deliveries")["deliveries"]
        return str(delivery["message_id"]) if delivery["attempts"] else None

    message_id = wait_until(tried)
    killed.arrange("PUT", "/sandbox/webhook", {"url": receiver.url})
    killed.end(signal.SIGKILL)
    with Sandbox(data=data):
        [got] = wait_until(lambda: receiver.received)
    assert got.headers["svix-id"] == message_id


@pytest.mark.parametrize(("variable", "text"), [("SANDBOX_STEP", "-1"), ("SANDBOX_DATA", "/dev/null/no.sqlite")])
def test_unusable_options_end_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, text: str
) -> None:
    """Exit code 2 and a line that says why."""
    monkeypatch.setenv(variable, text)
    assert main([]) == 2
    assert "sandbox:" in capsys.readouterr().err
