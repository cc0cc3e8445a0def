"""OUTCOME_WEBHOOK_URLS: which addresses may be used, and that no problem quotes one."""

import pytest

from shared.outcome_receivers import InvalidOutcomeUrls, outcome_receivers
from shared.settings import InvalidSettings, Settings

SECRET = "whsec_b2xkIHNlY3JldCBvZiB0aGUgdGVzdHM="


def test_an_address_is_taken_apart() -> None:
    """The name tells the host, and is the same with another secret; the secret is in neither name nor address."""
    (one,) = outcome_receivers([f"https://{SECRET}@pms.example:8443/hooks/7?x=1"])
    assert (one.url, one.secret) == ("https://pms.example:8443/hooks/7?x=1", SECRET)
    assert one.name.startswith("pms.example-")
    (same,) = outcome_receivers(["https://whsec_AAAA@pms.example:8443/hooks/7?x=1"])
    assert same.name == one.name
    assert SECRET not in f"{one} {one.name}"


@pytest.mark.parametrize("host", ["127.0.0.1:9", "[::1]:9", "localhost:9"])
def test_plain_http_reaches_this_machine(host: str) -> None:
    """For tests, and for a receiver beside the worker."""
    assert outcome_receivers([f"http://{SECRET}@{host}/x"])[0].url == f"http://{host}/x"


@pytest.mark.parametrize(
    "url",
    [
        f"http://{SECRET}@pms.example/x",
        f"http://{SECRET}@10.0.0.7/x",
        "https://pms.example/x",
        "https://whsec_@pms.example/x",
        "https://whsec_oops!@pms.example/x",
        "https://secret@pms.example/x",
        f"https://{SECRET}:more@pms.example/x",
        f"ftp://{SECRET}@pms.example/x",
        f"https://{SECRET}@/x",
        f"https://{SECRET}@pms.example:port/x",
        f"https://{SECRET}@[/x",
        "pms.example",
    ],
)
def test_what_cannot_be_used_is_named_by_its_place(url: str) -> None:
    """Never by its address, which holds the secret."""
    with pytest.raises(InvalidOutcomeUrls) as caught:
        outcome_receivers([f"https://{SECRET}@first.example/x", url])
    assert "address 2: " in str(caught.value)
    assert "example" not in str(caught.value)
    assert SECRET.removeprefix("whsec_") not in str(caught.value)


def test_twice_and_too_many() -> None:
    """Two secrets for one address would be two receivers of one name."""
    with pytest.raises(InvalidOutcomeUrls, match="address 2: is there twice"):
        outcome_receivers([f"https://{SECRET}@a.example/x", "https://whsec_AAAA@a.example/x"])
    with pytest.raises(InvalidOutcomeUrls, match="more than 10"):
        outcome_receivers([f"https://{SECRET}@a{number}.example/x" for number in range(11)])


def test_the_settings_name_the_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the setting's name; spaces and commas separate."""
    monkeypatch.setenv("OUTCOME_WEBHOOK_URLS", f"https://{SECRET}@a.example/x, https://{SECRET}@b.example/x")
    settings = Settings.load()
    assert len(settings.outcome_receivers) == 2
    assert SECRET in settings.secrets
    monkeypatch.setenv("OUTCOME_WEBHOOK_URLS", f"http://{SECRET}@a.example/x")
    with pytest.raises(InvalidSettings) as caught:
        Settings.load()
    assert list(caught.value.problems) == ["OUTCOME_WEBHOOK_URLS"]
    assert SECRET not in str(caught.value)
