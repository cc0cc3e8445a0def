"""The ids of stream entries: their order, and the moment in them."""

from datetime import UTC, datetime, timedelta

from shared.domain.entry_ids import entry_id_at, following, is_before, latest, moment_of, place_of

NOW = datetime(2026, 12, 1, 16, 0, 0, 250_900, tzinfo=UTC)


def test_entries_are_ordered_by_their_numbers() -> None:
    """Not as text; an unknown entry is before none."""
    assert is_before("9-10", "10-0")
    assert is_before("10-9", "10-10")
    assert not is_before("10-0", "10-0")
    assert not is_before("", "10-0")
    assert not is_before("10-0", "")
    assert latest("9-0", "10-0") == "10-0"
    assert latest("", "10-0") == "10-0"
    assert latest("10-0", "") == "10-0"


def test_an_id_holds_the_moment_of_its_arrival() -> None:
    """In milliseconds: the rest is cut off."""
    entry_id = entry_id_at(NOW)
    assert place_of(entry_id)[1] == 0
    assert moment_of(entry_id) == NOW - timedelta(microseconds=900)
    assert moment_of("1700000000123-7") == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)


def test_nothing_comes_between_an_id_and_the_following() -> None:
    """The number grows by one, at the same moment."""
    assert following("1700000000123-7") == "1700000000123-8"
    assert place_of("1700000000123") == place_of("1700000000123-0")
