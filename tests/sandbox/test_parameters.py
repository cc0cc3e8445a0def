"""Every parameter of Seam's SDK: required, typed, and with an effect; read off the SDK itself."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.sandbox import vocabulary
from deploy.sandbox.api.operations import OPERATIONS
from tests.sandbox.harness import Sandbox
from tests.sandbox.judged import Schema

UNKNOWN = "99999999-0000-4000-8000-000000000000"
# JSON values of a wrong type, by the kind of type that the SDK wants.
WRONG: dict[str, Any] = {"str": 7, "bool": "true", "int": "5", "float": "5", "list": "x", "dict": "x", "choice": "x"}
# What is asked with each filter; what isn't filtered there.
LISTS: dict[str, dict[str, Any]] = {
    "/access_codes/list": {},
    "/access_codes/unmanaged/list": {},
    "/action_attempts/list": {},
    "/connected_accounts/list": {},
    "/devices/list": {},
    "/devices/list_device_providers": {},
    "/devices/unmanaged/list": {},
    "/events/list": {"since": "2020-01-01T00:00:00Z"},
    "/locks/list": {},
}
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(["9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00Z", "99999999-0000-4000-8000-000000000000"])
)
JSON_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
NO_FILTERS = {"limit", "page_cursor", "since", "between", "unstable_offset"}
# A value of each closed list that the sandbox has nothing of.
OTHER_CHOICES = {
    "device_type": "august_lock",
    "device_types": ["august_lock"],
    "manufacturer": "august",
    "provider_category": "cameras",
    "event_type": "lock.locked",
    "event_types": ["lock.locked"],
}


@pytest.fixture(scope="module")
def schema() -> Schema:
    """Return what the SDK knows."""
    return Schema()


@pytest.mark.parametrize("path", OPERATIONS)
def test_required_parameters_are_missed(sandbox: Sandbox, schema: Schema, path: str) -> None:
    """All of them are named in one answer, and nothing else is."""
    required = schema.routes[path]["required"]
    if not required:
        return
    problems = sandbox.ask(path)["error"]["validation_errors"]
    missed = {name: each["_errors"] for name, each in problems.items() if name != "_errors"}
    assert missed == {name: ["Required"] for name in required}


@pytest.mark.parametrize("path", OPERATIONS)
def test_wrong_types_are_refused(sandbox: Sandbox, schema: Schema, path: str) -> None:
    """In JSON, 400 ``invalid_input`` names every parameter of a wrong type or outside of its closed list."""
    parameters = schema.routes[path]["parameters"]
    wrong = {name: WRONG[wanted["kind"]] for name, wanted in parameters.items()}
    if wrong:
        problems = sandbox.ask(path, **wrong)["error"]["validation_errors"]
        assert problems.keys() - {"_errors"} == wrong.keys()


@pytest.mark.parametrize("path", OPERATIONS)
def test_ids_are_uuids(sandbox: Sandbox, schema: Schema, path: str) -> None:
    """Every id that Seam's API reference calls a UUID is refused where it is none."""
    parameters = schema.routes[path]["parameters"]
    ids = {name: "nope" for name in parameters if name.endswith("_id") and name != "webhook_id"}
    lists = {name: [UNKNOWN, "nope"] for name in parameters if name.endswith("_ids")}
    if not ids | lists:
        return
    problems = sandbox.ask(path, **ids, **lists)["error"]["validation_errors"]
    for name in ids | lists:
        assert problems[name]["_errors"] == ["Invalid uuid"]


@pytest.mark.parametrize("path", OPERATIONS)
def test_no_value_is_a_bug_of_the_sandbox(shared_sandbox: Sandbox, schema: Schema, path: str) -> None:
    """Whatever is sent, the answer is Seam's: never a 500."""
    names = sorted(schema.routes[path]["parameters"])

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(st.sampled_from([*names, "other"]), JSON_VALUES), st.binary(max_size=20))
    def send(values: dict[str, Any], query: bytes) -> None:
        answers = (
            shared_sandbox.api.post(path, content=json.dumps(values)),
            shared_sandbox.api.post(f"{path}?{quote(query, safe='&=.%')}"),
        )
        for answer in answers:
            assert answer.status_code in {200, 400, 404}, answer.text
            assert answer.json()["ok"] is (answer.status_code == 200)

    send()


@pytest.mark.parametrize("path", LISTS)
def test_no_filter_is_ignored(sandbox: Sandbox, schema: Schema, path: str) -> None:
    """A filter that nothing passes leaves nothing, by POST and by GET."""
    base = LISTS[path] | _something_in(sandbox, path)
    key = next(iter(schema.routes[path]["answers"]))
    assert sandbox.ask(path, **base)[key], "nothing to filter"
    for name, wanted in schema.routes[path]["parameters"].items():
        if name in NO_FILTERS:
            continue
        asked = {**base, name: OTHER_CHOICES.get(name, _nobodys(name, wanted))}
        query = {f"{name}.unit" if name == "custom_metadata_has" else name: each for name, each in asked.items()}
        if "custom_metadata_has" in asked:
            query["custom_metadata_has.unit"] = "nobody's"
        for answer in (sandbox.api.post(path, json=asked), sandbox.api.get(path, params=query)):
            if answer.status_code == 404:
                assert name == "device_id"
            else:
                assert answer.json()[key] == [], name


def test_closed_lists_are_those_of_the_schema(schema: Schema) -> None:
    """Each value of the SDK is taken, and no other."""
    devices, locks = schema.routes["/devices/list"], schema.routes["/locks/list"]
    providers = schema.routes["/devices/list_device_providers"]
    assert schema.event_types == vocabulary.EVENT_TYPES
    assert _choices(devices, "device_type") == vocabulary.DEVICE_TYPES
    assert _choices(devices, "manufacturer") == vocabulary.MANUFACTURERS
    assert _choices(locks, "device_type") == vocabulary.LOCK_TYPES
    assert _choices(locks, "manufacturer") == vocabulary.LOCK_MANUFACTURERS
    assert _choices(providers, "provider_category") == vocabulary.PROVIDER_CATEGORIES


def test_every_endpoint_is_the_schemas(schema: Schema) -> None:
    """The sandbox has every endpoint that the SDK calls, and no other."""
    assert schema.routes.keys() == OPERATIONS.keys()


def _choices(route: dict[str, Any], name: str) -> set[str]:
    return set(route["parameters"][name]["choices"])


def _nobodys(name: str, wanted: dict[str, Any]) -> Any:
    if name == "created_before":
        return "2000-01-01T00:00:00Z"
    if name == "custom_metadata_has":
        return {"unit": "nobody's"}
    value = UNKNOWN if name.endswith(("_id", "_ids")) else "nobody-has-this"
    return [value] if wanted["kind"] == "list" else value


def _something_in(sandbox: Sandbox, path: str) -> dict[str, Any]:
    """See to it that a list isn't empty; return what must be asked to get it."""
    if not path.startswith(("/access_codes", "/devices/unmanaged", "/action_attempts", "/events")):
        return {}
    device_id = sandbox.door(custom_metadata={"unit": "9"})
    code_id = sandbox.created(device_id)["access_code_id"]
    if path == "/devices/unmanaged/list":
        sandbox.ask("/devices/update", device_id=device_id, is_managed=False)
        return {}
    if path == "/access_codes/unmanaged/list":
        sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "converted_to_unmanaged"})
    return {"device_id": device_id}
