"""The sandbox put together: every part of its state, assembled in one visible place."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.sandbox import clock as wall_clock
from deploy.sandbox.agenda import Agenda
from deploy.sandbox.alerts import Alerts
from deploy.sandbox.clock import Clock
from deploy.sandbox.codes import Codes
from deploy.sandbox.doors import Doors
from deploy.sandbox.events import EventLog
from deploy.sandbox.faults import Faults
from deploy.sandbox.lifecycle import Lifecycle
from deploy.sandbox.limits import RateLimits
from deploy.sandbox.outage import Outage
from deploy.sandbox.postman import Postman
from deploy.sandbox.requests_log import RequestLog
from deploy.sandbox.seeds import plant
from deploy.sandbox.settings import DEFAULT_API_KEY, Dials
from deploy.sandbox.store import Store
from deploy.sandbox.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class World:
    """All parts; each owns its own state and persists it."""

    api_key: str = field(repr=False)
    clock: Clock
    store: Store
    dials: Dials
    doors: Doors
    codes: Codes
    events: EventLog
    lifecycle: Lifecycle
    limits: RateLimits
    webhooks: Webhooks
    postman: Postman
    faults: Faults
    outage: Outage
    requests: RequestLog
    alerts: Alerts
    agenda: Agenda

    async def run(self) -> None:
        """Let time pass: move codes on and carry webhooks, for ever."""
        self.lifecycle.resume()
        self.postman.resume()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.agenda.run())
            group.create_task(self.postman.run())


def build(
    *,
    data: Path | None = None,
    api_key: str = DEFAULT_API_KEY,
    overrides: dict[str, Any] | None = None,
    clock: Clock = wall_clock.now,
) -> World:
    """Assemble a world from what its file remembers.

    `overrides` are the dials that the command line sets.

    Raises:
        sqlite3.Error: the file can't be used.
        pydantic.ValidationError: a dial has an impossible value.

    """
    store = Store(data)
    with store.batch():
        dials = Dials(store)
        if overrides:
            dials.change(overrides)
        agenda = Agenda(store, clock)
        doors = Doors(store, clock)
        plant(doors)
        codes = Codes(store)
        events = EventLog(store, clock)
        webhooks = Webhooks(store)
        limits = RateLimits(clock)
        for code in codes.everything():
            limits.remember("access_codes.create", code.device_id, code.created_at)
        return World(
            api_key=api_key,
            clock=clock,
            store=store,
            dials=dials,
            doors=doors,
            codes=codes,
            events=events,
            lifecycle=Lifecycle(codes, events, agenda, dials, clock),
            limits=limits,
            webhooks=webhooks,
            postman=Postman(
                store=store,
                events=events,
                webhooks=webhooks,
                agenda=agenda,
                dials=dials,
                clock=clock,
            ),
            faults=Faults(store),
            outage=Outage(store),
            requests=RequestLog(store),
            alerts=Alerts(store, clock),
            agenda=agenda,
        )
