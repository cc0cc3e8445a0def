"""``/access_codes/get`` and ``/access_codes/list``."""

from datetime import datetime
from http import HTTPStatus

from deploy.sandbox.api.pages import one_page
from deploy.sandbox.api.parameters import Page, Parameters, SearchText, Uuids
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.codes import Code
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import ApiError, invalid_input, not_found
from deploy.sandbox.models import Uuid

DEFAULT_LIMIT = 55_000


class GetAccessCode(Parameters):
    """One code, by its id, or by its door and PIN."""

    access_code_id: Uuid | None = None
    device_id: Uuid | None = None
    code: str | None = None


class ListAccessCodes(Page):
    """Which codes to list; one selector at least is needed."""

    access_code_ids: Uuids | None = None
    access_grant_id: Uuid | None = None
    access_grant_key: str | None = None
    access_method_id: Uuid | None = None
    customer_key: str | None = None
    device_id: Uuid | None = None
    search: SearchText | None = None
    user_identifier_key: str | None = None

    @property
    def selects_foreign(self) -> bool:
        """Whether it asks for codes of access grants or users: the sandbox has none."""
        foreign = (self.access_grant_id, self.access_grant_key, self.access_method_id, self.user_identifier_key)
        return any(each is not None for each in foreign)

    @property
    def selects_any(self) -> bool:
        """Whether there is a selector at all."""
        own = (self.access_code_ids, self.customer_key, self.device_id, self.search)
        return self.selects_foreign or any(each is not None for each in own)


def get(sandbox: Sandbox, asked: GetAccessCode) -> JsonObject:
    """Return one code, by ``access_code_id``, or by ``device_id`` and ``code``."""
    return {"access_code": sandbox.code_object(one_code(sandbox, asked))}


def one_code(sandbox: Sandbox, asked: GetAccessCode) -> Code:
    """Return the code that the parameters name.

    Raises:
        ApiError: 400, they name none; 404, also for a code that was removed or isn't managed.

    """
    if asked.access_code_id is not None:
        return managed_code(sandbox, asked.access_code_id, asked.device_id)
    if asked.device_id is None or asked.code is None:
        raise invalid_input("access_code_id", "Required, or device_id and code")
    of_door = sandbox.codes.of_door(asked.device_id)
    code = next((found for found in of_door if found.is_served and found.shown_pin == asked.code), None)
    if code is None:
        raise not_found("access_code", "with this PIN")
    return code


def managed_code(sandbox: Sandbox, access_code_id: str, device_id: str | None = None) -> Code:
    """Return a code by its id.

    Raises:
        ApiError: 404, also for a code that was removed, isn't managed, or is another door's.

    """
    code = sandbox.codes.find(access_code_id)
    if code is None or not code.is_served or device_id not in {None, code.device_id}:
        raise not_found("access_code", access_code_id)
    return code


def list_codes(sandbox: Sandbox, asked: ListAccessCodes, *, created_until: datetime | None = None) -> JsonObject:
    """Return a page of codes.

    Those made after `created_until` are left out, as by a replica that lags.
    """
    codes = [code for code in _selected(sandbox, asked) if code.is_served]
    if created_until is not None:
        codes = [code for code in codes if code.created_at <= created_until]
    page, pagination = one_page(
        codes, asked, lambda code: code.seq, path="/access_codes/list", default_limit=DEFAULT_LIMIT
    )
    return {"access_codes": [sandbox.code_object(code) for code in page], "pagination": pagination}


def matches(search: str, *texts: str | None) -> bool:
    """Whether a search finds a code: Seam's API reference says by a part of its name, code or access_code_id."""
    return any(text is not None and search.lower() in text.lower() for text in texts)


def _selected(sandbox: Sandbox, asked: ListAccessCodes) -> list[Code]:
    if not asked.selects_any:
        message = "At least one of device_id, access_code_ids, customer_key or search is required"
        raise ApiError(HTTPStatus.BAD_REQUEST, "invalid_input", message, problems={"": [message]})
    if asked.selects_foreign:
        return []
    codes = _candidates(sandbox, asked)
    if asked.customer_key is not None:
        codes = [code for code in codes if _customer_of(sandbox, code) == asked.customer_key]
    if asked.search is not None:
        search = asked.search
        codes = [code for code in codes if matches(search, code.name, code.shown_pin, code.access_code_id)]
    return codes


def _candidates(sandbox: Sandbox, asked: ListAccessCodes) -> list[Code]:
    if asked.access_code_ids is not None:
        found = (sandbox.codes.find(access_code_id) for access_code_id in set(asked.access_code_ids))
        codes = sorted((code for code in found if code is not None), key=lambda code: code.seq)
        return [code for code in codes if asked.device_id in {None, code.device_id}]
    if asked.device_id is not None:
        return sandbox.codes.of_door(sandbox.doors.get(asked.device_id).device_id)
    return sandbox.codes.everything()


def _customer_of(sandbox: Sandbox, code: Code) -> str | None:
    account = sandbox.contexts.of(code.device_id).account
    return account.customer_key if account else None
