"""A server in front of the Seam stand-in: it adds connected accounts, and errors that Seam repeats from the account."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

ACCOUNT = "99999999-9999-4999-8999-000000000002"
"""The account of all doors of the stand-in."""


class SeamFront:
    """The accounts and errors that the server adds.

    `account` is served; a number is the HTTP status of a refusal with the type `refusal`. `code_errors` and
    `code_says` are added to every access code in Seam's answers.
    """

    def __init__(self) -> None:
        self.account: dict[str, list[Any]] | int = {"errors": [], "warnings": []}
        self.refusal = "not_allowed"
        self.code_errors: list[dict[str, Any]] = []
        self.code_says: dict[str, Any] = {}
        self.reads: list[str] = []
        self.url = ""

    def answer(self, path: str, body: bytes, upstream: httpx.Response | None) -> tuple[int, bytes]:
        """Return the answer to a call."""
        if path == "/connected_accounts/get":
            return self._account(json.loads(body)["connected_account_id"])
        assert upstream is not None
        if path == "/access_codes/get" and upstream.is_success and (self.code_errors or self.code_says):
            content = upstream.json()
            content["access_code"]["errors"] += self.code_errors
            content["access_code"] |= self.code_says
            return 200, json.dumps(content).encode()
        return upstream.status_code, upstream.content

    def _account(self, account_id: str) -> tuple[int, bytes]:
        if isinstance(self.account, int):
            error = {"type": self.refusal, "message": "This key may not read accounts."}
            return self.account, json.dumps({"error": error, "ok": False}).encode()
        shown = {"connected_account_id": account_id, "user_identifier": {"email": "owner@example.com"}, **self.account}
        return 200, json.dumps({"connected_account": shown, "ok": True}).encode()


@contextmanager
def seam_front(behind: str) -> Iterator[SeamFront]:
    """Run the server in front of the one at the URL `behind`."""
    front = SeamFront()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            front.reads.append(self.path)
            upstream = None
            if self.path != "/connected_accounts/get":
                headers = {"authorization": self.headers["authorization"], "content-type": "application/json"}
                upstream = httpx.post(f"{behind}{self.path}", content=body, headers=headers, trust_env=False)
            status, content = front.answer(self.path, body, upstream)
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    front.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
