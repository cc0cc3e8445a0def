"""Connected accounts: the dormakaba account through which Seam reaches the doors."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from deploy.sandbox.clock import Clock
from deploy.sandbox.devices.issues import Issue, account_issue_object
from deploy.sandbox.encoding import JsonObject, format_timestamp
from deploy.sandbox.errors import ControlError, not_found, unknown
from deploy.sandbox.ids import CONNECTED_ACCOUNT_ID
from deploy.sandbox.store import Collection, Store


@dataclass(frozen=True, slots=True)
class Account:
    """A connected account; the names of its fields are Seam's."""

    seq: int
    connected_account_id: str
    created_at: datetime
    display_name: str
    email: str
    customer_key: str | None = None
    custom_metadata: dict[str, str | bool] = field(default_factory=dict)
    accepted_capabilities: tuple[str, ...] = ("lock",)
    automatically_manage_new_devices: bool = True
    issues: tuple[Issue, ...] = ()

    def has(self, issue_code: str) -> bool:
        """Whether an issue is open."""
        return any(issue.code == issue_code for issue in self.issues)

    @property
    def errors(self) -> tuple[Issue, ...]:
        """The open errors."""
        return tuple(issue for issue in self.issues if issue.is_error)


def account_object(account: Account) -> JsonObject:
    """Return the account as Seam's "Connected Account" resource describes it."""
    served = {
        "connected_account_id": account.connected_account_id,
        "created_at": format_timestamp(account.created_at),
        "account_type": "dormakaba_oracode",
        "account_type_display_name": "dormakaba Oracode",
        "display_name": account.display_name,
        "user_identifier": {"username": account.display_name, "email": account.email},
        "accepted_capabilities": list(account.accepted_capabilities),
        "automatically_manage_new_devices": account.automatically_manage_new_devices,
        "custom_metadata": account.custom_metadata,
        "errors": [account_issue_object(issue) for issue in account.issues if issue.is_error],
        "warnings": [account_issue_object(issue) for issue in account.issues if not issue.is_error],
    }
    return served if account.customer_key is None else {**served, "customer_key": account.customer_key}


class Accounts:
    """All connected accounts by id; a new sandbox has one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Load the accounts."""
        self._kept = Collection(store, "accounts", Account)
        self._clock = clock
        self._seq = count(max((account.seq for account in self._kept.values()), default=0) + 1)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._kept.values())

    def find(self, connected_account_id: object) -> Account | None:
        """Return one account."""
        return self._kept.get(connected_account_id) if isinstance(connected_account_id, str) else None

    def get(self, connected_account_id: str) -> Account:
        """Return one account to the API.

        Raises:
            ApiError: 404.

        """
        account = self.find(connected_account_id)
        if account is None:
            raise not_found("connected_account", connected_account_id)
        return account

    def control(self, connected_account_id: str) -> Account:
        """Return one account to a control endpoint.

        Raises:
            ControlError: there is none.

        """
        account = self.find(connected_account_id)
        if account is None:
            raise unknown("connected account", connected_account_id)
        return account

    def add(
        self,
        connected_account_id: str = CONNECTED_ACCOUNT_ID,
        *,
        display_name: str = "jane",
        email: str = "jane@example.com",
        customer_key: str | None = None,
    ) -> Account:
        """Add an account.

        Raises:
            ControlError: the id is taken.

        """
        if self.find(connected_account_id) is not None:
            raise ControlError(f"connected account {connected_account_id!r} exists already")
        account = Account(
            seq=next(self._seq),
            connected_account_id=connected_account_id,
            created_at=self._clock(),
            display_name=display_name,
            email=email,
            customer_key=customer_key,
        )
        return self.put(account)

    def put(self, account: Account) -> Account:
        """Insert or replace an account."""
        self._kept.put(account.connected_account_id, account)
        return account

    def remove(self, connected_account_id: str) -> None:
        """Delete an account."""
        self._kept.remove(connected_account_id)
