"""What Seam said of doors and accounts when each was read last, as the ledger keeps it."""

import json
from datetime import timedelta

from redis import Redis

from shared import redis_keys
from shared.domain.alerting.door_problems import KnownIssues
from shared.domain.door.issues import issues_of_account, issues_of_device
from shared.ledger.door_issues import DoorIssues, KnownAccount
from tests.shared.keys import wrong_keys
from tests.shared.ledgers import RETENTION, at
from tests.shared.stories import NOW

ERROR = {"error_code": "account_disconnected", "message": "Log in.", "is_connected_account_error": True}
OF_DOOR = issues_of_device({"errors": [ERROR], "warnings": [{"warning_code": "time_zone_mismatch", "message": "x"}]})
OF_ACCOUNT = issues_of_account({"warnings": [{"warning_code": "dormakaba_sites_unapproved", "message": "Wait."}]})


def ledger(redis: Redis, *, later: timedelta = timedelta()) -> DoorIssues:
    """Return the ledger at a time."""
    return DoorIssues(redis, clock=at(NOW + later), retention=RETENTION)


def remember(redis: Redis, device_id: str, account_id: str = "a-1", *, later: timedelta = timedelta()) -> str | None:
    """Note a door; return what was noted before."""
    pipeline = redis.pipeline(transaction=False)
    ledger(redis, later=later).remember_door(pipeline, device_id, OF_DOOR, account_id)
    before: str | None = pipeline.execute()[-1]
    return before


def test_a_door_and_its_account_are_found_together(redis_client: Redis) -> None:
    """Doors that were never read aren't there; a door whose account was never read has nothing of it."""
    remember(redis_client, "d-1")
    remember(redis_client, "d-2", "a-2")
    remember(redis_client, "d-3", "")
    ledger(redis_client).remember_account("a-1", KnownAccount(OF_ACCOUNT))
    assert ledger(redis_client).of_doors(["d-1", "d-2", "d-3", "d-4"]) == {
        "d-1": KnownIssues(of_door=OF_DOOR, of_account=OF_ACCOUNT, account_id="a-1"),
        "d-2": KnownIssues(of_door=OF_DOOR, account_id="a-2"),
        "d-3": KnownIssues(of_door=OF_DOOR),
    }
    assert ledger(redis_client).of_doors([]) == {}
    assert wrong_keys(redis_client) == []


def test_what_was_noted_before_is_returned(redis_client: Redis) -> None:
    """The same text for the same issues: that they changed is seen by comparing both."""
    assert remember(redis_client, "d-1") is None
    before = remember(redis_client, "d-1")
    assert before is not None
    assert before == remember(redis_client, "d-1")


def test_an_account_knows_its_doors(redis_client: Redis) -> None:
    """Those that were read within RETENTION."""
    remember(redis_client, "d-old", later=-RETENTION)
    remember(redis_client, "d-1")
    assert ledger(redis_client).doors_of_account("a-1") == ["d-1"]
    assert ledger(redis_client).doors_of_account("a-2") == []


def test_an_account_that_is_not_shown_says_why(redis_client: Redis) -> None:
    """And keeps what is known of it."""
    account = KnownAccount(OF_ACCOUNT, unreadable="HTTP 403")
    ledger(redis_client).remember_account("a-1", account)
    assert ledger(redis_client).of_accounts(["a-1", "a-2"]) == {"a-1": account}


def test_what_another_version_wrote_is_read_as_far_as_it_is_known(redis_client: Redis) -> None:
    """An older process wrote nothing; a newer one more."""
    newer = {"errors": [{**ERROR, "severity": 9}], "connected_account_id": "a-1", "hints": [1]}
    redis_client.set(redis_keys.door_issues("d-1"), json.dumps(newer))
    found = ledger(redis_client).of_doors(["d-1"])["d-1"]
    assert ([issue.code for issue in found.of_door], found.account_id) == (["account_disconnected"], "a-1")
    redis_client.set(redis_keys.door_issues("d-1"), "[]")
    assert ledger(redis_client).of_doors(["d-1"]) == {}
