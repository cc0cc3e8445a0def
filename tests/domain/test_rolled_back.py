"""What people are told of a ledger that lacks its last writes: after a failover, and after a restore."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.alerting.rolled_back import rolled_back_notice

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(("is_restore", "subject"), [(False, "failed over"), (True, "restored from a backup")])
def test_both_causes_are_named(is_restore: bool, subject: str) -> None:  # noqa: FBT001 - a case
    """The summary is the same for both, so it must not name one alone: people would look for a failover."""
    since = NOW - timedelta(hours=1)
    notice = rolled_back_notice(since, NOW, is_certain=is_restore, found=None, now=NOW, is_restore=is_restore)
    assert subject in notice.subject
    assert "another data server became the primary" in notice.happened.lower()
    assert "a backup was restored" in notice.happened
