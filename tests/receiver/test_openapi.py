"""The published description of `web`: its paths are those that are served, and answers are as it says.

`UPDATE_GOLDEN=1 pytest tests/receiver/test_openapi.py` writes the file anew.
"""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from pydantic import SecretStr
from redis import Redis
from referencing import Registry, Resource
from starlette.routing import Route

from deploy.website.reference.errors import EXAMPLES
from receiver.app import create_app
from receiver.openapi import web_document
from receiver.refusals import REFUSALS, response_to
from tests.receiver.test_booking_status import known
from tests.receiver.web import TOKEN, Web, booking_of, event_of, settings_for

DOCS = Path(__file__).parents[2] / "docs"
PUBLISHED = DOCS / "openapi.json"
ALL_ON = {
    "reveal_tokens": (SecretStr("a-reveal-token"),),
    "seam_api_key": SecretStr("seam_key"),
    "slack_signing_secret": SecretStr("a-slack-secret"),
}


def test_what_is_published_is_the_codes() -> None:
    """The committed file is the one that the code makes."""
    made = json.dumps(web_document(), indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        PUBLISHED.write_text(made)
    assert PUBLISHED.read_text() == made


def test_every_route_is_described_and_no_other() -> None:
    """By path and method, with all that settings turn on."""
    app = create_app(settings_for("redis://127.0.0.1:1/0", **ALL_ON))
    served = {
        (route.path.replace(":path}", "}"), method)
        for route in app.starlette.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {
        (path, method.upper())
        for path, methods in web_document()["paths"].items()
        for method in methods
        if method != "parameters"
    }
    assert described == served


def test_every_reference_leads_somewhere() -> None:
    """Within the document, and to the schemas beside it."""

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if "$ref" in part else []
            return own + [each for inner in part.values() for each in references(inner)]
        return [each for inner in part for each in references(inner)] if isinstance(part, list) else []

    found = references(web_document())
    assert len(found) > 10
    for each in found:
        name, _, pointer = each.partition("#")
        part: Any = json.loads((DOCS / name).read_text()) if name else web_document()
        for step in filter(None, pointer.split("/")):
            part = part[step]


@pytest.fixture
def described() -> Registry[Any]:
    """Return the schemas that answers are held against."""
    outcome = json.loads((DOCS / "schemas/outcome.json").read_text())
    return Registry().with_resources(
        [
            ("web", Resource.opaque(web_document())),
            ("schemas/outcome.json", Resource.from_contents(outcome)),
        ]
    )


def check(answer: httpx.Response, path: str, method: str, registry: Registry[Any]) -> None:
    """Hold one answer against what is described of it."""
    response = web_document()["paths"][path][method]["responses"][str(answer.status_code)]
    schema = response["content"]["application/json"]["schema"]
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **web_document(), **schema}
    Draft202012Validator(document, registry=registry).validate(answer.json())


def test_answers_are_as_described(web: Web, redis_client: Redis, described: Registry[Any]) -> None:
    """Good ones, bad ones, and those of bookings that somebody or nobody knows."""
    known(redis_client)
    token = [(b"authorization", f"Bearer {TOKEN}".encode())]
    check(web.booking(booking_of()), "/bookings", "post", described)
    check(web.booking({"booking_id": ""}), "/bookings", "post", described)
    check(web.booking(booking_of(), token="wrong"), "/bookings", "post", described)
    for event in (event_of(), event_of("lock.locked"), ["nothing of Seam's"]):
        check(web.webhook(event), "/webhooks/seam", "post", described)
    check(web.send("POST", "/webhooks/seam", body=b"{}"), "/webhooks/seam", "post", described)
    for booking_id in ("BK-1", "BK-unknown"):
        check(web.send("GET", f"/bookings/{booking_id}", headers=token), "/bookings/{booking_id}", "get", described)
    check(web.send("POST", "/bookings/BK-1/reveal"), "/bookings/{booking_id}/reveal", "post", described)
    for path in ("/healthz", "/readyz"):
        check(web.send("GET", path), path, "get", described)


def test_an_answer_that_is_not_described_is_noticed(web: Web, described: Registry[Any]) -> None:
    """The control: a status or a body of another kind fails."""
    with pytest.raises(KeyError):
        check(web.send("DELETE", "/bookings"), "/bookings", "post", described)
    wrong = httpx.Response(202, json={"status": "perhaps"})
    with pytest.raises(Exception, match="perhaps"):
        check(wrong, "/bookings", "post", described)


def test_every_refusal_is_described() -> None:
    """Whatever an endpoint may raise has a status that the endpoint for bookings describes."""
    assert {type(refusal) for refusal, _ in EXAMPLES} == set(REFUSALS)
    statuses = {str(response_to(refusal).status_code) for refusal, _ in EXAMPLES}
    assert statuses <= set(web_document()["paths"]["/bookings"]["post"]["responses"])
