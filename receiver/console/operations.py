"""What the console can be asked: one value an operation, which the API, the pages and the OpenAPI document share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, Literal, get_type_hints

from pydantic import TypeAdapter, ValidationError

from receiver.console.ports import Ports
from shared.console_tokens import ConsoleToken, Role
from shared.domain.quoting import shown

_LONGEST_NAME: Final = 80


class NotFound(Exception):
    """There is no such thing; the text says what was looked for.

    `links` lead on: addresses of pages by what stands there. The API has the same under its prefix.
    """

    def __init__(self, text: str, links: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(text)
        self.links = links


class Conflict(Exception):
    """It can't be done as things stand; the text says why."""


class Unusable(Exception):
    """The query or the body can't be used: `problems` has what is wrong, by field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


class UnknownFields(Unusable):
    """The body has fields that this operation doesn't have: one may be misspelled, and mean much."""


class SeamUnavailable(Exception):
    """Seam had to be asked, and didn't answer as it should. Clients read this as the error `seam_away`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: by whom, when, and with what. `query` and `body` are of the operation's own types.

    `for_page`: the answer becomes an HTML page, so of a long list only the rows of that page are needed.
    """

    ports: Ports
    token: ConsoleToken = field(repr=False)
    now: datetime
    path: Mapping[str, str] = field(default_factory=dict)
    query: Any = None
    body: Any = None
    for_page: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoQuery:
    """Nothing can be asked beside the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked. Its API is at `/api` + `path`; its page, where it has one, at `page`.

    A GET's page is made by `template`. A POST's page is the address of its form; afterwards the browser is sent to
    `leads_to`, which may hold names of the path and of the answer, or is made of the answer. What `note` makes of the
    answer is shown there; "" where that page says by itself what became of the order. `errors` are the statuses that it
    answers beside those of all.
    """

    name: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    role: Role
    summary: str
    handle: Callable[[Call], Any]
    answer: Any
    query: type = NoQuery
    body: type | None = None
    page: str = ""
    template: str = ""
    leads_to: str | Callable[[Any], str] = ""
    note: Callable[[Any], str] = attrgetter("text")
    errors: tuple[int, ...] = ()


@cache
def _adapter(wanted: type) -> TypeAdapter[Any]:
    """Return what reads values of this type. Making it takes longer than most requests."""
    return TypeAdapter(wanted)


@cache
def _kinds(wanted: type) -> Mapping[str, Any]:
    return get_type_hints(wanted)


def read_json_as(wanted: type, given: Mapping[str, Any]) -> Any:
    """Return a JSON object as a value of the type `wanted`. Raises UnknownFields; Unusable, with every problem.

    A boolean is `true` or `false` there. A form's box has no such values: it sends a text, or nothing.
    """
    kinds = _kinds(wanted)
    if unknown := [name for name in given if name not in kinds]:
        known = ", ".join(kinds)
        raise UnknownFields(
            {shown(name[:_LONGEST_NAME]): f"is no field of this order; it has {known}" for name in unknown}
        )
    texts = {name for name, kind in kinds.items() if kind is bool and type(given.get(name, False)) is not bool}
    if texts:
        raise Unusable(dict.fromkeys(sorted(texts), "must be true or false"))
    return read_as(wanted, given)


def read_as(wanted: type, given: Mapping[str, Any]) -> Any:
    """Return `given` as a value of the type `wanted`. Raises Unusable, with every problem."""
    try:
        return _adapter(wanted).validate_python(dict(given))
    except ValidationError as error:
        problems = {
            ".".join(map(str, fault["loc"])) or "body": fault["msg"].removeprefix("Value error, ")
            for fault in error.errors(include_input=False, include_url=False)
        }
        raise Unusable(problems) from None
