"""Any other service, through apprise (an optional extra: `pip install oracode-codes[apprise]`)."""

from typing import Any, Final

from shared.domain.alerting.severity import Severity
from worker.alerts.channel import NotDelivered
from worker.alerts.message import AlertMessage, one_line

_LONGEST_TITLE: Final = 200
_KINDS: Final = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.PAGE: "failure"}


class AppriseChannel:
    """One service, by a URL in apprise's format, such as `pover://user@token`."""

    def __init__(self, name: str, url: str) -> None:
        """Load apprise. Raises ValueError if it isn't installed, or doesn't know such a URL."""
        try:
            import apprise  # noqa: PLC0415 - an extra
        except ModuleNotFoundError:
            raise ValueError("needs the extra `apprise`: pip install 'oracode-codes[apprise]'") from None
        self._name = name
        # Text from bookings is plain text: escape sequences in it aren't interpreted.
        asset = apprise.AppriseAsset(interpret_escapes=False, async_mode=False, http_redirects=False)
        self._apprise: Any = apprise.Apprise(asset=asset)
        if not self._apprise.add(url):
            raise ValueError("is no address that apprise understands")

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._name

    def send(self, message: AlertMessage) -> str:
        """Send as plain text. Raises NotDelivered; apprise doesn't say why."""
        kind = "success" if message.is_gone else _KINDS[message.severity]
        facts = "\n".join(f"{name}: {text}" for name, text in message.facts)
        try:
            is_taken = self._apprise.notify(
                title=one_line(message.title, _LONGEST_TITLE),
                body=f"{facts}\n({message.delivery_id})",
                notify_type=kind,
                body_format="text",
            )
        except Exception as error:  # noqa: BLE001 - the plugins may raise anything
            raise NotDelivered(type(error).__name__) from None
        if not is_taken:
            raise NotDelivered("apprise says no")
        return "taken"
