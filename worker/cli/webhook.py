"""`oracode webhook`: registers our URL for events at Seam."""

import json
from urllib.parse import urlsplit

import click

from worker.cli.context import settings_for
from worker.ports import seam_client

_PATH = "/webhooks/seam"
# All types: a list would lack those that Seam adds later. An event that isn't needed costs only an answer.
_EVERY_TYPE = ["*"]


@click.group("webhook", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Create the webhook at Seam, and print its secret once."""


@command.command()
@click.option("--url", required=True, help="Public address of `web`, such as https://codes.example.com/webhooks/seam.")
@click.option("--json", "as_json", is_flag=True, help="The webhook as one JSON object.")
def register(*, url: str, as_json: bool) -> None:
    """Create a webhook for all events. Its secret is shown now and never again: put it into SEAM_WEBHOOK_SECRET.

    If one exists for this URL, nothing is created, and the exit code is 1: two would deliver everything twice.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not parts.path.endswith(_PATH):
        raise click.BadParameter(f"write an address that ends in {_PATH}", param_hint="--url")
    client = seam_client(settings_for("SEAM_API_KEY"))
    webhooks = client.read("/webhooks/list", {}).get("webhooks") or []
    if any(isinstance(each, dict) and each.get("url") == url for each in webhooks):
        click.echo("Seam has a webhook for this address already; its secret is in Seam's console.", err=True)
        raise SystemExit(1)
    webhook = client.change("/webhooks/create", {"url": url, "event_types": _EVERY_TYPE}).get("webhook")
    if not isinstance(webhook, dict) or not webhook.get("secret"):
        click.echo("Seam made the webhook but told no secret; look it up in Seam's console.", err=True)
        raise SystemExit(1)
    if as_json:
        click.echo(json.dumps({name: webhook.get(name) for name in ("webhook_id", "url", "secret")}))
    else:
        click.echo(f"Webhook {webhook.get('webhook_id')} sends to {url}.")
        click.echo(f"SEAM_WEBHOOK_SECRET={webhook['secret']}")
