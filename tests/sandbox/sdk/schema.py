"""Judge JSON by the types of Seam's own SDK, which are the newest schema that can be had.

Runs in the SDK's interpreter. An ``Optional`` field of the SDK may be absent or null; every other one must be there.
Beside the types two conventions of Seam's API reference are held: what ends in ``_id`` is a UUID, what ends in
``_at`` is an ISO 8601 instant.
"""

import dataclasses
import keyword
import re
import types
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

# What the sandbox sends beside the schema, and why. `[]` stands for any place in a list.
ALLOWED: dict[str, str] = {
    "predefined_time_slots[].ext_dormakaba_oracode_user_level_prefix": "every sample of Seam's guides has this name",
}
# Strings that end in `_id` and belong to dormakaba, which doesn't use UUIDs.
_FOREIGN_IDS = ("dormakaba_oracode_metadata.device_id", "dormakaba_oracode_metadata.user_level_id")
_INDEX = re.compile(r"\[\d+\]")


def violations(value: Any, wanted: Any, where: str) -> Iterator[str]:
    """Yield what is wrong with a JSON value that should be of a type of the SDK; `where` is the path to it."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if dataclasses.is_dataclass(wanted):
        yield from _of_object(value, wanted, where)
    elif origin is Literal:
        if not any(value == each and type(value) is type(each) for each in arguments):
            yield f"{where}: {value!r} is none of {arguments}"
    elif origin in {Union, types.UnionType}:
        yield from _of_union(value, arguments, where)
    elif origin in {list, dict}:
        yield from _of_container(value, origin, arguments[-1], where)
    else:
        yield from _of_scalar(value, wanted, where)


def _of_container(value: Any, wanted: type, of: Any, where: str) -> Iterator[str]:
    if not isinstance(value, wanted):
        yield f"{where}: {value!r} is not {'a list' if wanted is list else 'an object'}"
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from violations(each, of, f"{where}[{number}]")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from violations(each, of, f"{where}.{name}")


def _of_object(value: Any, wanted: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: {value!r} is not an object"
        return
    fields = {_json_name(field.name): field.type for field in dataclasses.fields(wanted)}
    for name, field_type in fields.items():
        if name in value:
            yield from violations(value[name], field_type, f"{where}.{name}")
        elif not _is_optional(field_type):
            yield f"{where}.{name}: missing"
    for name in value.keys() - fields.keys():
        if not any(_INDEX.sub("[]", f"{where}.{name}").endswith(allowed) for allowed in ALLOWED):
            yield f"{where}.{name}: the schema of {wanted.__qualname__} doesn't know this field"


def _of_union(value: Any, members: tuple[Any, ...], where: str) -> Iterator[str]:
    """Judge by the variant that the value says it is, else by any member that fits."""
    if value is None and type(None) in members:
        return
    members = tuple(member for member in members if member is not type(None))
    if isinstance(value, dict) and len(members) > 1 and all(dataclasses.is_dataclass(each) for each in members):
        chosen = [each for each in members if all(value.get(name) == tag for name, tag in _tags(each))]
        if not chosen:
            said = {name: value.get(name) for each in members for name, _ in _tags(each)}
            yield f"{where}: the schema has no variant {said}"
            return
        yield from violations(value, chosen[0], where)
        return
    found = [list(violations(value, each, where)) for each in members]
    if all(found):
        yield from min(found, key=len)


def _of_scalar(value: Any, wanted: Any, where: str) -> Iterator[str]:
    accepted: dict[Any, tuple[type, ...]] = {
        float: (int, float),
        int: (int,),
        str: (str,),
        bool: (bool,),
        None: (type(None),),
        type(None): (type(None),),
        Any: (object,),
    }
    if wanted not in accepted:
        yield f"{where}: this judge doesn't know the type {wanted!r}"
    elif not isinstance(value, accepted[wanted]) or (isinstance(value, bool) and wanted in {int, float}):
        yield f"{where}: {value!r} is not of type {getattr(wanted, '__name__', 'null')}"
    elif isinstance(value, str) and where.endswith("_at") and not _reads(datetime.fromisoformat, value):
        yield f"{where}: {value!r} is not an ISO 8601 instant"
    elif isinstance(value, str) and _is_uuid_place(where) and not _reads(UUID, value):
        yield f"{where}: {value!r} is not a UUID"


def _is_uuid_place(where: str) -> bool:
    return where.endswith("_id") and not where.endswith(_FOREIGN_IDS)


@cache
def _tags(wanted: Any) -> list[tuple[str, str]]:
    """Return the fields whose one possible text tells a variant from the others, such as ``error_code``."""
    return [
        (field.name, get_args(field.type)[0])
        for field in dataclasses.fields(wanted)
        if get_origin(field.type) is Literal
        and len(get_args(field.type)) == 1
        and isinstance(get_args(field.type)[0], str)
    ]


def _is_optional(wanted: Any) -> bool:
    return get_origin(wanted) in {Union, types.UnionType} and type(None) in get_args(wanted)


def _json_name(name: str) -> str:
    """Return a field's name in JSON: the SDK writes ``from_`` for ``from``."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def _reads(read: Any, text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
