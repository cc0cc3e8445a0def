"""Every call of Seam's SDK that concerns doors, codes, events and webhooks: what it sends and what it expects.

Runs in the SDK's interpreter, and is read off the SDK itself: a call that a newer SDK adds is here at once.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import seam.resources  # type: ignore[import-not-found,unused-ignore]
import seam.routes  # type: ignore[import-not-found,unused-ignore]
from seam.null import Null  # type: ignore[import-not-found,unused-ignore]

from tests.sandbox.sdk.schema import violations

_SUBJECTS = (
    "access_codes",
    "action_attempts",
    "connected_accounts",
    "devices",
    "events",
    "locks",
    "webhooks",
    "workspaces",
)
# Of workspaces, only what a key of one workspace may read: the rest makes and changes workspaces.
_NOT_OURS = ("/workspaces/create", "/workspaces/update", "/workspaces/reset_sandbox")
# Options of the SDK itself, which are not sent.
_NOT_SENT = ("wait_for_action_attempt",)
# Keys of an answer that the SDK drops and Seam's API reference has.
_BESIDE: dict[str, dict[str, Any]] = {
    "/access_codes/create": {"action_attempt": seam.resources.ActionAttempt},
    "/access_codes/update": {"action_attempt": seam.resources.ActionAttempt},
    "/access_codes/delete": {"action_attempt": seam.resources.ActionAttempt},
    "/access_codes/unmanaged/delete": {"action_attempt": seam.resources.ActionAttempt},
    "/connected_accounts/update": {"connected_account": seam.resources.ConnectedAccount},
    "/locks/get": {"lock": seam.resources.Device},
    "/locks/list": {"locks": list[seam.resources.Device]},
}
_UNWRAPPED = re.compile(r"unwrap(?:_list)?\(\s*res,\s*\"(\w+)\"")


@dataclass(frozen=True)
class Route:
    """One call: `answers` is the type under each key of the answer; of `parameters`, the names tell the JSON names."""

    path: str
    parameters: dict[str, Any]
    required: tuple[str, ...]
    answers: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return what the tests in the service's interpreter need of it."""
        return {
            "path": self.path,
            "required": list(self.required),
            "parameters": {name: _described(wanted) for name, wanted in self.parameters.items()},
            "answers": list(self.answers),
        }


@cache
def routes() -> dict[str, Route]:
    """Return every call by its path."""
    found = (_route(call) for namespace in _namespaces() for call in vars(namespace).values())
    return {route.path: route for route in found if route is not None and route.path not in _NOT_OURS}


def judge_answer(route: Route, status: int, body: Any) -> Iterator[str]:
    """Yield what is wrong with the answer to a call."""
    where = route.path
    if not isinstance(body, dict):
        yield f"{where}: {body!r} is not an object"
        return
    if status != 200:
        yield from _judge_refusal(where, status, body)
        return
    if body.get("ok") is not True:
        yield f"{where}.ok: {body.get('ok')!r}, not true"
    for name, wanted in route.answers.items():
        if name not in body:
            yield f"{where}.{name}: missing"
        elif seam.resources.SeamEvent in {wanted, *get_args(wanted)}:
            found = body[name] if isinstance(body[name], list) else [body[name]]
            yield from (problem for event in found for problem in judge_event(event))
        else:
            yield from violations(body[name], wanted, f"{where}.{name}")
    beside = _BESIDE.get(where, {})
    for name in body.keys() - route.answers.keys() - {"ok"}:
        if name not in beside:
            yield f"{where}.{name}: neither the SDK nor the API reference knows this key"
        else:
            yield from violations(body[name], beside[name], f"{where}.{name}")


def judge_event(body: Any) -> Iterator[str]:
    """Yield what is wrong with an event, as ``/events/list`` or a webhook brings it."""
    event_type = body.get("event_type") if isinstance(body, dict) else None
    if event_type in _unreleased():
        # Named by the filter of `/events/list`, and not yet by a class: like the one that is released and nearest.
        body = {**body, "event_type": "access_code.failed_to_set_on_device"}
    yield from violations(body, seam.resources.SeamEvent, f"event {event_type}")


def event_types() -> tuple[str, ...]:
    """Return every event type that ``/events/list`` can filter by."""
    return get_args(_inner(routes()["/events/list"].parameters["event_type"]))


@cache
def _unreleased() -> set[str]:
    released = {get_args(each.__annotations__["event_type"])[0] for each in get_args(seam.resources.SeamEvent)}
    return {each for each in event_types() if each.startswith("access_code.")} - released


def _judge_refusal(where: str, status: int, body: dict[str, Any]) -> Iterator[str]:
    """Seam's error body, as the SDK's client reads it."""
    error = body.get("error")
    if body.get("ok") is not False or body.keys() != {"error", "ok"} or not isinstance(error, dict):
        yield f"{where}: HTTP {status} without Seam's error body: {body!r}"
        return
    for name in ("type", "message"):
        if not isinstance(error.get(name), str) or not error[name]:
            yield f"{where}.error.{name}: {error.get(name)!r}"
    for name in error.keys() - {"type", "message", "data", "validation_errors"}:
        yield f"{where}.error.{name}: not in Seam's error body"
    if (error.get("type") == "invalid_input") is not ("validation_errors" in error):
        yield f"{where}.error.validation_errors: there with `invalid_input`, and only with it"


def _namespaces() -> Iterator[type]:
    """Yield the SDK's synchronous namespaces of our subjects, such as ``AccessCodesUnmanaged``."""
    for module in pkgutil.iter_modules(seam.routes.__path__):
        if module.name.startswith(_SUBJECTS):
            names = vars(importlib.import_module(f"seam.routes.{module.name}"))
            yield from (
                each
                for each in names.values()
                if inspect.isclass(each) and each.__module__ == f"seam.routes.{module.name}"
                if not each.__name__.startswith(("Abstract", "Async"))
            )


def _route(call: Any) -> Route | None:
    path = getattr(call, "__seam_path__", None)
    if path is None:
        return None
    hints = get_type_hints(call)
    returned = hints.pop("return")
    answers = dict.fromkeys(_UNWRAPPED.findall(inspect.getsource(call)), returned)
    if call.__seam_has_pagination__:
        answers["pagination"] = seam.resources.Pagination
    signature = inspect.signature(call).parameters
    sent = {name: wanted for name, wanted in hints.items() if name not in _NOT_SENT}
    return Route(
        path=path,
        parameters=sent,
        required=tuple(name for name in sent if signature[name].default is inspect.Parameter.empty),
        answers=answers,
    )


def _inner(wanted: Any) -> Any:
    """Return the type inside of ``Optional``; the SDK's own ``NULL`` counts as nothing too."""
    members = [each for each in get_args(wanted) if each is not type(None) and each is not Null]
    return members[0] if type(None) in get_args(wanted) else wanted


def _described(wanted: Any) -> dict[str, Any]:
    """Return a type as JSON: its kind, and the texts that it allows, where it allows only some."""
    inner = _inner(wanted)
    if inner in {str, bool, int, float}:
        return {"kind": inner.__name__}
    origin, arguments = get_origin(inner), get_args(inner)
    if origin is list:
        return {"kind": "list", "of": _described(arguments[0])}
    return {"kind": "dict"} if origin is dict else {"kind": "choice", "choices": list(arguments)}
