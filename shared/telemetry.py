"""Logs: one JSON object a line on stdout, event names `noun.past_participle`, ids as fields, no secret in any.

Everything, the libraries' own records too, passes the same processors; the last one before rendering takes out whatever
stands under a name that may hold a secret, and masks runs of digits in free text.
"""

import logging
import sys
from collections.abc import MutableMapping
from functools import partial
from typing import Any, Final

import structlog

from shared.redaction import REMOVED, mask_digits

_SECRET_NAMES: Final = ("secret", "token", "api_key", "authorization", "signature", "password")
_FREE_TEXT: Final = ("detail", "error", "exception", "message", "reason_text")
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

EventDict = MutableMapping[str, Any]


def configure_logging(process: str, level: str) -> None:
    """Set up structlog and the standard library's logging for this process. Idempotent."""
    shared_steps: list[Any] = [
        structlog.contextvars.merge_contextvars,
        partial(_name_process, process),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.dict_tracebacks if level == "debug" else structlog.processors.format_exc_info,
        _hide_secrets,
    ]
    structlog.configure(
        processors=[*shared_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared_steps],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _hide_secrets,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def _name_process(process: str, _logger: Any, _method: str, event: EventDict) -> EventDict:
    event["process"] = process
    event.pop("color_message", None)
    return event


def _hide_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if name in ("code", "pin") or any(part in name for part in _SECRET_NAMES):
            event[name] = REMOVED
        elif name in _FREE_TEXT and isinstance(value, str):
            event[name] = mask_digits(value)
    return event
