"""What commands say of a record that only a newer version can read."""

from dataclasses import replace

import pytest
from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.domain import versions
from shared.domain.booking.record import Change
from tests.shared.ledgers import booking_ledger
from tests.shared.newer_versions import NEWER, store_as_newer
from tests.shared.stories import DOOR, issued
from tests.support.server import DataServer
from worker.cli import main


@pytest.fixture(autouse=True)
def _newer(redis_client: Redis, data_server: DataServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store two bookings, the first in a state that we don't know."""
    ledger = booking_ledger(redis_client, system_clock)
    for booking_id in ("BK-1", "BK-2"):
        it = replace(issued(DOOR), booking_id=booking_id)
        ledger.record_message(booking_id, lambda _, it=it: Change(it))  # type: ignore[misc]
    store_as_newer(redis_client, redis_keys.booking_record("BK-1"), state="paused")
    monkeypatch.setenv("REDIS_URL", data_server.url)


def test_asked_for_it_says_so_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It is input that this version can't use: 2, and no traceback."""
    with pytest.raises(SystemExit) as ended:
        main(["bookings", "show", "BK-1"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    versions_told = f"Booking of version {NEWER}; this process knows {versions.BOOKING}"
    assert said == f"{versions_told}: use the command line of the newer version.\n"


def test_a_list_shows_the_others_and_says_that_one_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody must take the list for the whole."""
    with pytest.raises(SystemExit) as ended:
        main(["bookings", "list", "--json"])
    assert ended.value.code == 0
    said = capsys.readouterr()
    assert "BK-2" in said.out
    assert "BK-1" not in said.out
    assert "record.passed_over" in said.err
    assert f"of version {NEWER}" in said.err
