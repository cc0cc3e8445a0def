"""Reads a connected account whose doors have bookings to come, and compares its issues with what people are told.

Its errors are repeated at its doors; its warnings (`dormakaba_sites_unapproved`) stand nowhere else.
"""

from datetime import timedelta
from typing import Final

import structlog

from shared.clock import Clock
from shared.ledger.door_issues import DoorIssues, KnownAccount
from shared.ledger.due_set import account_item
from shared.ledger.prompted_readings import PromptedReadings
from shared.seam.accounts import Accounts, NotShown
from shared.seam.errors import SeamError
from worker.handlers.door_problem_alerts import DoorProblemAlerts

# A reading that was prompted and failed: Seam may be away for a moment.
_TRIED_AGAIN_AFTER: Final = timedelta(minutes=1)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RefreshAccount:
    """Takes one reading of an account. It comes back each interval for as long as there are stays on its doors."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        issues: DoorIssues,
        readings: PromptedReadings,
        troubles: DoorProblemAlerts,
        every: timedelta,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._issues = issues
        self._readings = readings
        self._troubles = troubles
        self._every = every
        self._clock = clock

    def __call__(self, account_id: str) -> None:
        """Read one account. Idempotent; a kill leaves it in the due-set."""
        item = account_item(account_id)
        prompts = self._readings.begin(item)
        is_read = self._read(account_id)
        has_stays = self._troubles.of_account(account_id)
        pause = self._every if is_read or not prompts else _TRIED_AGAIN_AFTER
        is_needed = has_stays or self._troubles.is_told_of_account(account_id)
        self._readings.reschedule(item, self._clock() + pause if is_needed else None, begun=prompts)

    def _read(self, account_id: str) -> bool:
        """Read the account; say whether Seam answered, be it that it does not show it."""
        try:
            account = KnownAccount(self._accounts.issues(account_id))
        except NotShown as error:
            # Its last known issues stay: they weren't looked at.
            known = self._issues.of_accounts([account_id]).get(account_id, KnownAccount())
            account = KnownAccount(known.issues, unreadable=str(error))
            log.info("account.not_shown", account_id=account_id, error=str(error))
        except SeamError as error:
            log.warning("account.not_read", account_id=account_id, kind=type(error).__name__, error=str(error))
            return False
        self._issues.remember_account(account_id, account)
        return True
