"""The API bears any input: what comes back is what its description says, and nothing without a token."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from redis import Redis

from receiver.console.openapi import document
from receiver.console.operations import Operation
from receiver.console.table import OPERATIONS
from shared.domain.booking.record import State
from tests.console.bookings import DOOR, book, read_door
from tests.console.console import TOKENS, Console, running, settings_for
from tests.console.test_other_pages import park, tell
from tests.support.server import DataServer

DOCUMENT: Final = json.loads(json.dumps(document(OPERATIONS)))
OF_NAME: Final = {
    each["operationId"]: (method.upper(), path, each)
    for path, methods in DOCUMENT["paths"].items()
    for method, each in methods.items()
}
# Also what is no character, which JSON can hold.
CHARACTERS: Final = st.characters(exclude_categories=())
TEXT: Final = st.text(CHARACTERS, max_size=40)
ODD: Final = ("", " ", "nan:BK-1", "-inf:x", "1e999", "0001-01-01", "9999-12-31", "9999999d", "\x00", "*", "all", "1-1")
ANYTHING: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)
MANY: Final = settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
FEW: Final = settings(MANY, max_examples=8)


@pytest.fixture
def crowded(
    data_server: DataServer, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Console, tuple[str, ...]]]:
    """Run the app on a ledger with something of everything, and return what there is; nobody waits for a worker."""
    waits = ("commands._WAIT", "commands._WAIT_FOR_MANY", "views.bulk._SEEN_WITHIN", "views.bulk_parked._SEEN_WITHIN")
    for name in waits:
        monkeypatch.setattr(f"receiver.console.{name}", 0.0)
    book(redis_client, "BK-1")
    book(redis_client, "BK-2", state=State.WAITING, reason="no_slot")
    read_door(redis_client, DOOR, {"name": "Day use", "check_in": "03:11", "check_out": "04:22"})
    tell(redis_client, "booking-of-BK-2")
    known = ("BK-1", "BK-2", DOOR, "booking-of-BK-2", park(redis_client, "{}"))
    with running(settings_for(data_server.url, rejection_limit=10_000_000)) as console:
        yield console, known


def fitting(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one for each kind
    """Return values that a schema allows, roughly: bounds aside."""
    if "$ref" in schema:
        return fitting(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return st.one_of(*map(fitting, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    match schema.get("type"), schema.get("format"):
        case "string", "date-time":
            return st.datetimes(timezones=st.timezones() | st.none()).map(lambda at: at.isoformat())
        case "string", "date":
            return st.dates().map(str)
        case "string", _:
            return TEXT | st.sampled_from((DOOR, "guest called", "2h", "1", *ODD))
        case "integer", _:
            return st.integers()
        case "boolean", _:
            return st.booleans()
        case "object", _:
            return bodies(schema)
        case _:
            return ANYTHING


def bodies(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Return objects of a schema: often right, often with something wrong in a field."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    required = set(schema.get("required", ()))
    fields = {name: fitting(each) | fitting(each) | ANYTHING for name, each in properties.items()}
    return st.fixed_dictionaries(
        {name: each for name, each in fields.items() if name in required},
        optional={name: each for name, each in fields.items() if name not in required},
    )


def queries(operation: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return what may stand behind the question mark."""
    named = {each["name"]: fitting(each["schema"]) | TEXT for each in operation["parameters"] if each["in"] == "query"}
    return st.fixed_dictionaries({}, optional=named)


def address(data: st.DataObject, path: str, operation: Mapping[str, Any], known: tuple[str, ...]) -> str:
    """Return the address of one request."""
    # An empty part, or one of dots, is another address; one with a line break is none.
    names = st.sampled_from(known) | TEXT.filter(lambda name: name.strip(".") and not {"/", "\n"} & {*name})
    for each in operation["parameters"]:
        if each["in"] == "path":
            name = data.draw(names, each["name"])
            path = path.replace(f"{{{each['name']}}}", quote(name, safe="", errors="replace"))
    query = urlencode(data.draw(queries(operation), "query"), errors="replace")
    return f"{path}?{query}" if query else path


def answer_fits(operation: Mapping[str, Any], status: int, text: str) -> None:
    """Assert that an answer is one of those that the description has, of its schema."""
    assert str(status) in operation["responses"], f"{status}: {text[:300]}"
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": DOCUMENT["components"]}).validate(json.loads(text))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda it: it.name)
@MANY
@given(data=st.data())
def test_any_input_is_answered_as_described(
    crowded: tuple[Console, tuple[str, ...]], operation: Operation, data: st.DataObject
) -> None:
    """Whatever stands in path, query and body: never a crash, and never "the data server is away" while it is there."""
    console, known = crowded
    method, path, described = OF_NAME[operation.name]
    headers = {"authorization": f"Bearer {TOKENS['revealer']}"}
    content = b""
    if operation.body is not None:
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        body = data.draw(fitting(schema) | fitting(schema) | ANYTHING | st.binary(max_size=20), "body")
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = console.send(method, address(data, path, described, known), headers=headers, body=content)
    assert answer.status_code not in (401, 403, 429, 503), answer.text
    answer_fits(described, answer.status_code, answer.text)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda it: it.name)
@FEW
@given(data=st.data())
def test_nobody_gets_in_without_a_token(
    crowded: tuple[Console, tuple[str, ...]], operation: Operation, data: st.DataObject
) -> None:
    """Whatever stands where a token should: 401, before anything else of the request is looked at."""
    console, known = crowded
    method, path, described = OF_NAME[operation.name]
    shown = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
    almost = st.sampled_from([f"Bearer {each[:-1]}" for each in TOKENS.values()] + [f"Basic {TOKENS['viewer']}"])
    headers = {"authorization": data.draw(shown | almost | shown.map("Bearer {}".format))}
    answer = console.send(method, address(data, path, described, known), headers=headers, body=b"{")
    assert answer.status_code == 401
    answer_fits(described, 401, answer.text)
