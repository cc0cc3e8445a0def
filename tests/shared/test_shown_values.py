"""What is printed when somebody prints a value: no dataclass shows a secret that it holds."""

import importlib
import pkgutil
from dataclasses import Field, fields, is_dataclass
from typing import Any

import pytest

PACKAGES = ("receiver", "worker", "shared", "deploy")
MARKS = ("secret", "token", "api_key", "password", "authorization", "redis_url", "queue_url", "environment")


def secret_fields() -> list[tuple[str, "Field[Any]"]]:
    """Return every field of every dataclass whose name says that it holds a secret."""
    found = {}
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if module.name.endswith("__main__"):
                continue
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and is_dataclass(value):
                    for each in fields(value):
                        if any(mark in each.name for mark in MARKS) and "SecretStr" not in str(each.type):
                            found[f"{value.__qualname__}.{each.name}"] = each
    return sorted(found.items())


@pytest.mark.parametrize(("name", "field"), secret_fields(), ids=lambda it: it if isinstance(it, str) else "")
def test_no_dataclass_shows_a_secret(name: str, field: "Field[Any]") -> None:
    """It ends in a log as soon as something fails that holds it."""
    assert not field.repr, name


def test_the_search_finds_some() -> None:
    """A search that finds nothing proves nothing."""
    assert "DispatcherOptions.redis_url" in dict(secret_fields())
