"""Custom metadata of devices and accounts: how it is changed, and how lists are filtered by it."""

from collections.abc import Mapping

from deploy.sandbox.encoding import JsonObject


def merged_metadata(known: JsonObject, changes: Mapping[str, str | bool | None]) -> JsonObject:
    """Return the metadata after a change; null or an empty text takes a key away."""
    merged = {**known, **changes}
    return {key: value for key, value in merged.items() if value is not None and value != ""}


def metadata_matches(known: JsonObject, wanted: Mapping[str, str | bool | None]) -> bool:
    """Whether the metadata has all pairs of a filter; null, in a query an empty text, means that a key is not set."""
    return all(
        key not in known if value is None or value == "" else _text(known.get(key)) == _text(value)
        for key, value in wanted.items()
    )


def _text(value: object) -> str | None:
    """Return a value as a query has it."""
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
