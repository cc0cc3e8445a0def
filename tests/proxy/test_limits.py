"""The limits of the shipped files: they agree with the settings of `web` and with each other, and they hold."""

import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from shared.settings import Settings
from tests.proxy.recording_web import RecordingWeb
from tests.proxy.servers import FILES, Caddy, Nginx, Proxy
from tests.proxy.test_public_paths import chunked, passed, public
from tests.receiver.process import statuses

CADDY = Caddy.file.read_text()
NGINX = Nginx.file.read_text()
NFT = (FILES / "connections.nft").read_text()
KIB = 1024
HEADERS = 32 * KIB


def default(name: str) -> Any:
    """Return a setting's default."""
    return Settings.model_fields[name].default


def values(text: str, directive: str) -> list[str]:
    """Return the values that a directive has, wherever it stands."""
    return re.findall(rf"^\s*{directive} ([^;\n]+?);?$", text, re.MULTILINE)


def seconds(text: str) -> float:
    """Read a time such as `15s`."""
    assert text.endswith("s")
    return float(text[:-1])


def value(text: str, directive: str) -> str:
    """Return the one value of a directive."""
    (found,) = values(text, directive)
    return found


def test_the_body_limit_is_that_of_web() -> None:
    """WEBHOOK_BODY_LIMIT, everywhere; Caddy's buffer is larger than that, nginx's no smaller."""
    limit = default("webhook_body_limit")
    assert int(value(CADDY, "max_size")) == limit
    assert re.findall(r"> (\d+)`", CADDY) == [str(limit)]
    assert [int(each.removesuffix("KiB")) * KIB > limit for each in values(CADDY, "max_buffer_size")] == [True]
    assert f"request_buffers {value(CADDY, 'max_buffer_size')}" in CADDY
    assert int(value(NGINX, "client_max_body_size")) == limit
    assert int(value(NGINX, "client_body_buffer_size").removesuffix("k")) * KIB >= limit


def test_the_size_of_headers_agrees() -> None:
    """Both take the same: `web` itself knows no limit."""
    number, size = value(NGINX, "large_client_header_buffers").split()
    assert value(CADDY, "max_header_size") == f"{HEADERS // KIB}KiB"
    assert int(number) * int(size.removesuffix("k")) * KIB == HEADERS


def test_times_agree_with_those_of_web() -> None:
    """A request has REQUEST_TIMEOUT to come; `web` has a little longer to answer, so its own answer comes first."""
    whole: timedelta = default("request_timeout")
    limit = whole.total_seconds()
    assert seconds(value(CADDY, "read_body")) == limit
    for text, header, web in (
        (CADDY, "read_header", "response_header_timeout"),
        (NGINX, "client_header_timeout", "proxy_read_timeout"),
    ):
        assert seconds(value(text, header)) < limit
        assert limit < seconds(value(text, web)) <= limit + 5
    assert seconds(value(CADDY, "write")) > seconds(value(CADDY, "response_header_timeout"))
    assert seconds(value(CADDY, "read_header")) == seconds(value(NGINX, "client_header_timeout"))
    assert seconds(value(CADDY, "idle")) == seconds(values(NGINX, "keepalive_timeout")[1])


def test_web_keeps_idle_connections_longer_than_its_proxy() -> None:
    """Else the proxy would now and then send a request into a connection that is being closed."""
    web = uvicorn.Config("").timeout_keep_alive
    assert seconds(value(CADDY, "keepalive")) < web
    assert seconds(values(NGINX, "keepalive_timeout")[0]) < web


def test_connections_of_one_address_agree() -> None:
    """nginx, which counts requests, and the packet filter, which counts connections, allow the same number."""
    assert values(NGINX, "limit_conn clients") == ["256"]
    assert re.findall(r"ct count over (\d+)", NFT) == ["256", "256"]


def test_the_page_names_every_limit(project: Path) -> None:
    """Each number of the table in docs/reverse-proxy.md stands in the file that it is said to be in."""
    page = (project / "docs/reverse-proxy.md").read_text()
    named = {"Caddyfile": CADDY, "nginx.conf": NGINX, "connections.nft": NFT}
    rows = re.findall(r"^\|.*\| `([^`]+)` \| `([^`]+)` \|$", page, re.MULTILINE)
    assert len(rows) >= 5
    for caddy, nginx in rows:
        assert caddy in named["Caddyfile"], caddy
        assert nginx in named["nginx.conf"], nginx
    assert value(NGINX, "limit_conn clients") in page


def test_a_file_is_usable_as_it_is_shipped(server: type[Proxy]) -> None:
    """An operator changes the host name: nothing else in it is a placeholder."""
    text = server.file.read_text()
    assert text.count("hooks.example.com") >= 1
    assert re.findall(r"\{\$([A-Z_]+)\}", text) == []


def test_bodies_up_to_the_limit_pass_and_no_others(recorded: Proxy, recorder: RecordingWeb) -> None:
    """413 for a larger one: by its length before it is read, and in chunks while it is read."""
    limit = default("webhook_body_limit")
    assert len(passed(recorded, recorder, public("POST", "/bookings", b"x" * limit)).body) == limit
    recorder.requests.clear()
    head = public("POST", "/bookings", b"x" * (limit + 1))[: -(limit + 1)]
    assert statuses(recorded.raw(head)) == [413]
    assert statuses(recorded.raw(head.replace(b"connection", b"expect: 100-continue\r\nconnection"))) == [413]
    assert statuses(recorded.raw(chunked("/bookings", *[b"x" * 50_000] * 6))) == [413]
    # Caddy begins to pass a body in chunks on before it knows; what comes is never whole.
    assert recorder.requests == []


def test_large_headers_are_refused(recorded: Proxy, recorder: RecordingWeb) -> None:
    """In one line and in many: 431 by Caddy, 400 by nginx."""
    recorder.requests.clear()
    refusal = [431] if recorded.name == "caddy" else [400]
    limit = HEADERS + 4 * KIB
    assert statuses(recorded.raw(public("POST", "/bookings", b"", (b"x", b"y" * limit)))) == refusal
    many = [(b"x%d" % number, b"y") for number in range(limit // 8)]
    assert statuses(recorded.raw(public("POST", "/bookings", b"", *many))) == refusal
    assert recorder.requests == []


CONNECT_MANY = """
import socket, sys
def opened(family, host, sources):
    with socket.socket(family) as listener:
        listener.bind((host, 443))
        listener.listen(1000)
        kept = []
        for number in range(300):
            connection = socket.socket(family)
            connection.settimeout(5)
            connection.bind((sources[number % len(sources)], 0))
            try:
                connection.connect((host, 443))
            except ConnectionRefusedError:
                continue
            kept.append(connection)
        other = socket.socket(family)
        other.bind((host, 0))
        other.settimeout(5)
        other.connect((host, 443))
        return len(kept)
print(opened(socket.AF_INET, "127.0.0.1", ["127.0.0.66"]))
print(opened(socket.AF_INET6, "2001:db8::1", ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3"]))
"""


def test_the_packet_filter_limits_connections_of_one_address() -> None:
    """For real, in a network of its own: 256 of 300 are let in, of one network too; another client still is."""
    if not all(shutil.which(each) for each in ("nft", "ip", "unshare")):
        pytest.skip("NFTABLES IS NOT INSTALLED: deploy/proxy/connections.nft was not tried (apt-get install nftables)")
    addresses = ["2001:db8::1", "2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3"]
    steps = ["ip link set lo up", *(f"ip addr add {each}/128 dev lo" for each in addresses)]
    # Loaded twice: an operator who changes it loads it again.
    steps += [f"nft -f {FILES / 'connections.nft'}"] * 2
    inside = " && ".join([*steps, 'exec "$0" -c "$1"'])
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", inside, sys.executable, CONNECT_MANY]
    probe = subprocess.run([*command[:3], "nft", "list", "ruleset"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("NO NETWORK OF ITS OWN CAN BE MADE: deploy/proxy/connections.nft was not tried (user namespaces)")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(f"[{','.join(done.stdout.split())}]") == [256, 256]
