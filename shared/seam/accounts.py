"""Connected accounts at Seam: only their errors and warnings are read."""

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.door.issues import Issue, issues_of_account
from shared.domain.seam_issues import IssueKind
from shared.seam.client import SeamClient
from shared.seam.errors import NoSuchAccount, NotFound, Unauthorized, UnexpectedNotFound, Unreadable

_DELETED: Final = Issue(
    kind=IssueKind.DOOR_ERROR,
    code="account_disconnected",
    message="Seam has no such connected account any more.",
    is_of_account=True,
)


class NotShown(Exception):
    """Seam does not show the account: the key may not read it, or this server knows no such account or endpoint.

    The doors work nevertheless; only the account's warnings can't be seen. The text says what Seam answered.
    """


class Accounts:
    """The call to `/connected_accounts/get`."""

    def __init__(self, client: SeamClient) -> None:
        self._client = client

    def issues(self, account_id: str) -> tuple[Issue, ...]:
        """Return the account's errors and warnings. Raises NotShown, and the errors of `shared.seam.errors`.

        An account that was deleted at Seam counts as disconnected: the remedy is the same. The answer also names the
        account's holder (an e-mail address, a telephone number); that is not kept.
        """
        try:
            answer = self._client.read("/connected_accounts/get", {"connected_account_id": account_id})
        except NoSuchAccount:
            return (_DELETED,)
        except (NotFound, UnexpectedNotFound, Unauthorized) as error:
            raise NotShown(str(error)) from error
        account: Any = answer.get("connected_account")
        if not isinstance(account, Mapping) or account.get("connected_account_id") != account_id:
            raise Unreadable("/connected_accounts/get: the answer isn't the account that was asked for")
        return issues_of_account(account)
