"""Refusals: of the Seam API (in Seam's error shape) and of the control endpoints.

The API's body is ``{"error": {"type", "message", "validation_errors"?}, "ok": false}``, as in
Seam's "Error handling" page and in the response models of its SDKs.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from deploy.sandbox.encoding import JsonObject


class ApiError(Exception):
    """A call to the Seam API that is answered with an error."""

    def __init__(
        self,
        status: int,
        error_type: str,
        message: str,
        *,
        problems: Mapping[str, Sequence[str]] | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Keep what the answer needs; `retry_after` is in seconds.

        `problems` are texts by parameter; those of no single parameter are under the empty name.
        """
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message
        self.problems = problems
        self.retry_after = retry_after

    def body(self) -> JsonObject:
        """Return the answer's JSON body."""
        error: JsonObject = {"type": self.error_type, "message": self.message}
        if self.problems is not None:
            fields = {name: {"_errors": list(texts)} for name, texts in self.problems.items() if name}
            error["validation_errors"] = {"_errors": list(self.problems.get("", ())), **fields}
        return {"error": error, "ok": False}


class ControlError(Exception):
    """A call to a control endpoint that can't be carried out; says what is wrong."""

    def __init__(self, message: str, *, status: int = HTTPStatus.BAD_REQUEST) -> None:
        """Keep the sentence and the HTTP status."""
        super().__init__(message)
        self.message = message
        self.status = status


def invalid_input(field: str, problem: str) -> ApiError:
    """400 for one parameter."""
    message = f"{field}: {problem}"
    return ApiError(HTTPStatus.BAD_REQUEST, "invalid_input", message, problems={field: [problem]})


def refused(message: str) -> ApiError:
    """400 that names no parameter: the body is unreadable, or the provider can't carry out the call."""
    return ApiError(HTTPStatus.BAD_REQUEST, "invalid_input", message, problems={})


def not_revocable(message: str) -> ApiError:
    """400 for an offline code that can't be taken back.

    The type is the reason that Seam's access grants give for it; what ``/access_codes/delete`` says isn't published.
    """
    return ApiError(HTTPStatus.BAD_REQUEST, "offline_access_code_not_revocable", message)


def not_found(thing: str, identifier: str) -> ApiError:
    """404; `thing` is the resource's name, such as ``device``."""
    message = f"{thing.replace('_', ' ').capitalize()} {identifier} not found"
    return ApiError(HTTPStatus.NOT_FOUND, f"{thing}_not_found", message)


def unknown(thing: str, identifier: str) -> ControlError:
    """404 of a control endpoint."""
    return ControlError(f"no {thing} {identifier!r}", status=HTTPStatus.NOT_FOUND)
