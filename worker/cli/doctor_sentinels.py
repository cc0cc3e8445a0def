"""Whether the Sentinels that REDIS_URL names can fail over: nobody else would notice that one of them is away."""

from collections.abc import Iterator
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from shared.data_server_address import Host, Sentinels, parse_data_server_address
from shared.redis_client import sentinel_options
from worker.cli.findings import Finding, Verdict

_SUBJECT: Final = "Sentinels"


def sentinels(url: str) -> Iterator[Finding]:
    """Ask each Sentinel which server is the primary. Nothing is yielded where `url` names none."""
    address = parse_data_server_address(url)
    if isinstance(address, Sentinels):
        yield judge_sentinels({host: _named_by(host, address) for host in address.hosts})


def judge_sentinels(named: dict[Host, str | None]) -> Finding:
    """Judge what each Sentinel named as the primary, as `host:port`; None for one that gave no answer."""
    answers = {host: primary for host, primary in named.items() if primary is not None}
    silent = ", ".join(f"{host}:{port}" for host, port in named if (host, port) not in answers)
    text = f"{len(answers)} of {len(named)} name a primary"
    if primaries := ", ".join(sorted(set(answers.values()))):
        text += f": {primaries}"
    if len(set(answers.values())) > 1:
        remedy = "a failover takes some seconds; if it lasts, look at the Sentinels' logs and the network between them"
        return Finding(_SUBJECT, "warn", text, remedy)
    if not silent:
        return Finding(_SUBJECT, "ok", text)
    # More than half of them must be there to choose who does a failover.
    verdict: Verdict = "warn" if 2 * len(answers) > len(named) else "bad"
    remedy = "start the Sentinel or repair the way to it: without most of them there is no failover"
    return Finding(_SUBJECT, verdict, f"{text}; no answer from {silent}", remedy)


def _named_by(host: Host, address: Sentinels) -> str | None:
    options = {**sentinel_options(address), "decode_responses": True}
    with Redis(host=host[0], port=host[1], **options) as client:
        try:
            # Of this command the answer is None where the Sentinel watches nothing by that name.
            answer = client.sentinel_get_master_addr_by_name(address.name)
        except (RedisError, OSError):
            return None
    return f"{answer[0]}:{answer[1]}" if answer else None
