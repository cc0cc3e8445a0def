"""What the figures were measured on, and whether anything else was running: without it they say nothing."""

import os
import platform
from importlib.metadata import version
from typing import Any

import psutil

from shared.clock import system_clock


def described() -> dict[str, Any]:
    """Return it."""
    return {
        "measured_at": system_clock().isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in ("starlette", "uvicorn", "celery", "redis", "svix", "httpx")},
    }
