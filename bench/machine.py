"""The machine that the figures were measured on, and its load: without these the figures mean nothing."""

import os
import platform
from importlib.metadata import version
from typing import Any

import psutil

from shared.clock import system_clock


def described() -> dict[str, Any]:
    """Return the facts of this machine, for `results.json`."""
    return {
        "measured_at": system_clock().isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in ("starlette", "uvicorn", "celery", "redis", "svix", "httpx")},
    }
