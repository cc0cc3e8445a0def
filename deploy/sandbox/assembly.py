"""The sandbox put together: every part of its state, assembled in one visible place."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.sandbox import clock as wall_clock
from deploy.sandbox.alerts import Alerts
from deploy.sandbox.clock import Clock
from deploy.sandbox.codes.attempts import ActionAttempts, ActionType
from deploy.sandbox.codes.codes import Code, Codes
from deploy.sandbox.codes.events import CodeEvents
from deploy.sandbox.codes.lifecycle import Lifecycle
from deploy.sandbox.codes.objects import code_object
from deploy.sandbox.codes.unmanaged import FoundCodes
from deploy.sandbox.devices.accounts import Accounts
from deploy.sandbox.devices.context import DeviceContexts
from deploy.sandbox.devices.doors import Doors
from deploy.sandbox.devices.events import DeviceEvents
from deploy.sandbox.devices.seeds import add_seeds
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.events.log import EventLog
from deploy.sandbox.faults import Faults
from deploy.sandbox.outage import Outage
from deploy.sandbox.rate_limits import RateLimits
from deploy.sandbox.request_log import RequestLog
from deploy.sandbox.scheduler import Scheduler
from deploy.sandbox.settings import DEFAULT_API_KEY, CurrentSettings
from deploy.sandbox.store import Store
from deploy.sandbox.webhooks.endpoints import Webhooks
from deploy.sandbox.webhooks.sender import WebhookSender


@dataclass(frozen=True, slots=True)
class Sandbox:
    """All parts; each owns its own state and persists it."""

    api_key: str = field(repr=False)
    clock: Clock
    store: Store
    settings: CurrentSettings
    accounts: Accounts
    doors: Doors
    contexts: DeviceContexts
    device_events: DeviceEvents
    codes: Codes
    found_codes: FoundCodes
    code_events: CodeEvents
    attempts: ActionAttempts
    lifecycle: Lifecycle
    events: EventLog
    limits: RateLimits
    webhooks: Webhooks
    webhook_sender: WebhookSender
    faults: Faults
    outage: Outage
    requests: RequestLog
    alerts: Alerts
    scheduler: Scheduler

    def code_object(self, code: Code) -> JsonObject:
        """Return an access code as Seam serves it."""
        return code_object(code, self.contexts.of(code.device_id))

    async def run(self) -> None:
        """Move codes on and send webhooks, for ever."""
        self.lifecycle.resume()
        self.webhook_sender.resume()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.scheduler.run())
            group.create_task(self.webhook_sender.run())


def build(
    *,
    data: Path | None = None,
    api_key: str = DEFAULT_API_KEY,
    overrides: dict[str, Any] | None = None,
    clock: Clock = wall_clock.now,
) -> Sandbox:
    """Assemble a sandbox from what its file remembers.

    `overrides` are the settings that the command line gives.

    Raises:
        sqlite3.Error: the file can't be used.
        pydantic.ValidationError: a setting has an impossible value.

    """
    store = Store(data)
    with store.batch():
        settings = CurrentSettings(store)
        if overrides:
            settings.change(overrides)
        scheduler = Scheduler(store, clock)
        accounts, doors = Accounts(store, clock), Doors(store, clock)
        add_seeds(accounts, doors)
        contexts = DeviceContexts(doors, accounts)
        codes, attempts = Codes(store), ActionAttempts(store)
        _record_missing_attempts(codes, attempts)
        events, webhooks = EventLog(store, clock), Webhooks(store)
        code_events = CodeEvents(events, contexts)
        limits = RateLimits(clock)
        for code in codes.everything():
            limits.remember("access_codes.create", code.device_id, code.created_at)
        return Sandbox(
            api_key=api_key,
            clock=clock,
            store=store,
            settings=settings,
            accounts=accounts,
            doors=doors,
            contexts=contexts,
            device_events=DeviceEvents(events, accounts),
            codes=codes,
            found_codes=FoundCodes(store),
            code_events=code_events,
            attempts=attempts,
            lifecycle=Lifecycle(
                codes=codes,
                contexts=contexts,
                events=code_events,
                scheduler=scheduler,
                settings=settings,
                clock=clock,
            ),
            events=events,
            limits=limits,
            webhooks=webhooks,
            webhook_sender=WebhookSender(
                store=store,
                events=events,
                webhooks=webhooks,
                scheduler=scheduler,
                settings=settings,
                clock=clock,
            ),
            faults=Faults(store),
            outage=Outage(store),
            requests=RequestLog(store),
            alerts=Alerts(store, clock),
            scheduler=scheduler,
        )


def _record_missing_attempts(codes: Codes, attempts: ActionAttempts) -> None:
    """Record the attempts of codes that were made before attempts had records of their own."""
    for code in codes.everything():
        if attempts.find(code.action_attempt_id) is None:
            attempts.add(ActionType.CREATE, code, code.created_at, code.action_attempt_id)
