"""Errors of a lost connection: they are logged in one line, because the traceback says nothing more.

While a data server is restarted, every process meets one of these each second. Known by their names, so that a process
doesn't import the libraries of another.
"""

import errno
import socket
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

_NAMES: Final = frozenset(
    {
        "redis.exceptions.ConnectionError",
        "redis.exceptions.TimeoutError",
        "kombu.exceptions.OperationalError",
        "amqp.exceptions.ConnectionError",
        "shared.replicas.NotOnReplicas",
    }
)
# What Celery makes of such an error before it logs it; it is one only where it was made of one.
_WRAPPERS: Final = frozenset({"celery.beat.SchedulingError"})
# Of the system's errors those about connections: a file that is missing, or a full disk, is no such thing.
_SYSTEMS: Final = (ConnectionError, TimeoutError, socket.gaierror)
_NUMBERS: Final = frozenset(
    {errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}
)
_LONGEST: Final = 300


def is_connection_error(error: BaseException) -> bool:
    """Say whether an error means that a connection failed, and nothing else."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if names & _WRAPPERS:
        inner = error.__cause__ or error.__context__
        return inner is not None and is_connection_error(inner)
    if names & _NAMES or isinstance(error, _SYSTEMS):
        return True
    return isinstance(error, OSError) and error.errno in _NUMBERS


def format_exception(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Put what is logged of an error into `exception`: its traceback, or one line where a connection failed.

    As text, never with the frames' locals: PINs and keys are in them. What ends a process is always told whole.
    """
    error = _error_of(event.get("exc_info"))
    if error is None or method == "critical" or not is_connection_error(error):
        return structlog.processors.format_exc_info(logger, method, event)
    del event["exc_info"]
    kind = type(error)
    event["exception"] = f"{kind.__module__}.{kind.__qualname__}: {' '.join(str(error).split())}"[:_LONGEST]
    # Libraries also write the stack into the sentence, and what they hand on for others to format.
    event["event"] = str(event.get("event", "")).partition("\n")[0]
    data = event.get("data")
    if isinstance(data, Mapping) and "traceback" in data:
        event["data"] = {name: value for name, value in data.items() if name != "traceback"}
    return event


def _error_of(exc_info: Any) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case False | None:
            return None
        case _:
            return sys.exc_info()[1]
