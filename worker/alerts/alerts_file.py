"""ALERTS_FILE: channels by name, which problems go to which of them, and the rules of alerting.

All values are read as text, not as YAML's types: in YAML `22:00` is the number 1320. The whole file is checked: every
problem is reported with its path, and unknown keys are refused.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import TypeAdapter, ValidationError

from worker.alerts.alerts_file_schema import AlertsFile

# Bytes. A file for thousands of units is far smaller.
_LARGEST: Final = 1024 * 1024
_MOST_NODES: Final = 100_000
# The C loader is ten times as fast, but isn't on every machine.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class InvalidAlertsFile(ValueError):
    """The file can't be used; `problems` has every problem with its path in the file."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def load_alerts_file(path: Path) -> AlertsFile:
    """Read the file. Raises InvalidAlertsFile with every problem."""
    try:
        with path.open("rb") as file:
            root = yaml.compose(file.read(_LARGEST).decode("utf-8-sig"), Loader=_LOADER)
        problems: list[str] = []
        content = _plain(root, "", problems, count(1))
    except OSError as error:
        raise InvalidAlertsFile([error.strerror or "can't be read"]) from None
    except InvalidAlertsFile:
        raise
    except RecursionError:
        raise InvalidAlertsFile(["is nested too deeply, or holds an alias of itself"]) from None
    except ValueError:
        raise InvalidAlertsFile(["is not readable text"]) from None
    except yaml.YAMLError as error:
        line = error.problem_mark.line + 1 if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark else 0
        raise InvalidAlertsFile([f"line {line}: is not YAML"]) from None
    problems += _unknown_channels(content)
    try:
        found = TypeAdapter(AlertsFile).validate_python(content)
    except ValidationError as invalid:
        problems += [_text_of(dict(fault)) for fault in invalid.errors(include_url=False, include_input=False)]
        raise InvalidAlertsFile(problems) from None
    if problems:
        raise InvalidAlertsFile(problems)
    return found


def _plain(node: yaml.Node | None, path: str, problems: list[str], counted: Iterator[int]) -> Any:
    """Return the node as texts, lists and mappings; a key that is there twice is a problem.

    Raises InvalidAlertsFile if the file, with its aliases expanded, is too large: a few lines with aliases of aliases
    can expand to more than the memory.
    """
    if next(counted) > _MOST_NODES:
        raise InvalidAlertsFile([f"says more than {_MOST_NODES} things: aliases stand for too much"])
    match node:
        case yaml.MappingNode():
            content: dict[str, Any] = {}
            for key, value in node.value:
                name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
                where = f"{path}.{name}" if path else name
                if name in content:
                    problems.append(f"{where}: stands a second time on line {key.start_mark.line + 1}")
                content[name] = _plain(value, where, problems, counted)
            return content
        case yaml.SequenceNode():
            return [_plain(value, f"{path}.{number}", problems, counted) for number, value in enumerate(node.value)]
        case yaml.ScalarNode():
            return str(node.value)
        case _:
            return {}


def _text_of(fault: dict[str, Any]) -> str:
    where = ".".join(str(step) for step in fault["loc"]) or "file"
    return f"{where}: {str(fault['msg']).removeprefix('Value error, ')}"


def _unknown_channels(content: Any) -> list[str]:
    """Return a problem for each name that no channel has. They are reported with all other problems of the file."""
    channels = content.get("channels") if isinstance(content, dict) else None
    if not isinstance(channels, dict):
        return []
    unknown = ((where, name) for where, name in _named(content) if name not in channels)
    return [f"{where}: there is no channel {name[:40]!r}" for where, name in unknown]


def _named(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each reference to a channel by name in the file, with its path."""
    routes = content.get("routes")
    for number, route in enumerate(routes if isinstance(routes, list) else ()):
        names = route.get("channels") if isinstance(route, dict) else None
        for name in names if isinstance(names, list) else [names]:
            if isinstance(name, str):
                yield f"routes.{number}.channels", name
    fallback = content.get("fallback")
    if isinstance(fallback, str) and fallback:
        yield "fallback", fallback
