"""The page of metrics: what `GET /metrics` of the console answers."""

import ast
from dataclasses import dataclass
from typing import Final

from deploy.website.reference.markdown import code, codes, page, table
from deploy.website.reference.source_code import calls_in, read_modules

_PREFIX: Final = "oracode_"
_COUNTER: Final = "CounterMetricFamily"


@dataclass(frozen=True, slots=True, order=True)
class MetricRow:
    """One metric: its name as it is scraped, its type, its labels, what it says, and the module that makes it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    says: str
    path: str


def metrics() -> list[MetricRow]:
    """Return every metric that the code names, by name."""
    return sorted(
        {
            row
            for module in read_modules()
            for function in ast.walk(module.tree)
            if isinstance(function, ast.FunctionDef)
            for call in calls_in(function)
            if (row := _metric(call, function, module.path)) is not None
        }
    )


def _metric(call: ast.Call, function: ast.FunctionDef, path: str) -> MetricRow | None:
    """Return the metric that a call makes: its name first, then what it says; labels in a list, or one as a text."""
    match call:
        case ast.Call(args=[ast.Constant(value=str(name)), says, *more]) if name.startswith(_PREFIX):
            kind = "counter" if _name_of(call.func) == _COUNTER else "gauge"
            scraped = f"{name}_total" if kind == "counter" else name
            given = [*more, *(each.value for each in call.keywords if each.arg in ("labels", "labelnames"))]
            labels = [label for each in given for label in _labels(each)]
            return MetricRow(scraped, kind, tuple(labels), _said(says, function), path)
        case _:
            return None


def _name_of(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else ""


def _labels(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str(label)):
            return [label]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [label for part in parts for label in _labels(part)]
        case _:
            return []


def _said(node: ast.expr, function: ast.FunctionDef) -> str:
    """Return a text that is given as it is, or by the name of a variable of the same function."""
    if isinstance(node, ast.Name):
        values = [
            each.value
            for each in ast.walk(function)
            if isinstance(each, ast.Assign) and [ast.unparse(target) for target in each.targets] == [node.id]
        ]
        return _said(values[0], function) if values else ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def metrics_page() -> str:
    """Return the page."""
    rows = [(code(each.name), each.kind, codes(each.labels), each.says) for each in metrics()]
    return page(
        "Metrics",
        "`GET /metrics` of the [console](../console.md) answers these in Prometheus' format, to whoever shows a"
        " token of"
        " any role. Each is read from the data server when it is asked for, so it is true of the whole system,"
        " however many processes there are.",
        table(("metric", "type", "labels", "says"), rows),
    )
