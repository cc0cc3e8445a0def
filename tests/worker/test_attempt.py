"""One try to deliver: its answer, or why it failed, as a value."""

from datetime import timedelta

from worker.alerts.attempt import attempt
from worker.alerts.channel import NotDelivered

WAIT = timedelta(seconds=30)


def test_a_delivery_returns_its_answer() -> None:
    """Nothing is logged as a bug."""
    crashes: list[str] = []
    assert attempt(lambda: "ok", crashed=lambda: crashes.append("x")) == "ok"
    assert crashes == []


def test_a_refusal_keeps_its_reason_and_pause() -> None:
    """They decide when the next try is; a refusal is no bug."""
    crashes: list[str] = []

    def refuse() -> str:
        raise NotDelivered("HTTP 429", retry_after=WAIT)

    reason = attempt(refuse, crashed=lambda: crashes.append("x"))
    assert isinstance(reason, NotDelivered)
    assert (str(reason), reason.retry_after, crashes) == ("HTTP 429", WAIT, [])


def test_a_bug_is_a_failed_try_and_logged_once() -> None:
    """The error's text may contain anything, so only its class is told."""
    crashes: list[str] = []

    def crash() -> str:
        raise KeyError("739158")

    reason = attempt(crash, crashed=lambda: crashes.append("x"))
    assert isinstance(reason, NotDelivered)
    assert (str(reason), reason.retry_after, crashes) == ("KeyError", None, ["x"])
