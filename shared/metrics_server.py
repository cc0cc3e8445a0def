"""METRICS_PORT: one process's own metrics over HTTP, in Prometheus' format, from a thread of its own."""

from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Info, ProcessCollector, start_http_server

from shared.metrics import collectors_of
from shared.settings import Settings

# Shown as `oracode_build_info`.
_BUILD: Final = "oracode_build"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def registry_of(process: str, version: str) -> CollectorRegistry:
    """Return what a process shows: its own counters, `oracode_build_info`, and memory, CPU and files (`process_…`)."""
    registry = CollectorRegistry()
    for collector in collectors_of(process):
        registry.register(collector)
    ProcessCollector(registry=registry)
    Info(_BUILD, "Version and name of the process.", registry=registry).info({"version": version, "process": process})
    return registry


def serve_metrics(process: str, settings: Settings, *, version: str) -> None:
    """Serve them, where METRICS_PORT is set. A port that is taken is logged: metrics must keep nothing from working."""
    if settings.metrics_port is None:
        return
    place = {"host": settings.metrics_host, "port": settings.metrics_port}
    try:
        start_http_server(settings.metrics_port, settings.metrics_host, registry=registry_of(process, version))
    except OSError as error:
        # A traceback would tell no more than which port it is.
        log.error("metrics.not_served", **place, error=str(error))  # noqa: TRY400
    else:
        log.info("metrics.served", **place)
