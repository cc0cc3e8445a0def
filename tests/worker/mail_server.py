"""A mail server on 127.0.0.1: takes mail by SMTP, with faults on request. It has no TLS."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class MailRecorder:
    """The mails that were sent; `faults` are the answers to the next mails: a line, or "" to close the connection."""

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.faults: list[str] = []
        self.refuses: set[str] = set()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, recorder: MailRecorder) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.recorder = recorder


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        recorder = self.server.recorder
        self._say("220 test")
        while line := self.rfile.readline().decode("latin-1").strip():
            match line[:4].upper():
                case "QUIT":
                    self._say("221 bye")
                    return
                case "DATA":
                    if not self._take(recorder):
                        return
                case "RCPT" if any(each in line for each in recorder.refuses):
                    self._say("550 no such user")
                case "RCPT":
                    recorder.recipients.append(line.partition(":")[2].strip("<>"))
                    self._say("250 ok")
                case _:
                    self._say("250 ok")

    def _take(self, recorder: MailRecorder) -> bool:
        self._say("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        answer = recorder.faults.pop(0) if recorder.faults else "250 taken"
        if answer.startswith("250"):
            mail = message_from_bytes(b"".join(lines), policy=policy.default)
            recorder.mails.append(mail)
        if answer:
            self._say(answer)
        return bool(answer)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailRecorder]:
    """Run the server while the block runs."""
    recorder = MailRecorder()
    with _Server(recorder) as server:
        recorder.port = server.server_address[1]
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()
