"""Group commit: what arrives together is written together, and everybody gets an answer of their own."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from starlette.types import Message

import receiver.inbox
from receiver.admission import Admission
from receiver.auth_failures import AuthFailureLimiter
from receiver.bodies import BodyReader
from receiver.endpoint import PostEndpoint
from receiver.inbox import Inbox
from receiver.parked_webhooks import ParkedWebhooks
from receiver.refusals import Unavailable
from receiver.webhook_endpoint import SeamWebhook
from receiver.webhook_intake import WebhookIntake
from receiver.webhook_signature import WebhookSecrets
from shared.clock import system_clock
from shared.redis_client import connect_async
from tests.receiver.web import SECRET, Web, event_of
from tests.support.server import DataServer

NOBODY = "redis://127.0.0.1:9/0"


def inbox_of(redis: AsyncRedis) -> Inbox:
    """Return an inbox of its own stream."""
    return Inbox(redis, stream="s", field="f", clock=system_clock)


async def append(inbox: Inbox, message_id: str) -> bool:
    """Append a message, as a coroutine that a task can run."""
    return await inbox.append(message_id, "m")


def test_many_at_once_are_all_answered_and_kept(web: Web, redis_client: Redis) -> None:
    """Each event is in the stream exactly once, and far fewer writes than events were needed."""
    redis_client.config_resetstat()
    answers = web.webhooks([event_of() for _ in range(300)])

    assert Counter(answer.json()["status"] for answer in answers) == {"accepted": 300}
    assert redis_client.xlen("seam-events") == 300
    stats: Any = redis_client.info("commandstats")
    writes = sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "eval"))
    assert 1 <= writes < 150


def test_repeats_within_one_group(web: Web, redis_client: Redis) -> None:
    """Of one event that arrives many times at once, one is accepted."""
    events = [event_of() for _ in range(20)]
    answers = web.webhooks(events * 5)

    assert Counter(answer.json()["status"] for answer in answers) == {"accepted": 20, "duplicate": 80}
    assert redis_client.xlen("seam-events") == 20


def test_past_its_bound_a_webhook_is_refused_unread() -> None:
    """503 with `Retry-After`, at once: reading and verifying would leave no time for those that were let in."""
    sent: list[Message] = []

    async def unread() -> Message:
        raise AssertionError("its body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    async def refuse() -> None:
        redis = connect_async(NOBODY)
        webhook = SeamWebhook(
            intake=WebhookIntake(WebhookSecrets([SECRET]), inbox_of(redis)),
            bodies=BodyReader(1_000),
            parked_webhooks=ParkedWebhooks(redis, stream="s", clock=system_clock),
            admission=Admission(at_once=0, in_line=0),
        )
        endpoint = PostEndpoint(webhook.handle, AuthFailureLimiter(a_minute=60))
        await endpoint({"type": "http", "method": "POST", "headers": []}, unread, send)

    asyncio.run(refuse())
    start, body = sent
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"5")
    assert body["body"] == b'{"error":"unavailable"}'


class Calls:
    """Stands in for all connections: keeps calls until the test answers them."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._answers: list[asyncio.Future[str]] = []

    async def run(self, keys: Sequence[str], _: object) -> str:
        """Keep a call."""
        self.sizes.append(len(keys) - 1)
        self._answers.append(asyncio.get_running_loop().create_future())
        return await self._answers[-1]

    async def close(self) -> None:
        """Do nothing."""

    def answer(self, number: int) -> None:
        """Answer one of them: all were new."""
        self._answers[number].set_result("1" * self.sizes[number])


def test_one_group_follows_another_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes together goes together; more goes behind it when it is worth a call; past two all waits."""

    async def talk() -> None:
        calls = Calls()
        monkeypatch.setattr(receiver.inbox, "ScriptConnection", lambda *_, **__: calls)
        inbox = inbox_of(connect_async(NOBODY))
        writer = asyncio.create_task(inbox.run())
        answers: list[asyncio.Future[bool]] = []

        async def settled() -> list[int]:
            for _ in range(10):
                await asyncio.sleep(0)
            return list(calls.sizes)

        async def append(amount: int) -> list[int]:
            answers.extend(inbox.append(str(len(answers)), "m") for _ in range(amount))
            return await settled()

        await settled()
        assert await append(3) == [3]
        assert await append(13) == [3]
        assert await append(1) == [3, 14]
        assert await append(600) == [3, 14]
        calls.answer(0)
        assert await settled() == [3, 14, 512]
        assert [answer.done() for answer in answers[:4]] == [True, True, True, False]
        calls.answer(1)
        assert await settled() == [3, 14, 512, 88]
        await append(5)
        calls.answer(2)
        assert await settled() == [3, 14, 512, 88]
        calls.answer(3)
        assert await settled() == [3, 14, 512, 88, 5]
        calls.answer(4)
        assert all([await answer for answer in answers])
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)

    asyncio.run(talk())


@pytest.mark.parametrize(("longest_wait", "let_in"), [(60.0, 4096), (-1.0, 1024)], ids=["quick", "slow"])
def test_how_many_wait_depends_on_how_long_they_do(
    monkeypatch: pytest.MonkeyPatch, longest_wait: float, let_in: int
) -> None:
    """Many may wait for a data server that is quick, few for one that is slow: no answer comes late."""
    monkeypatch.setattr(receiver.inbox, "_LONGEST_WAIT", longest_wait)

    async def fill() -> int:
        inbox = inbox_of(connect_async(NOBODY))
        with suppress(Unavailable):
            for number in range(10_000):
                _ = inbox.append(str(number), "m")
        return number

    assert asyncio.run(fill()) == let_in


def test_a_writer_that_is_stopped_leaves_nobody_waiting(data_server: DataServer) -> None:
    """A sender that waits while the process ends gets 503, and sends again."""

    async def stop() -> None:
        async with connect_async(data_server.url) as redis:
            inbox = inbox_of(redis)
            await redis.client_pause(400, all=True)
            writer = asyncio.create_task(inbox.run())
            waiting = asyncio.create_task(append(inbox, "1"))
            await asyncio.sleep(0.05)
            writer.cancel()
            with pytest.raises(Unavailable):
                await asyncio.wait_for(waiting, 5)

    asyncio.run(stop())


def test_a_caller_that_gives_up_spoils_nothing(web: Web, data_server: DataServer, redis_client: Redis) -> None:
    """The others of its group are answered all the same."""
    del web

    async def give_up() -> bool:
        async with connect_async(data_server.url) as redis:
            inbox = inbox_of(redis)
            first = asyncio.create_task(append(inbox, "1"))
            second = asyncio.create_task(append(inbox, "2"))
            await asyncio.sleep(0)
            first.cancel()
            writer = asyncio.create_task(inbox.run())
            is_new = await asyncio.wait_for(second, 5)
            writer.cancel()
            await asyncio.gather(writer, first, return_exceptions=True)
            return is_new

    assert asyncio.run(give_up()) is True
    assert redis_client.xlen("s") in (1, 2)
