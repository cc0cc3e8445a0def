"""Settings: read once, checked as a whole, every problem by its name."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.settings import InvalidSettings, Settings, load_settings

# What a machine that runs the tests may have set.
AMBIENT = [name.upper() for name in Settings.model_fields] + ["ALERTS_FILE"]
KEY = "whsec_dGhlIHNlY3JldA=="
OTHER_KEY = "whsec_YW5vdGhlcg=="


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in AMBIENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def problems_of(monkeypatch: pytest.MonkeyPatch, require: tuple[str, ...] = (), **environment: str) -> dict[str, str]:
    """Return the problems of this environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as invalid:
        load_settings(require)
    return invalid.value.problems


def test_every_problem_is_named_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, malformed and unsupported settings are all named at once, so that they can be corrected in one go."""
    problems = problems_of(
        monkeypatch,
        ("SEAM_API_KEY", "REDIS_URL"),
        SEAM_WEBHOOK_SECRET="whsec_not base64!",
        REDIS_URL="http://elsewhere",
        SEAM_ENDPOINT="seam",
        CREATE_LEAD_TIME="soon",
        SLOT_PREFERENCE="best",
        DOORS_FILE="/does/not/exist",
        WEBHOOK_BODY_LIMIT="10",
        ALERTS_FILE="alerts.yml",
        PORT="0",
    )
    assert set(problems) == {
        "SEAM_API_KEY",
        "SEAM_WEBHOOK_SECRET",
        "REDIS_URL",
        "SEAM_ENDPOINT",
        "CREATE_LEAD_TIME",
        "SLOT_PREFERENCE",
        "DOORS_FILE",
        "WEBHOOK_BODY_LIMIT",
        "ALERTS_FILE",
        "PORT",
    }
    assert problems["SEAM_API_KEY"] == "is not set"
    assert "/does/not/exist" in problems["DOORS_FILE"]


def test_an_empty_value_is_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty webhook secret is a problem, never "no verification"."""
    problems = problems_of(monkeypatch, ("SEAM_WEBHOOK_SECRET", "REDIS_URL"), SEAM_WEBHOOK_SECRET="", REDIS_URL="")
    assert problems == {"SEAM_WEBHOOK_SECRET": "is not set", "REDIS_URL": "is not set"}


@pytest.mark.parametrize("blank", [" ", ",", " , ", "\t"], ids=repr)
def test_separators_alone_are_no_secret(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    """A value that holds no secret is as good as none."""
    assert "SEAM_WEBHOOK_SECRET" in problems_of(monkeypatch, ("SEAM_WEBHOOK_SECRET",), SEAM_WEBHOOK_SECRET=blank)


def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a setting has a default, empty is unset."""
    monkeypatch.setenv("CREATE_LEAD_TIME", "")
    assert load_settings().create_lead_time == timedelta(days=14)


@pytest.mark.parametrize("secret", ["whsec_", "not base64!", "whsec_a", f"{KEY} oops!"], ids=str)
def test_a_secret_that_is_no_key_is_refused(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """The library would drop what isn't base64 in silence, and then reject every webhook. It isn't repeated."""
    problems = problems_of(monkeypatch, SEAM_WEBHOOK_SECRET=secret)
    assert "whsec_" in problems["SEAM_WEBHOOK_SECRET"]
    assert secret not in problems["SEAM_WEBHOOK_SECRET"].replace("`whsec_`", "")


@pytest.mark.parametrize("written", [f"{KEY} {OTHER_KEY}", f"{KEY},{OTHER_KEY}", f" {KEY} ,\n{OTHER_KEY}, "], ids=repr)
def test_several_secrets(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """Separated by spaces or commas, as the contract says."""
    monkeypatch.setenv("SEAM_WEBHOOK_SECRET", written)
    secrets = load_settings().seam_webhook_secret
    assert [secret.get_secret_value() for secret in secrets] == [KEY, OTHER_KEY]


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("6h", timedelta(hours=6)),
        ("14d", timedelta(days=14)),
    ],
)
def test_durations(monkeypatch: pytest.MonkeyPatch, written: str, means: timedelta) -> None:
    """The four units of the contract."""
    monkeypatch.setenv("CREATE_LEAD_TIME", written)
    assert load_settings().create_lead_time == means


@pytest.mark.parametrize("written", ["14", "-1d", "1w", "1h30m", "d", "1e3s", "999999999999d"])
def test_what_is_no_duration(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """Anything else is a problem with a name, never an exception without one."""
    assert set(problems_of(monkeypatch, CREATE_LEAD_TIME=written)) == {"CREATE_LEAD_TIME"}


def test_no_setting_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither printed settings nor the text of an error hold keys, tokens or passwords."""
    monkeypatch.setenv("SEAM_API_KEY", "seam_tell_nobody")
    monkeypatch.setenv("REDIS_URL", "redis://:tell-nobody@host/0")
    monkeypatch.setenv("SEAM_WEBHOOK_SECRET", KEY)
    monkeypatch.setenv("BOOKING_TOKENS", "tell-nobody")
    monkeypatch.setenv("ALERT_URLS", "slack+https://hooks.example/tell-nobody")
    shown = repr(load_settings()) + str(load_settings())
    assert not any(secret in shown for secret in ("tell_nobody", "tell-nobody", KEY))


@pytest.mark.parametrize(
    "url", ["redis://:tell/nobody@host/0", "redis://:tell-nobody\u2100@host/0", "redis://[tell-nobody/0", "tell-nobody"]
)
def test_no_address_that_is_none_is_repeated(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The library's errors quote an address with its password; ours say what is wrong without it."""
    problems = problems_of(monkeypatch, REDIS_URL=url, CELERY_BROKER_URL=url, SEAM_ENDPOINT=f"https{url[5:]}")
    assert {"REDIS_URL", "CELERY_BROKER_URL"} <= set(problems)
    assert "tell" not in str(problems)


def test_all_secrets_of_the_settings_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The redaction gets each secret as it is, and also the passwords and keys inside addresses alone."""
    monkeypatch.setenv("SEAM_API_KEY", "seam_key")
    monkeypatch.setenv("SEAM_WEBHOOK_SECRET", f"{KEY} {OTHER_KEY}")
    monkeypatch.setenv("REDIS_URL", "redis://default:redis-password@host/0")
    monkeypatch.setenv("BOOKING_TOKENS", "token-1,token-2")
    monkeypatch.setenv("ALERT_URLS", f"slack+https://hooks.example/T1/B1/x webhook+https://{KEY}@host/path")
    secrets = set(load_settings().secrets)
    assert secrets >= {"seam_key", KEY, OTHER_KEY, KEY.removeprefix("whsec_"), "redis-password", "token-1", "token-2"}
    assert "/T1/B1/x" in secrets
    assert not secrets & {"host", "default", "/path", "/0", "https://connect.getseam.com", ""}


def test_a_stray_env_file_decides_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings come from the environment alone."""
    (tmp_path / ".env").write_text("PORT=1234\n")
    monkeypatch.chdir(tmp_path)
    assert load_settings().port == 8080


def test_settings_cannot_be_changed() -> None:
    """What was checked at start is what is used."""
    with pytest.raises(ValueError, match="frozen"):
        setattr(load_settings(), "port", 1)  # noqa: B010 - the type checker knows that it is read-only
