"""The doors file: which doors a unit has, and the defaults of its bookings.

```yaml
"101":
  device_ids: [11111111-1111-1111-1111-444444444444]
  check_in: 16:00
  check_out: 10:00
  buffer_before: 30m
  granularity: hourly
  lead_time: 14d
  building: Tower A
  tags: [vip]
```

The file is read as written, node by node, never as YAML's own types: to YAML `16:00` is the number
960 and `101` is not a text. So every value keeps its line, and every problem is told with it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import TypeVar

import yaml

from shared.domain.door.device_id import RIGHT_DEVICE_ID, NotADeviceId, device_id_of
from shared.domain.quoting import is_showable, quoted
from shared.domain.stay.stay import Granularity, UnitRules
from shared.domain.times.durations import parse_duration

# The C loader is ten times faster, and not on every machine.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LARGEST = 32 * 1024 * 1024
_LONGEST_NAME = 128
_MOST_DEVICES = 100
_LONGEST_BUFFER = timedelta(days=1)
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_FIELDS = (
    "device_ids",
    "check_in",
    "check_out",
    "buffer_before",
    "buffer_after",
    "granularity",
    "lead_time",
    "building",
    "tags",
)
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class LineProblem:
    """One thing wrong with the file: on which line (from 1; 0 is the file itself), and what."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


class InvalidDoorsFile(ValueError):
    """The doors file can't be used; `problems` names every fault with its line."""

    def __init__(self, path: Path, problems: tuple[LineProblem, ...]) -> None:
        super().__init__(path, problems)
        self.path = path
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(f"{self.path}: {problem}" for problem in self.problems)


def load_doors_file(path: Path) -> Mapping[str, UnitRules]:
    """Return the rules of every unit in the file; raise InvalidDoorsFile with all that is wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST)
        root = yaml.compose(raw.decode("utf-8-sig"), Loader=_LOADER)
    except OSError as error:
        raise InvalidDoorsFile(path, (LineProblem(0, error.strerror or str(error)),)) from None
    except (ValueError, RecursionError) as error:
        text = f"can't be read: {quoted(str(error))}"
        raise InvalidDoorsFile(path, (LineProblem(0, text),)) from None
    except yaml.YAMLError as error:
        raise InvalidDoorsFile(path, (_yaml_problem(error),)) from None
    reader = _Reader()
    units = reader.units(root)
    if reader.problems:
        raise InvalidDoorsFile(path, tuple(sorted(reader.problems, key=lambda one: one.line)))
    return units


def _yaml_problem(error: yaml.YAMLError) -> LineProblem:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return LineProblem(error.problem_mark.line + 1, f"is not YAML: {error.problem}")
    return LineProblem(0, f"is not YAML: {quoted(str(error))}")


class _Reader:
    """Turns nodes into rules and notes what is wrong on the way."""

    def __init__(self) -> None:
        self.problems: list[LineProblem] = []

    def units(self, root: yaml.Node | None) -> dict[str, UnitRules]:
        if root is None:
            self._wrong(None, "is empty: name at least one unit")
            return {}
        if not isinstance(root, yaml.MappingNode):
            self._wrong(root, "must be a mapping of units to their rules")
            return {}
        units = {}
        for key, value in self._pairs(root, "a unit"):
            unit = self._text(key, "the name of a unit")
            if unit is not None:
                units[unit] = self._unit(unit, key, value)
        return units

    def _unit(self, unit: str, key: yaml.Node, node: yaml.Node) -> UnitRules:
        fields: dict[str, yaml.Node] = {}
        if isinstance(node, yaml.MappingNode):
            for name, value in self._pairs(node, "a field"):
                written = name.value if isinstance(name, yaml.ScalarNode) else None
                if written in _FIELDS:
                    fields[str(written)] = value
                else:
                    what = quoted(written) if written is not None else "this"
                    self._wrong(name, f"{what} is not known: there are {', '.join(_FIELDS)}")
        else:
            self._wrong(node, f"unit {quoted(unit)} must be a mapping: {', '.join(_FIELDS)}")
        if isinstance(node, yaml.MappingNode) and "device_ids" not in fields:
            self._wrong(key, f"unit {quoted(unit)} has no device_ids: list at least one Seam device id")
        return UnitRules(
            unit=unit,
            device_ids=self._devices(fields.get("device_ids")),
            check_in=self._read(fields.get("check_in"), _time),
            check_out=self._read(fields.get("check_out"), _time),
            buffer_before=self._read(fields.get("buffer_before"), _buffer) or timedelta(),
            buffer_after=self._read(fields.get("buffer_after"), _buffer) or timedelta(),
            granularity=self._read(fields.get("granularity"), _granularity),
            lead_time=self._read(fields.get("lead_time"), parse_duration),
            building=self._optional_text(fields.get("building"), "a building"),
            tags=self._tags(fields.get("tags")),
        )

    def _devices(self, node: yaml.Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        entries = node.value if isinstance(node, yaml.SequenceNode) else [node]
        devices: list[str] = []
        for entry in entries:
            device = self._device(entry)
            if device in devices:
                self._wrong(entry, f"device {quoted(device)} is listed twice in one unit")
            elif device is not None:
                devices.append(device)
        if not entries or len(entries) > _MOST_DEVICES:
            self._wrong(node, f"device_ids must be 1 to {_MOST_DEVICES} Seam device ids")
        return tuple(devices)

    def _device(self, node: yaml.Node) -> str | None:
        text = self._text(node, "a device id")
        if text is None:
            return None
        try:
            return device_id_of(text)
        except NotADeviceId as error:
            self._wrong(node, f"{error}: {RIGHT_DEVICE_ID}")
            return None

    def _tags(self, node: yaml.Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        entries = node.value if isinstance(node, yaml.SequenceNode) else [node]
        return tuple(tag for entry in entries if (tag := self._text(entry, "a tag")) is not None)

    def _optional_text(self, node: yaml.Node | None, what: str) -> str:
        return (self._text(node, what) or "") if node is not None else ""

    def _read(self, node: yaml.Node | None, read: Callable[[str], _Value]) -> _Value | None:
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            self._wrong(node, "must be one value")
            return None
        try:
            return read(node.value)
        except ValueError as error:
            self._wrong(node, str(error))
            return None

    def _text(self, node: yaml.Node, what: str) -> str | None:
        value = node.value if isinstance(node, yaml.ScalarNode) else ""
        if 0 < len(value) <= _LONGEST_NAME and is_showable(value):
            return str(value)
        self._wrong(node, f"{what} must be 1 to {_LONGEST_NAME} printable characters")
        return None

    def _pairs(self, node: yaml.MappingNode, what: str) -> list[tuple[yaml.Node, yaml.Node]]:
        first: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in first:
                    where = f"it stands on line {first[key.value]}"
                    self._wrong(key, f"{quoted(key.value)} is {what} a second time: {where}")
                first.setdefault(key.value, key.start_mark.line + 1)
        return list(node.value)

    def _wrong(self, node: yaml.Node | None, text: str) -> None:
        line = 0 if node is None else node.start_mark.line + 1
        self.problems.append(LineProblem(line, text))


def _time(text: str) -> time:
    written = _TIME.fullmatch(text)
    try:
        return time(int(written[1]), int(written[2])) if written else time(99)
    except ValueError:
        raise ValueError(f"{quoted(text)} is not a time of day such as 16:00") from None


def _buffer(text: str) -> timedelta:
    buffer = parse_duration(text, allow_zero=True)
    if buffer > _LONGEST_BUFFER:
        raise ValueError(f"{quoted(text)} is too long for a buffer: at most 24h")
    return buffer


def _granularity(text: str) -> Granularity:
    if text not in tuple(Granularity):
        raise ValueError(f"{quoted(text)} is not known: write hourly or daily")
    return Granularity(text)
