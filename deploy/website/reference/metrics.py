"""The page of metrics: what the console and each process answer, from the catalogue."""

from typing import Final

from deploy.website.reference.markdown import code, codes, page, table
from shared.metrics import CATALOGUE, Metric

_HEAD: Final = ("metric", "type", "labels", "shown by", "says")


def metrics() -> list[Metric]:
    """Return every metric, by name."""
    return sorted(CATALOGUE.values(), key=lambda each: each.name)


def metrics_page() -> str:
    """Return the page."""
    rows = [(code(each.name), each.kind, codes(each.labels), ", ".join(each.shown_by), each.text) for each in metrics()]
    return page(
        "Metrics",
        "Gauges, and what is compared with Seam's own list, are read from the data server by `GET /metrics` of the"
        " [console](../console.md), for any token. Everything else is what happened in one process, on its"
        " `METRICS_PORT`. How to collect them, alerts and a dashboard: [metrics](../metrics.md).",
        table(_HEAD, rows),
    )
