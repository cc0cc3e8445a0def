"""What a running `web` tells of itself: that it lives, whom it refused, and its metrics."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
from redis import Redis

from deploy.local.ports import free_port
from shared.clock import system_clock
from shared.ledger.auth_failures import AuthFailureLedger, FailedTries
from shared.ledger.processes import ProcessSigns
from tests.receiver.process import WebProcess, request, webhook
from tests.receiver.web import OTHER_SECRET, event_of, signed
from tests.shared.keys import wrong_keys
from tests.shared.test_metrics import samples
from tests.support.server import DataServer
from tests.support.waiting import wait_until


def test_a_running_web_tells_of_itself(data_server: DataServer, redis_client: Redis, tmp_path: Path) -> None:
    """Its sign of life, counts of what it refused, and on METRICS_PORT what it answered. After its end it is missed."""
    port = free_port()
    web = WebProcess(data_server.url, tmp_path / "log", METRICS_PORT=str(port))
    try:
        (seen,) = wait_until(lambda: ProcessSigns(redis_client).seen(), what="the sign of life")
        assert (seen.identity.process, seen.identity.pid) == ("web", web.pid)
        assert seen.silent_for <= timedelta(seconds=5)
        assert b" 202 " in web.served(webhook(close=True))
        body = json.dumps(event_of()).encode()
        forged = request("POST", "/webhooks/seam", body, *signed(body, secret=OTHER_SECRET), close=True)
        assert b" 401 " in web.served(forged)
        (tries,) = wait_until(lambda: failed_tries(redis_client), what="the count of what was refused")
        assert (tries.reason, tries.count) == ("wrong_signature", 1)
        assert '"webhook.rejected"' in web.log()
        shown = samples(httpx.get(f"http://127.0.0.1:{port}/metrics").text)
        assert shown["oracode_webhooks_total", "accepted"] == 1
        assert shown["oracode_auth_failures_total", "wrong_signature"] == 1
        assert shown["oracode_webhook_seconds_count",] == 1
    finally:
        web.stop()
    assert [each.identity.pid for each in ProcessSigns(redis_client).seen()] == [web.pid]
    assert wrong_keys(redis_client) == []


def failed_tries(redis: Redis) -> tuple[FailedTries, ...]:
    """Return what was refused."""
    return AuthFailureLedger(redis).last_hour(system_clock())
