"""The parameters of an API call: typed on reading, all complaints gathered before any is raised.

Seam takes them from the query of a GET or the JSON body of any other method. Only in a query may a
number or a boolean be written as text: in JSON a value of the wrong type is ``invalid_input``.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from pydantic_core import from_json

from deploy.sandbox.errors import ApiError
from deploy.sandbox.wire import JsonObject, read_instant

_IGNORED = "_strict"
_BOOLEANS = {"true": True, "false": False}


class QueryText(str):
    """A value from the query string: may stand for a number, a boolean or a list."""

    __slots__ = ()


def read_values(query: bytes, body: bytes) -> JsonObject:
    """Return the raw parameters of a call.

    Raises:
        ApiError: 400, the body is no JSON object.

    """
    values: JsonObject = {}
    if query:
        for name, texts in parse_qs(query.decode(), keep_blank_values=True).items():
            found = [QueryText(text) for text in texts]
            values[name] = found[0] if len(found) == 1 else found
    if body.strip():
        try:
            sent = from_json(body)
        except ValueError as problem:
            raise _bad_body("The body is not valid JSON") from problem
        if not isinstance(sent, dict):
            raise _bad_body("The body is not a JSON object")
        values.update(sent)
    values.pop(_IGNORED, None)
    return values


class Params:
    """Reads parameters; call `check` once all are read."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Take the raw values; null and empty query values count as not given."""
        self.values = {name: value for name, value in values.items() if value is not None and value != QueryText()}
        self.problems: dict[str, list[str]] = {}

    def string(self, name: str, *, required: bool = False) -> str | None:
        """Return a text."""
        value = self._value(name, required=required)
        if value is None or isinstance(value, str):
            return value
        self.complain(name, "Expected string")
        return None

    def required(self, name: str) -> str:
        """Return a text that must be there.

        Raises:
            ApiError: 400, it isn't, or something else read so far is wrong.

        """
        value = self.string(name, required=True)
        self.check()
        return value or ""

    def flag(self, name: str) -> bool | None:
        """Return a boolean."""
        value = self.values.get(name)
        if isinstance(value, QueryText):
            value = _BOOLEANS.get(value, value)
        if value is None or isinstance(value, bool):
            return value
        self.complain(name, "Expected boolean")
        return None

    def count(self, name: str) -> int | None:
        """Return a positive whole number."""
        value = self.values.get(name)
        if isinstance(value, QueryText) and value.replace(".", "", 1).isdecimal():
            value = float(value)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value) > 0:
            return int(value)
        self.complain(name, "Expected a positive integer")
        return None

    def strings(self, name: str) -> list[str] | None:
        """Return a list of texts."""
        value = self.values.get(name)
        if isinstance(value, QueryText):
            value = value.split(",")
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        self.complain(name, "Expected array of strings")
        return None

    def instant(self, name: str) -> datetime | None:
        """Return an ISO 8601 instant in UTC."""
        value = self.string(name)
        return None if value is None else self.as_instant(name, value)

    def as_instant(self, name: str, text: str) -> datetime | None:
        """Read a text as an ISO 8601 instant."""
        try:
            return read_instant(text)
        except ValueError:
            self.complain(name, "Expected an ISO 8601 date and time with a UTC offset")
        return None

    def complain(self, name: str, problem: str) -> None:
        """Add a complaint about a parameter."""
        self.problems.setdefault(name, []).append(problem)

    def check(self) -> None:
        """Refuse the call if anything was wrong.

        Raises:
            ApiError: 400 ``invalid_input`` with every complaint.

        """
        if self.problems:
            name, texts = next(iter(self.problems.items()))
            message = f"{name}: {texts[0]}"
            raise ApiError(HTTPStatus.BAD_REQUEST, "invalid_input", message, problems=self.problems)

    def _value(self, name: str, *, required: bool) -> Any:
        if required and name not in self.values:
            self.complain(name, "Required")
        return self.values.get(name)


def _bad_body(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, "invalid_input", message, problems={})
