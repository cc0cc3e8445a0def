"""Secrets in files: every secret setting can come so, and no problem repeats what a file holds."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.check import take_secret_files
from shared.settings import InvalidSettings, Settings, load_settings
from worker.alerts.alerts_file_values import _secret_from

KEY = "whsec_dGhlIHNlY3JldA=="
# A value of each secret setting that passes its checks.
VALUES = {
    "SEAM_WEBHOOK_SECRET": KEY,
    "REDIS_URL": "redis://:tell-nobody@host/0",
    "CELERY_BROKER_URL": "amqp://user:tell-nobody@host/vhost",
    "BOOKING_QUEUE_URL": "amqp://user:tell-nobody@host/vhost",
    "HEARTBEAT_URL": "https://hc-ping.com/tell-nobody",
    "CONSOLE_TOKENS": "ada:operator:tell-nobody-at-all-tell-nobody",
    "OUTCOME_WEBHOOK_URLS": f"https://{KEY}@host/path",
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in map(str.upper, Settings.model_fields):
        for spelled in (name, name.lower(), f"{name}_FILE"):
            monkeypatch.delenv(spelled, raising=False)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def held(path: Path, content: str | bytes) -> str:
    """Write a file and return its path."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def problems_of(require: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the problems of the environment as it is."""
    with pytest.raises(InvalidSettings) as invalid:
        load_settings(require)
    return invalid.value.problems


@pytest.mark.parametrize("name", Settings.secret_names())
@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=["no-newline", "newline", "windows"])
def test_every_secret_may_come_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, end: str) -> None:
    """The same settings as by the environment; the newline that an editor adds is no part of it."""
    value = VALUES.get(name, "tell-nobody")
    monkeypatch.setenv(name, value)
    by_environment = load_settings((name,))
    monkeypatch.delenv(name)
    monkeypatch.setenv(f"{name}_FILE", held(tmp_path / "secret", value + end))
    assert load_settings((name,)) == by_environment
    assert getattr(by_environment, name.lower())


def test_the_secrets_are_known() -> None:
    """A search that finds nothing proves nothing; and what is no secret is read from no file."""
    names = Settings.secret_names()
    assert {"SEAM_API_KEY", "SEAM_WEBHOOK_SECRET", "REDIS_URL", "BOOKING_TOKENS", "ALERT_URLS"} <= set(names)
    assert not {"PORT", "DOORS_FILE", "SEAM_ENDPOINT"} & set(names)


def test_both_given_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody guesses which of two secrets is meant; neither is repeated."""
    monkeypatch.setenv("SEAM_API_KEY", "tell-nobody")
    monkeypatch.setenv("SEAM_API_KEY_FILE", held(tmp_path / "key", "tell-nobody-else"))
    assert problems_of() == {"SEAM_API_KEY_FILE": "is set beside SEAM_API_KEY: set one of the two"}


@pytest.mark.parametrize(
    "content",
    [b"tell-nobody\xff", b"tell-nobody\0", b"tell-nobody" * 10_000],
    ids=["not-utf-8", "a-null-byte", "too-large"],
)
def test_a_file_that_holds_no_secret_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    """It is told by the setting's name, without a word of the file; that the secret is missing isn't told as well."""
    monkeypatch.setenv("SEAM_API_KEY_FILE", held(tmp_path / "key", content))
    problems = problems_of(("SEAM_API_KEY",))
    assert set(problems) == {"SEAM_API_KEY_FILE"}
    assert "tell" not in str(problems)


@pytest.mark.parametrize("path", ["/tell/nobody", "/", "whsec_tell-nobody", "tell-nobody" * 1000], ids=len)
def test_a_file_that_is_none_is_a_problem(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Nor is the path repeated: people put the secret itself there by mistake."""
    monkeypatch.setenv("SEAM_WEBHOOK_SECRET_FILE", path)
    problems = problems_of(("SEAM_WEBHOOK_SECRET",))
    assert set(problems) == {"SEAM_WEBHOOK_SECRET_FILE"}
    assert "tell" not in str(problems)


def test_an_empty_file_is_an_empty_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is optional is off, what is required is missing: as with an empty setting."""
    monkeypatch.setenv("BOOKING_TOKENS_FILE", held(tmp_path / "tokens", "\n"))
    monkeypatch.setenv("SEAM_API_KEY_FILE", held(tmp_path / "key", ""))
    assert load_settings().booking_tokens == ()
    assert problems_of(("SEAM_API_KEY",)) == {"SEAM_API_KEY": "is not set"}


def test_what_a_file_holds_is_checked_as_any_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A malformed secret is a problem of the setting, and isn't repeated."""
    monkeypatch.setenv("SEAM_WEBHOOK_SECRET_FILE", held(tmp_path / "secret", "tell nobody!"))
    problems = problems_of()
    assert set(problems) == {"SEAM_WEBHOOK_SECRET"}
    assert "nobody" not in str(problems)


def test_a_secret_of_the_alerts_file_may_come_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`token_env: SLACK_TOKEN` is served by SLACK_TOKEN_FILE as well."""
    monkeypatch.setenv("SLACK_TOKEN_FILE", held(tmp_path / "token", "xoxb-1\n"))
    assert _secret_from("SLACK_TOKEN") == "xoxb-1"
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-2")
    with pytest.raises(ValueError, match="SLACK_TOKEN_FILE is set beside SLACK_TOKEN"):
        _secret_from("SLACK_TOKEN")


def test_oracode_up_takes_them_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It decides by SEAM_API_KEY whether to start the sandbox: a key in a file counts."""
    monkeypatch.setenv("SEAM_API_KEY_FILE", held(tmp_path / "key", "seam_key\n"))
    monkeypatch.setenv("BOOKING_TOKENS_FILE", "/does/not/exist")
    take_secret_files()
    assert os.environ["SEAM_API_KEY"] == "seam_key"
    assert "SEAM_API_KEY_FILE" not in os.environ
    assert set(problems_of()) == {"BOOKING_TOKENS_FILE"}
