"""Records as JSON, and what this process does with a record that a newer one wrote.

It reads the fields that it knows, and keeps the others when it writes the record back. A record that it can't read is
left to a newer process (`NewerVersionNeeded`). The rules are in `shared.domain.versions`.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from shared.domain.versions import NewerVersionNeeded, Versioned, is_incompatible, is_newer, schema_in, unknown_fields

T = TypeVar("T", bound=Versioned)


class RecordJson(Generic[T]):
    """The JSON of records of one type. The type is checked on the way in and out."""

    def __init__(self, record_type: type[T], *, exclude: frozenset[str] = frozenset()) -> None:
        """Fields in `exclude` aren't stored."""
        self._exclude = set(exclude)
        self._adapter: TypeAdapter[T] = _adapter_of(record_type)
        self._name = record_type.__name__
        defaults = {each.name: each.default for each in fields(cast(Any, record_type))}
        self._schema = str(defaults["schema"])

    def decoded(self, text: str | bytes) -> T:
        """Return the record in `text`. Raises NewerVersionNeeded; pydantic.ValidationError if the text is damaged."""
        try:
            record = self._adapter.validate_json(text)
        except ValidationError:
            schema = _schema_of(text)
            if is_newer(schema, self._schema):
                raise NewerVersionNeeded(self._name, schema, self._schema) from None
            raise
        # Except during a rolling restart all records are of our own version, and cost only this comparison.
        if record.schema == self._schema or not is_newer(record.schema, self._schema):
            return record
        if is_incompatible(record.schema, self._schema):
            raise NewerVersionNeeded(self._name, record.schema, self._schema)
        return cast(T, _with_unknown_fields(record, json.loads(text)))

    def encoded(self, record: T) -> str:
        """Return the record as JSON, with the fields and the version of the newer process that wrote it, if one did."""
        if record.schema != self._schema:
            if is_newer(record.schema, self._schema):
                known = self._adapter.dump_python(record, mode="json", exclude=self._exclude)
                return json.dumps(_completed(record, known), separators=(",", ":"))
            record = cast(T, replace(cast(Any, record), schema=self._schema))
        return self._adapter.dump_json(record, exclude=self._exclude).decode()


@cache
def _adapter_of(record_type: type[T]) -> TypeAdapter[T]:
    """Return what checks values of this type. Making it takes tens of milliseconds, and several stores share a type."""
    return TypeAdapter(record_type)


def _schema_of(text: str | bytes) -> str:
    """Return the version of a record that we can't read; "" if the text isn't JSON."""
    try:
        return schema_in(json.loads(text))
    except ValueError:
        return ""


def _with_unknown_fields(value: Any, content: Any) -> Any:
    """Return a value, with the unknown fields of its JSON in each object's `unknown_fields`."""
    if is_dataclass(value) and isinstance(content, dict):
        names = {each.name for each in fields(value)}
        parts = {name: _with_unknown_fields(getattr(value, name), content[name]) for name in names & content.keys()}
        unknown = unknown_fields(content, names)
        if unknown and "unknown_fields" in names:
            parts["unknown_fields"] = unknown
        return replace(cast(Any, value), **parts)
    if isinstance(value, tuple) and isinstance(content, list):
        return tuple(_with_unknown_fields(each, part) for each, part in zip(value, content, strict=True))
    if isinstance(value, Mapping) and isinstance(content, dict):
        return {name: _with_unknown_fields(each, content[name]) for name, each in value.items()}
    return value


def _completed(value: Any, known: Any) -> Any:
    """Return the JSON of a value, with the `unknown_fields` of each object added to it."""
    if is_dataclass(value):
        parts = {name: _completed(getattr(value, name), part) for name, part in known.items()}
        return {**parts, **dict(getattr(value, "unknown_fields", ()))}
    if isinstance(value, tuple) and isinstance(known, list):
        return [_completed(each, part) for each, part in zip(value, known, strict=True)]
    if isinstance(value, Mapping) and isinstance(known, dict):
        return {name: _completed(value[name], part) for name, part in known.items()}
    return known
