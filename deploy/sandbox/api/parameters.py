"""The parameters of an API call, declared per endpoint and checked all at once.

Seam takes them from the query of a GET or DELETE, or from the JSON body of any other call. Only in a query may a number
or a boolean be written as text: in JSON a value of the wrong type is ``invalid_input``. Null counts as not given, as
does an empty text in a query. Unknown parameters are ignored.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError, from_json

from deploy.sandbox.encoding import JsonObject, parse_timestamp
from deploy.sandbox.errors import ApiError, refused
from deploy.sandbox.models import Uuid

_STRICT_FLAG = "_strict"


class Parameters(BaseModel):
    """The parameters of an endpoint."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)


P = TypeVar("P", bound=Parameters)


def list_of_query(value: Any, info: ValidationInfo) -> Any:
    """Return the list that a value of a query stands for: a repeated name, or one text with commas."""
    return value.split(",") if info.context and isinstance(value, str) else value


def _timestamp(value: Any) -> datetime:
    if not isinstance(value, str):
        raise PydanticCustomError("string", "Expected string")
    try:
        return parse_timestamp(value)
    except (ValueError, OverflowError):
        raise PydanticCustomError("timestamp", "Expected an ISO 8601 date and time with a UTC offset") from None


def _whole_number(value: Any, info: ValidationInfo) -> Any:
    if info.context and isinstance(value, str) and value.replace(".", "", 1).isdecimal():
        value = float(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def one_of(known: frozenset[str]) -> AfterValidator:
    """Return the check that a text is one of a closed list of the schema."""

    def check(text: str) -> str:
        if text not in known:
            raise PydanticCustomError("enum", "Invalid enum value")
        return text

    return AfterValidator(check)


Timestamp = Annotated[datetime, BeforeValidator(_timestamp)]
Limit = Annotated[int, BeforeValidator(_whole_number), Field(gt=0)]
Offset = Annotated[int, BeforeValidator(_whole_number), Field(ge=0)]
Texts = Annotated[list[str], BeforeValidator(list_of_query)]
Uuids = Annotated[list[Uuid], BeforeValidator(list_of_query)]
Timestamps = Annotated[list[Timestamp], BeforeValidator(list_of_query), Field(min_length=2, max_length=2)]
SearchText = Annotated[str, Field(min_length=1)]
Pin = Annotated[str, Field(min_length=4, pattern=r"^\d+$")]
Metadata = dict[str, str | bool | None]


class Page(Parameters):
    """What every paginated list takes."""

    limit: Limit | None = None
    page_cursor: str | None = None


def raw_values(query: bytes, body: bytes) -> tuple[JsonObject, bool]:
    """Return the parameters of a call as they were sent, and whether they come from the query.

    Raises:
        ApiError: 400, the body is no JSON object.

    """
    if not body.strip():
        return _of_query(query), True
    try:
        sent = from_json(body)
    except ValueError as problem:
        raise refused("The body is not valid JSON") from problem
    if not isinstance(sent, dict):
        raise refused("The body is not a JSON object")
    return sent, False


def read_parameters(model: type[P], values: Mapping[str, Any], *, is_query: bool) -> P:
    """Return the parameters of an endpoint.

    Raises:
        ApiError: 400 ``invalid_input`` with every problem under the parameter's name.

    """
    given = {name: value for name, value in values.items() if value is not None and not (is_query and value == "")}
    try:
        return model.model_validate(given, strict=not is_query, context={"is_query": True} if is_query else None)
    except ValidationError as error:
        raise _invalid(error) from error


def _of_query(query: bytes) -> JsonObject:
    """Return a query's values; ``metadata.key=value`` is an object with that key."""
    values: JsonObject = {}
    for name, texts in parse_qs(query.decode(errors="replace"), keep_blank_values=True).items():
        if name == _STRICT_FLAG:
            continue
        value = texts[0] if len(texts) == 1 else texts
        outer, _, key = name.partition(".")
        if not key:
            values[name] = value
        elif isinstance(values.setdefault(outer, {}), dict):
            values[outer][key] = value
    return values


def _invalid(error: ValidationError) -> ApiError:
    problems: dict[str, list[str]] = {}
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(each["loc"][0]) if each["loc"] else ""
        text = "Required" if each["type"] == "missing" else each["msg"]
        found = problems.setdefault(name, [])
        if text not in found:
            found.append(text)
    name, texts = next(iter(problems.items()))
    message = f"{name}: {texts[0]}" if name else texts[0]
    return ApiError(HTTPStatus.BAD_REQUEST, "invalid_input", message, problems=problems)
