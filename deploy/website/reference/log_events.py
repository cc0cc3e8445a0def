"""The page of log events: what may stand as `event` in a line of a process's log."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from deploy.website.reference.markdown import code, codes, page, table
from deploy.website.reference.source_code import Module, calls_in, read_modules, texts_by_name, texts_of

_LEVELS: Final = ("debug", "info", "warning", "error", "exception", "critical")


@dataclass(frozen=True, slots=True, order=True)
class LogEvent:
    """One kind of line: its name, its level, its fields beside those of every line, and the module that writes it."""

    name: str
    level: str
    fields: tuple[str, ...]
    path: str


def log_events() -> list[LogEvent]:
    """Return every event that is logged, by name."""
    return sorted({event for module in read_modules() for event in _events_in(module)})


def unnamed_log_calls() -> list[str]:
    """Return the calls that log an event without its name written there, as `path:line`."""
    return [
        f"{module.path}:{call.lineno}" for module in read_modules() for call, names in _log_calls(module) if not names
    ]


def _log_calls(module: Module) -> Iterator[tuple[ast.Call, list[str]]]:
    """Yield each call that logs, with the events that it may log: written there, or a name that the module assigns."""
    named = texts_by_name(module)
    for call in calls_in(module.tree):
        if _level_of(call):
            first = call.args[0] if call.args else None
            yield call, named.get(first.id, []) if isinstance(first, ast.Name) else texts_of(first) if first else []


def _events_in(module: Module) -> set[LogEvent]:
    return {
        LogEvent(name, _level_of(call), tuple(each.arg for each in call.keywords if each.arg), module.path)
        for call, names in _log_calls(module)
        for name in names
    }


def _level_of(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(value=ast.Name(id="log" | "_log" | "logger"), attr=level) if level in _LEVELS:
            return "error" if level == "exception" else level
        case _:
            return ""


def log_events_page() -> str:
    """Return the page."""
    rows = [(code(each.name), each.level, codes(each.fields), code(each.path)) for each in log_events()]
    return page(
        "Log events",
        "A log line is one JSON object in ASCII. Each has `event`, `level`, `timestamp` and `process`; the fields in"
        " the table come with that event. A line of level `error` that was written for a crash has its traceback in"
        " `exception`. No line holds a PIN, a key or a token. Lines of libraries have their own text as `event`.",
        table(("event", "level", "fields", "written by"), rows),
    )
