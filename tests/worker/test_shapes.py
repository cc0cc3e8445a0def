"""A change of data that two processes share needs a new version: each shape is stored under its version.

A new shape is added to `shapes.json` by `UPDATE_GOLDEN=1 pytest tests/worker/test_shapes.py`; a stored one is never
changed. docs/two-versions.md says which number grows.
"""

import inspect
import json
import os
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from receiver.console.bulk_orders import BulkOrder
from shared.domain import versions
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.budget import Budget
from shared.domain.alerting.notifications import Group
from shared.domain.booking.outcome_queue import OutcomeQueue
from shared.domain.booking.record import Booking
from shared.ledger.due_set import DueItem
from shared.ops_commands import ACTIONS, OpsCommand
from shared.parked import Parked
from shared.replay_results import ReplayResult
from tests.worker.machine import Machine
from tests.worker.task_table import TaskTable

KEPT = Path(__file__).parent / "shapes.json"
RECORDS = {
    f"Booking {versions.BOOKING}": Booking,
    f"Alert {versions.ALERT}": Alert,
    f"Group {versions.ALERT_GROUP}": Group,
    f"Budget {versions.CHANNEL_BUDGET}": Budget,
    f"OpsCommand {versions.ORDER}": OpsCommand,
    f"Parked {versions.PARKED}": Parked,
    f"OutcomeQueue {versions.OUTCOME_QUEUE}": OutcomeQueue,
    f"ReplayResult {versions.REPLAY}": ReplayResult,
    f"BulkOrder {versions.BULK_ORDER}": BulkOrder,
}


# A type may move to another module, or get another name (in all kept shapes): the stored data stays the same.
_MODULE = re.compile(r"\bshared\.[a-z_.]+\.(?=[A-Z])")


def shape_of(record_type: Any, seen: set[Any]) -> Iterator[str]:
    """Yield a line for each field of a type and of its parts, and for each value of an enum."""
    if record_type in seen:
        return
    seen.add(record_type)
    for part in get_args(record_type):
        yield from shape_of(part, seen)
    if isinstance(record_type, type) and issubclass(record_type, StrEnum):
        yield f"{record_type.__name__}: {', '.join(each.value for each in record_type)}"
    elif is_dataclass(record_type):
        hints = get_type_hints(record_type)
        for each in fields(record_type):
            if each.name not in ("unknown_fields", "schema", "version"):
                yield f"{record_type.__name__}.{each.name}: {_MODULE.sub('', str(each.type))}"  # type: ignore[union-attr]
                yield from shape_of(hints[each.name], seen)


def shapes(machine: Machine) -> dict[str, list[str]]:
    """Return everything that has a shape, as it is now."""
    found = {name: list(shape_of(each, set())) for name, each in RECORDS.items()}
    found[f"OpsCommand {versions.ORDER}"].append(f"actions: {', '.join(ACTIONS)}")
    for name, run in TaskTable(machine).tasks.items():
        found[f"task {name}"] = [str(inspect.signature(run).replace(return_annotation=inspect.Signature.empty))]
    subjects = {
        "door": 2,
        "alert": 1,
        "chore": 1,
        "refresh": 1,
        "account": 1,
        "conflicts": 1,
        "outcome": 2,
        "removal": 2,
    }
    for subject, ids in subjects.items():
        assert DueItem(subject, ("x",) * ids).is_known
        assert not DueItem(subject, ("x",) * (ids + 1)).is_known
    return found


def test_shared_data_never_changes_without_its_version(machine: Machine) -> None:
    """Another field, value or argument needs another version, or another name."""
    kept = json.loads(KEPT.read_text())
    now = shapes(machine)
    if os.environ.get("UPDATE_GOLDEN"):
        KEPT.write_text(json.dumps({**now, **kept}, indent=1, sort_keys=True) + "\n")
        pytest.skip("what was missing is added")
    assert now.keys() <= kept.keys(), "a new version or task: UPDATE_GOLDEN=1 keeps its shape"
    changed = {name for name, lines in now.items() if kept[name] != lines}
    assert changed == set(), "these have another shape under the same version: let it grow in shared/domain/versions.py"
