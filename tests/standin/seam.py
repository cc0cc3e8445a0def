"""A second stand-in for Seam, written from Seam's schema alone: an independent judge of the running system.

It shares no code with `deploy/sandbox`, whose beliefs may be ours. Sources: Seam's Python SDK 3.18 (`resources/`,
`routes/`), npm `@seamapi/types` 1.977, and Seam's docs of Oracode locks. Where they are silent it takes the stricter
way: a parameter that the schema doesn't have is refused, optional fields are missing or null, pages are short.

A test arranges what Seam says of a code, a door or an account; `tell` sends an event, signed as Svix does it.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
from svix.webhooks import Webhook

from tests.standin.schema import Refusal, checked

API_KEY: Final = "seam_standin_0123456789abcdef"
SECRET: Final = "whsec_" + base64.b64encode(b"standin-secret-standin-secret-32").decode()
WORKSPACE: Final = "5eed0000-0000-4000-8000-000000000001"
PAGE: Final = 2
ZONE: Final = "Europe/Berlin"
_ISSUES: Final = tuple(
    f"{of}_{kind}" for of in ("access_code", "device", "connected_account") for kind in ("errors", "warnings")
)

Object = dict[str, Any]


def iso(moment: datetime) -> str:
    """Return a moment as Seam writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> datetime:
    """Return the system's time."""
    return datetime.now(UTC)


class StandIn:
    """Everything that Seam has, in memory. Each code is the object that Seam shows of it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.accounts: dict[str, Object] = {}
        self.devices: dict[str, Object] = {}
        self.codes: dict[str, Object] = {}
        self.unmanaged: dict[str, Object] = {}
        self.attempts: dict[str, Object] = {}
        self.events: list[Object] = []
        self.calls: list[tuple[str, Object]] = []
        self.alerts: list[Object] = []
        self.faults: dict[str, tuple[int, bytes]] = {}
        self.webhook_url = ""
        # What becomes of a deletion or an update that Seam accepts; a test may put another in their place.
        self.on_delete: Callable[[Object, Object], None] = self._deleted
        self.on_update: Callable[[Object, Object, Object], None] = self._updated
        self.sets_codes = True
        self._pins = iter(range(240_007, 1_000_000, 7))

    # What a test arranges

    def add_account(self, name: str) -> str:
        """Add a connected account and return its id."""
        account: Object = {
            "connected_account_id": str(uuid4()),
            "created_at": iso(now()),
            "account_type": "dormakaba_oracode",
        }
        account |= {"display_name": name, "errors": [], "warnings": [], "custom_metadata": {}, "of_tomorrow": {"x": 1}}
        self.accounts[account["connected_account_id"]] = account
        return str(account["connected_account_id"])

    def add_door(self, account_id: str, name: str) -> str:
        """Add a door with two hotel slots, a day slot and a master slot; return its id."""
        device_id = str(uuid4())
        slots = [
            _slot("Master", "00:00:00", "00:00:00", is_master=True),
            _slot("Guest", "15:00:00", "10:00:00"),
            _slot("Day", "12:00", "12:00", is_24_hour=True),
        ]
        metadata = {"site_name": "Beach", "site_id": None, "iana_timezone": ZONE, "predefined_time_slots": slots}
        self.devices[device_id] = {
            "device_id": device_id,
            "device_type": "dormakaba_oracode_door",
            "display_name": name,
            "workspace_id": WORKSPACE,
            "connected_account_id": account_id,
            "capabilities_supported": ["access_code", "lock"],
            "can_program_offline_access_codes": True,
            "is_managed": True,
            "created_at": iso(now()),
            "errors": [],
            "warnings": [],
            "custom_metadata": {},
            "properties": {"online": True, "name": name, "dormakaba_oracode_metadata": metadata},
        }
        return device_id

    def code_of(self, booking_id: str) -> Object:
        """Return the newest code whose name begins with this booking's id."""
        found = [code for code in self.codes.values() if str(code["name"]).startswith(booking_id)]
        return found[-1] if found else {}

    def say(self, booking_id: str, event: str = "changed", *, without: tuple[str, ...] = (), **fields: Any) -> Object:
        """Let Seam say this of the booking's code, in place of what it said before, and tell of it by an event."""
        with self.lock:
            code = self.code_of(booking_id)
            code.update({"errors": [], "warnings": [], "pending_mutations": [], "status": "set"} | fields)
            for name in without:
                code.pop(name, None)
        self.tell_of_code(code, event)
        return code

    def tell_of_code(self, about: Object, name: str, **fields: Any) -> None:
        """Tell of an access code."""
        fields = {"access_code_id": about["access_code_id"], "device_id": about["device_id"], **fields}
        if name.startswith(("failed", "delay")):
            fields |= {each: [] for each in _ISSUES} | {"access_code_errors": about["errors"]}
        account_id = self.devices.get(about["device_id"], {}).get("connected_account_id", str(uuid4()))
        self.tell(f"access_code.{name}", connected_account_id=account_id, **fields)

    def tell(self, event_type: str, **fields: Any) -> None:
        """Note an event, and send it to the webhook."""
        event = {"event_id": str(uuid4()), "event_type": event_type, "workspace_id": WORKSPACE}
        event |= {"created_at": iso(now()), "occurred_at": iso(now()), **fields}
        self.events.append(event)
        if self.webhook_url:
            threading.Thread(target=self._deliver, args=(event,), daemon=True).start()

    def _deliver(self, event: Object) -> None:
        body, name, at = json.dumps(event), f"msg_{uuid4().hex}", now()
        headers = {"svix-id": name, "svix-timestamp": str(int(at.timestamp()))}
        headers |= {"svix-signature": Webhook(SECRET).sign(name, at, body), "content-type": "application/json"}
        httpx.post(self.webhook_url, content=body, headers=headers, timeout=15, trust_env=False)

    # What Seam answers

    def answer(self, path: str, key: str, body: bytes) -> tuple[int, bytes]:
        """Answer a call."""
        if path in self.faults:
            return self.faults[path]
        try:
            answered = self._answer(path, key, json.loads(body or b"{}"))
        except Refusal as refusal:
            shown = {"type": refusal.error_type, "message": str(refusal), "request_id": str(uuid4())}
            return refusal.status, json.dumps({"error": shown, "ok": False}).encode()
        return 200, answered

    def _answer(self, path: str, key: str, body: Any) -> bytes:
        if key != f"Bearer {API_KEY}":
            raise Refusal(401, "unauthorized", "Unauthorized")
        asked = checked(path, body)
        with self.lock:
            self.calls.append((path, asked))
            return json.dumps(self._answers()[path](asked) | {"ok": True}).encode()

    def _answers(self) -> Mapping[str, Callable[[Object], Object]]:
        return {
            "/devices/get": lambda it: {"device": self._door(it["device_id"])},
            "/devices/list": self._list_devices,
            "/access_codes/create": self._create,
            "/access_codes/get": lambda it: {"access_code": _need(self.codes, it["access_code_id"], "access_code")},
            "/access_codes/list": lambda it: _page(self._listed(self.codes, it), it, "access_codes"),
            "/access_codes/update": self._update,
            "/access_codes/delete": self._delete,
            "/access_codes/unmanaged/get": lambda it: {
                "access_code": _need(self.unmanaged, it["access_code_id"], "access_code")
            },
            "/access_codes/unmanaged/list": lambda it: _page(self._listed(self.unmanaged, it), it, "access_codes"),
            "/action_attempts/get": lambda it: {
                "action_attempt": _need(self.attempts, it["action_attempt_id"], "action_attempt")
            },
            "/connected_accounts/get": lambda it: {
                "connected_account": _need(self.accounts, it["connected_account_id"], "connected_account")
            },
            "/events/list": self._list_events,
            "/webhooks/list": lambda _: {
                "webhooks": [{"webhook_id": str(uuid4()), "url": self.webhook_url, "event_types": ["*"]}]
            },
        }

    def _door(self, device_id: str) -> Object:
        """Return a door; its errors repeat those of its account."""
        device = _need(self.devices, device_id, "device")
        account = self.accounts.get(device["connected_account_id"], {"errors": []})
        repeated = [each | {"is_connected_account_error": True, "is_device_error": False} for each in account["errors"]]
        return device | {"errors": [*device["errors"], *repeated]}

    def _list_devices(self, asked: Object) -> Object:
        wanted = asked.get("device_ids", self.devices)
        return _page([self._door(each) for each in self.devices if each in wanted], asked, "devices")

    def _listed(self, table: Mapping[str, Object], asked: Object) -> list[Object]:
        if "device_id" in asked:
            _need(self.devices, asked["device_id"], "device")
        wanted = asked.get("access_code_ids", table)
        of_door = asked.get("device_id")
        return [each for name, each in table.items() if name in wanted and of_door in (None, each["device_id"])]

    def _list_events(self, asked: Object) -> Object:
        since = datetime.fromisoformat(asked.get("since") or asked["between"][0])
        until = datetime.fromisoformat(asked["between"][1]) if "between" in asked else now()
        kinds = asked.get("event_types") or ([asked["event_type"]] if "event_type" in asked else None)
        found = [
            event
            for event in self.events
            if since < datetime.fromisoformat(event["created_at"]) <= until
            and (kinds is None or event["event_type"] in kinds)
            and all(name not in asked or event.get(name) == asked[name] for name in ("device_id", "access_code_id"))
        ]
        start = int(asked.get("unstable_offset", 0))
        return {"events": found[start : start + int(asked.get("limit", 500))]}

    def _create(self, asked: Object) -> Object:
        device = _need(self.devices, asked["device_id"], "device")
        if not asked.get("is_offline_access_code") or "code" in asked:
            raise Refusal(400, "invalid_input", "This device takes offline access codes whose code it chooses itself")
        starts_at, ends_at = (datetime.fromisoformat(asked[name]) for name in ("starts_at", "ends_at"))
        if ends_at <= max(starts_at, now()) or ends_at - starts_at > timedelta(days=31, hours=1):
            raise Refusal(400, "invalid_input", "ends_at must be in the future, and within 31 days after starts_at")
        slots = device["properties"]["dormakaba_oracode_metadata"]["predefined_time_slots"]
        taken = next((found for slot in slots if (found := _rounded(slot, starts_at, ends_at))), None)
        if taken is None:
            raise Refusal(400, "invalid_input", "No time slots found for the given starts_at and ends_at")
        code: Object = {"access_code_id": str(uuid4()), "workspace_id": WORKSPACE, "device_id": asked["device_id"]}
        code |= {"name": asked.get("name"), "type": "time_bound", "code": None, "created_at": iso(now())}
        code |= {"starts_at": iso(taken[0]), "ends_at": iso(taken[1]), "status": "setting", "errors": []}
        code |= {"warnings": [], "pending_mutations": [_mutation("creating")], "is_managed": True}
        code |= {"common_code_key": None, "is_backup_access_code_available": False, "is_offline_access_code": True}
        code |= {"is_external_modification_allowed": False, "is_one_time_use": False, "display_status": "Issuing"}
        flags = {f"is_{each}": True for each in ("cancellable", "extendable", "overridable")}
        code["dormakaba_oracode_metadata"] = {"stay_id": 99, "user_level_name": None, "site_name": "Beach", **flags}
        self.codes[code["access_code_id"]] = code
        self.tell_of_code(code, "created")
        answered = {"access_code": dict(code), "action_attempt": dict(self._attempt("CREATE_ACCESS_CODE"))}
        if self.sets_codes:
            self.set_code(code)
        return answered

    def set_code(self, code: Object) -> None:
        """Let the lock have the code."""
        code.update(status="set", pending_mutations=[], code=str(next(self._pins)))
        self.tell_of_code(code, "set_on_device", code=code["code"])

    def _attempt(self, kind: str) -> Object:
        attempt: Object = {"action_attempt_id": str(uuid4()), "action_type": kind, "status": "pending"}
        attempt |= {"result": None, "error": None}
        self.attempts[attempt["action_attempt_id"]] = attempt
        return attempt

    def _delete(self, asked: Object) -> Object:
        code = _need(self.codes, asked["access_code_id"], "access_code")
        attempt = self._attempt("DELETE_ACCESS_CODE")
        self.on_delete(code, attempt)
        return {"action_attempt": dict(attempt)}

    def _deleted(self, code: Object, attempt: Object) -> None:
        attempt.update(status="success", result={})
        del self.codes[code["access_code_id"]]
        self.tell_of_code(code, "deleted", code=code["code"])

    def _update(self, asked: Object) -> Object:
        code = _need(self.codes, asked["access_code_id"], "access_code")
        attempt = self._attempt("UPDATE_ACCESS_CODE")
        wanted: Object = {
            name: iso(datetime.fromisoformat(asked[name])) for name in ("starts_at", "ends_at") if name in asked
        }
        self.on_update(code, wanted, attempt)
        return {"action_attempt": dict(attempt)}

    def _updated(self, code: Object, wanted: Object, attempt: Object) -> None:
        before = {name: code[name] for name in wanted}
        code.update(wanted)
        attempt.update(status="success", result={})
        self.tell_of_code(code, "time_frame_changed", **{"from": before, "to": wanted, "description": "Changed"})


def fail(attempt: Object, message: str) -> None:
    """Let an action attempt end in an error."""
    attempt.update(status="error", error={"type": "uncategorized_error", "message": message})


def error(code: str, **fields: Any) -> Object:
    """Return an error as Seam lists it."""
    return {"error_code": code, "message": f"Details of {code}.", "created_at": iso(now()), **fields}


def warning(code: str, **fields: Any) -> Object:
    """Return a warning as Seam lists it."""
    return {"warning_code": code, "message": f"Details of {code}.", "created_at": iso(now()), **fields}


def _mutation(code: str) -> Object:
    return {"mutation_code": code, "created_at": iso(now()), "message": "Under way."}


def _slot(name: str, check_in: str, check_out: str, **flags: bool) -> Object:
    times = {"check_in_time": f"{check_in}[{ZONE}]", "check_out_time": f"{check_out}[{ZONE}]"}
    level = {"dormakaba_oracode_user_level_id": str(uuid4()), "dormakaba_oracode_user_level_prefix": 1}
    return {"name": name, "prefix": 1, **times, **level, **flags}


def _rounded(slot: Object, starts_at: datetime, ends_at: datetime) -> tuple[datetime, datetime] | None:
    """Return the slot's own times, where both ends lie within an hour of them."""
    if slot.get("is_master"):
        return None
    ends = (_nearest(slot["check_in_time"], starts_at), _nearest(slot["check_out_time"], ends_at))
    is_near = all(abs(end - asked) <= timedelta(hours=1) for end, asked in zip(ends, (starts_at, ends_at), strict=True))
    return ends if is_near else None


def _nearest(time_of_day: str, moment: datetime) -> datetime:
    at, zone = time.fromisoformat(time_of_day.partition("[")[0]), ZoneInfo(ZONE)
    day: date = moment.astimezone(zone).date()
    days = (datetime.combine(day + timedelta(days=each), at, zone).astimezone(UTC) for each in (-1, 0, 1))
    return min(days, key=lambda each: abs(each - moment))


def _need(table: Mapping[str, Object], name: str, what: str) -> Object:
    if name not in table:
        raise Refusal(404, f"{what}_not_found", f"Could not find {what} with id {name}")
    return table[name]


def _page(rows: list[Object], asked: Object, name: str) -> Object:
    start = int(asked.get("page_cursor") or 0)
    more = start + PAGE < len(rows)
    pagination = {"has_next_page": more, "next_page_cursor": str(start + PAGE) if more else None, "next_page_url": None}
    return {name: rows[start : start + PAGE], "pagination": pagination}


@contextmanager
def running() -> Iterator[tuple[StandIn, str]]:
    """Run one for as long as it is needed; yield it and its address. It also takes alerts, at `/alerts`."""
    seam = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path == "/alerts":
                seam.alerts += json.loads(body)["alerts"]
                status, answered = 200, b"{}"
            else:
                status, answered = seam.answer(self.path, self.headers.get("authorization", ""), body)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answered)))
            self.send_header("seam-request-id", str(uuid4()))
            self.end_headers()
            self.wfile.write(answered)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield seam, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
