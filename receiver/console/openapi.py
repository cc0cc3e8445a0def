"""The API's description (OpenAPI 3.1), made from the table of operations."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from receiver.console.api import PREFIX
from receiver.console.operations import NoQuery, Operation

_REFERENCES: Final = "#/components/schemas/{model}"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_MEANS: Final = {
    400: "The query or the body can't be used; every problem by its field.",
    401: "No known token.",
    403: "The token's role isn't enough.",
    404: "There is no such thing.",
    409: "It can't be done as things stand.",
    413: "The body is too large.",
    422: "The body has a field that there isn't, by its name. Nothing was done.",
    429: "Too many failed tries.",
    502: "Seam had to be asked, and didn't answer as it should.",
    503: "The data server can't be reached, or a newer version wrote what is asked for. Nothing was done.",
}
_ALWAYS: Final = (401, 403, 429, 503)
_REFUSAL: Final = {
    "type": "object",
    "required": ["error", "text"],
    "properties": {
        "error": {"type": "string"},
        "text": {"type": "string"},
        "problems": {"type": "object", "additionalProperties": {"type": "string"}},
        "needed_role": {"type": "string"},
        "links": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def document(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """Return the document."""
    schemas: dict[str, Any] = {"Refusal": _REFUSAL}
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(f"{PREFIX}{each.path}", {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "oracode console",
            "version": "1",
            "description": "What the pages show and do. An id or `key` in a path is percent-encoded, `/` as `%2F`.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(each: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "200": {
            "description": "Done.",
            "content": {"application/json": {"schema": _schema(each.answer, schemas, mode="serialization")}},
        }
    }
    for status in sorted({*each.errors, *_ALWAYS, *_of_input(each)}):
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
        answers[str(status)] = {"description": _MEANS[status], "content": content}
    described: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary,
        "description": f"Needs the role `{each.role}`.",
        "parameters": [*_path_parameters(each), *_query_parameters(each)],
        "responses": answers,
    }
    if each.body is not None:
        schema = _schema(each.body, schemas, mode="validation", only_these=True)
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _of_input(each: Operation) -> tuple[int, ...]:
    """Return the statuses of input that can't be used."""
    if each.body is not None:
        return 400, 413, 422
    return () if each.query is NoQuery else (400,)


def _path_parameters(each: Operation) -> list[dict[str, Any]]:
    names = _PARAMETER.findall(each.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(each: Operation) -> list[dict[str, Any]]:
    if each.query is NoQuery:
        return []
    schema: Mapping[str, Any] = TypeAdapter(each.query).json_schema()
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    return [
        {"name": name, "in": "query", "required": False, "schema": _inlined(content, definitions)}
        for name, content in schema["properties"].items()
    ]


def _inlined(content: Any, definitions: Mapping[str, Any]) -> Any:
    """Return a schema with what it refers to in its place: parameters refer to nothing."""
    if isinstance(content, dict):
        if "$ref" in content:
            return _inlined(definitions[content["$ref"].rpartition("/")[2]], definitions)
        return {name: _inlined(part, definitions) for name, part in content.items()}
    return [_inlined(part, definitions) for part in content] if isinstance(content, list) else content


def _schema(model: Any, schemas: dict[str, Any], *, mode: Any, only_these: bool = False) -> dict[str, Any]:
    """Return a reference to a model's schema, which joins `schemas` with all that it refers to.

    `only_these`: it takes no other fields. Raises ValueError where another model there has the same name.
    """
    schema = TypeAdapter(model).json_schema(mode=mode, ref_template=_REFERENCES)
    if only_these:
        schema["additionalProperties"] = False
    for name, each in (*schema.pop("$defs", {}).items(), (model.__name__, schema)):
        if schemas.setdefault(name, each) != each:
            raise ValueError(f"two models are called {name}: each needs a name of its own")
    return {"$ref": f"#/components/schemas/{model.__name__}"}
