"""Logs: one JSON object a line on stdout, event names `noun.past_participle`, ids as fields, no secret in any.

Everything passes the same processors: our own events, the libraries' records, tracebacks, and what kills the process or
a thread of it. A value under a name that may hold a secret is taken out, runs of digits in free text are masked, and
the secrets that this process was started with are taken out of the finished line, wherever they stand.
"""

import asyncio
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import suppress
from functools import lru_cache, partial
from types import TracebackType
from typing import Any, Final

import structlog

from shared.connection_errors import format_exception
from shared.seam_event_redaction import REMOVED, is_identifier, mask_digits

_SECRET_NAMES: Final = ("secret", "token", "api_key", "authorization", "signature", "password")
_PIN_NAMES: Final = ("code", "pin", "pin_code", "passcode", "original_code", "new_code")
_FREE_TEXT: Final = ("detail", "error", "exception", "message", "reason_text", "stack")
# A word as short as this may stand in a line by chance, and is no secret worth the name.
_SHORTEST_SECRET: Final = 6
# Each of these says in many lines what our own events say in one.
_QUIET_LIBRARIES: Final = (
    "httpx",
    "httpcore",
    "kombu",
    "amqp",
    "asyncio",
    "uvicorn.access",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
)
# Strangers make it warn of the same as often as they like.
_SERVER: Final = "uvicorn.error"
_MOST_OF_ONE: Final = 5
_A_MINUTE: Final = 60.0

EventDict = MutableMapping[str, Any]


def configure_logging(process: str, level: str, secrets: Iterable[str] = ()) -> None:
    """Set up structlog and the standard library's logging for this process. Idempotent.

    `secrets` are the keys, tokens and passwords that this process knows: no line holds one.
    """
    shared_steps: list[Any] = [
        partial(_name_process, process),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        format_exception,
        _hide_secrets,
    ]
    structlog.configure(
        processors=[*shared_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _Handler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared_steps, _mask_sentence],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=True),
                _without(secrets),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_SERVER).filters = [RepeatedLineFilter(_MOST_OF_ONE, _A_MINUTE)]
    _log_what_kills_us()


class RepeatedLineFilter(logging.Filter):
    """Lets each warning through a few times a while; the first of the next says how many were left out."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._ends_at = 0.0
        self._counts: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the record is written; errors always are. Its template counts, not what is filled in.

        That a request was cancelled is no error of ours: a stop does so, once for each that doesn't come to an end.
        """
        if record.levelno >= logging.ERROR and not _is_cancelled(record):
            return True
        now = self._clock()
        if now >= self._ends_at:
            left_out = sum(max(0, count - self._most) for count in self._counts.values())
            if left_out:
                record.left_out = left_out
            self._counts.clear()
            self._ends_at = now + self._seconds
        template = str(record.msg)
        self._counts[template] = self._counts.get(template, 0) + 1
        return self._counts[template] <= self._most


def _is_cancelled(record: logging.LogRecord) -> bool:
    kind = record.exc_info[0] if record.exc_info else None
    return kind is not None and issubclass(kind, asyncio.CancelledError)


class _Handler(logging.StreamHandler[Any]):
    """Writes lines; of one that can't be written it says so, without the arguments that the library would print."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Report on stderr that a line couldn't be written. Raises nothing."""
        kind = sys.exc_info()[0]
        lost = {"event": "log.failed", "logger": record.name, "error": kind.__name__ if kind else ""}
        # Where the disk is full stderr is as full as stdout. A line must never cost more than itself: an error
        # here would end the loop that logs.
        with suppress(OSError, ValueError):
            sys.stderr.write(json.dumps(lost) + "\n")


def _name_process(process: str, _logger: Any, _method: str, event: EventDict) -> EventDict:
    event["process"] = process
    event.pop("color_message", None)
    return event


def _hide_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if _is_secret(name):
            event[name] = REMOVED
        elif isinstance(value, str):
            if name in _FREE_TEXT:
                event[name] = mask_digits(value)
        elif isinstance(value, dict | list | tuple) and not name.startswith("_"):
            event[name] = _shown_ids(value) if name.endswith("_ids") else _hidden(value)
    return event


def _shown_ids(values: Iterable[Any]) -> list[Any]:
    """Return ids as they are, for they are there to be searched for, but hide what doesn't look like an id."""
    return [each if isinstance(each, str) and is_identifier(each) else _hidden(each) for each in values]


def _hidden(value: Any) -> Any:
    """Return a structure inside an event: what its names call a secret taken out, its texts masked."""
    match value:
        case dict():
            return {str(name): REMOVED if _is_secret(str(name)) else _hidden(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_hidden(inner) for inner in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return mask_digits(str(value))


@lru_cache(1024)
def _is_secret(name: str) -> bool:
    lower = name.lower()
    return lower in _PIN_NAMES or any(part in lower for part in _SECRET_NAMES)


def _mask_sentence(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Mask what a library says: unlike our events' names, its messages are sentences with values in them.

    What the server says of itself is where it listens, and a person must be able to read that.
    """
    record = event.get("_record")
    if record is None or record.name != _SERVER or record.levelno >= logging.WARNING:
        event["event"] = mask_digits(str(event.get("event", "")))
    return event


def _without(secrets: Iterable[str]) -> Callable[[Any, str, Any], str]:
    """Return the last step: no known secret in a finished line, spelled as it is or as JSON spells it."""
    known = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
    spelled = sorted(known | {json.dumps(secret)[1:-1] for secret in known}, key=len, reverse=True)

    def scrub(_logger: Any, _method: str, line: Any) -> str:
        text = str(line)
        # One search each is many times faster than one expression for all.
        for secret in spelled:
            if secret in text:
                text = text.replace(secret, REMOVED)
        return text

    return scrub


def _log_what_kills_us() -> None:
    """Send what nobody caught through the same processors: a bare traceback on stderr passes none."""
    log = structlog.get_logger("process")

    def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("process.crashed", exc_info=(kind, error, trace))

    def thread_crashed(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            name = args.thread.name if args.thread else ""
            exc_info = (args.exc_type, args.exc_value, args.exc_traceback)
            log.critical("thread.crashed", thread=name, exc_info=exc_info)

    sys.excepthook = crashed
    threading.excepthook = thread_crashed
