"""A Seam for Oracode doors in plain dicts: in this process, on the test's clock, with every kind of failure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx

from tests.worker.stateful_faults import BEFORE, LATE, PIN, STALE, cut, failing
from tests.worker.stateful_things import SLOTS, TROUBLES, Code, FakeDoor

OPERATIONS: Final = {
    "/devices/get": "device",
    "/access_codes/create": "create",
    "/access_codes/get": "get",
    "/access_codes/list": "list",
    "/access_codes/unmanaged/get": "unmanaged",
    "/access_codes/unmanaged/list": "unmanaged_list",
    "/access_codes/update": "update",
    "/access_codes/delete": "delete",
    "/events/list": "events",
}
# A create that timed out may still be carried out so much later: less than the worker allows for.
_LATE_BY: Final = timedelta(seconds=15)
_SET_AFTER: Final = timedelta(seconds=5)
_STALE_FOR: Final = timedelta(minutes=10)

JsonObject = dict[str, Any]


class Answer(Exception):
    """An answer that isn't a success."""

    def __init__(self, status: int, error_type: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error_type)
        self.status, self.error_type, self.headers = status, error_type, dict(headers or {})


@dataclass
class FakeSeam:
    """Seam. `asked` is called with every create when it is sent. `doubles` are codes that were there before."""

    clock: Callable[[], datetime]
    doors: dict[str, FakeDoor]
    asked: Callable[[JsonObject], None]
    codes: dict[str, Code] = field(default_factory=dict)
    faults: list[list[Any]] = field(default_factory=list)
    fired: list[tuple[str, str, str]] = field(default_factory=list)
    late: list[tuple[datetime, JsonObject]] = field(default_factory=list)
    events: list[JsonObject] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    page: int = 500

    def arm(self, operation: str, kind: str, times: int) -> None:
        """Let the next `times` calls of an operation fail."""
        self.faults.append([operation, kind, times])

    def answer(self, operation: str, body: JsonObject) -> httpx.Response:
        """Answer a call, or fail as `arm` said."""
        kind = self._fault(operation, body)
        if kind in BEFORE:
            return failing(kind)
        if kind == LATE:
            self.late.append((self.clock() + _LATE_BY, body))
            raise httpx.ReadTimeout("late")
        handlers: dict[str, Callable[[JsonObject], JsonObject]] = {
            "device": self._device,
            "create": self._create,
            "get": self._get,
            "list": lambda it: self._list(it, is_stale=kind == STALE),
            "unmanaged": self._unmanaged,
            "unmanaged_list": lambda _: {"access_codes": []},
            "update": self._update,
            "delete": self._delete,
            "events": self._events,
        }
        try:
            found = handlers[operation](body)
        except Answer as refusal:
            error = {"type": refusal.error_type, "message": f"No: {PIN}1."}
            return httpx.Response(refusal.status, json={"error": error, "ok": False}, headers=refusal.headers)
        return cut(kind, {**found, "ok": True})

    def _fault(self, operation: str, body: JsonObject) -> str:
        for fault in self.faults:
            if fault[0] == operation and fault[2] > 0:
                fault[2] -= 1
                device_id = body.get("device_id") or self.codes[body["access_code_id"]].device_id
                self.fired.append((operation, fault[1], device_id))
                return str(fault[1])
        return ""

    def pass_time(self, *, all_of_it: bool = False) -> None:
        """Do what takes Seam a while: calls that came late, codes that get set."""
        now = self.clock()
        for at, body in [each for each in self.late if all_of_it or each[0] <= now]:
            self.late.remove((at, body))
            self._create(body)
        for code in self.codes.values():
            if not (code.is_set or code.deleted) and now >= code.made_at + _SET_AFTER:
                code.is_set = True
                self.tell("set_on_device", code)

    def let_say(self, code: Code, said: Mapping[str, Any]) -> None:
        """Let Seam's answers about a code have these fields from now on; `{}` is a code without problems."""
        code.said = said
        if not said and code.held_back is not None:
            code.starts_at, code.ends_at = code.held_back
            code.held_back = None
        self.tell("changed", code)

    def tell(self, kind: str, code: Code) -> None:
        """Send an event."""
        event_id = str(UUID(int=len(self.events) + 1))
        self.events.append(
            {
                "event_id": event_id,
                "event_type": f"access_code.{kind}",
                "access_code_id": code.access_code_id,
                "device_id": code.device_id,
                "occurred_at": self.clock().isoformat(),
                "code": code.pin,
            }
        )

    def alive(self, booking_id: str, device_id: str) -> Iterator[Code]:
        """Yield the booking's codes that open the door now or later."""
        for code in self.codes.values():
            is_alive = not code.deleted and code.ends_at > self.clock()
            if is_alive and (code.booking_id, code.device_id) == (booking_id, device_id):
                yield code

    def _device(self, body: JsonObject) -> JsonObject:
        door = self.doors[body["device_id"]]
        slots = [
            {
                "name": name,
                "check_in_time": f"{SLOTS[name][0]}:00[{door.zone}]",
                "check_out_time": f"{SLOTS[name][1]}:00[{door.zone}]",
                "dormakaba_oracode_user_level_id": f"level-{name}",
            }
            for name in door.slots
        ]
        metadata = {"iana_timezone": door.zone, "predefined_time_slots": slots}
        properties: JsonObject = {"dormakaba_oracode_metadata": metadata}
        if door.most is not None:
            properties["max_active_codes_supported"] = door.most
        return {
            "device": {
                "device_id": door.device_id,
                "device_type": "dormakaba_oracode_door",
                "can_program_offline_access_codes": door.offline,
                "properties": properties,
            }
        }

    def _create(self, body: JsonObject) -> JsonObject:
        number = len(self.codes) + 1
        code = Code(
            access_code_id=f"code-{number}",
            device_id=body["device_id"],
            name=body["name"],
            starts_at=datetime.fromisoformat(body["starts_at"]),
            ends_at=datetime.fromisoformat(body["ends_at"]),
            made_at=self.clock(),
            pin=f"{PIN}{number:03d}",
        )
        window = (code.starts_at, code.ends_at)
        for other in self.alive(code.booking_id, code.device_id):
            if (other.starts_at, other.ends_at) == window:
                self.doubles.append(f"{code.access_code_id} is {other.access_code_id} again: {code.name}, {window}")
        self.codes[code.access_code_id] = code
        self.tell("created", code)
        return {"access_code": self._object(code)}

    def _get(self, body: JsonObject) -> JsonObject:
        return {"access_code": self._object(self._known(body))}

    def _unmanaged(self, _: JsonObject) -> JsonObject:
        """No code is ever unmanaged here."""
        raise Answer(404, "unmanaged_access_code_not_found")

    def _list(self, body: JsonObject, *, is_stale: bool) -> JsonObject:
        seen_until = self.clock() - (_STALE_FOR if is_stale else -_STALE_FOR)
        found = [
            code
            for code in self.codes.values()
            if code.device_id == body["device_id"] and not code.deleted and code.made_at <= seen_until
        ]
        start = int(body.get("page_cursor") or 0)
        end = start + min(self.page, int(body["limit"]))
        pagination = {"has_next_page": end < len(found), "next_page_cursor": str(end) if end < len(found) else None}
        return {"access_codes": [self._object(code) for code in found[start:end]], "pagination": pagination}

    def _update(self, body: JsonObject) -> JsonObject:
        code = self._known(body)
        window = datetime.fromisoformat(body["starts_at"]), datetime.fromisoformat(body["ends_at"])
        if code.said == TROUBLES["not updated"]:
            code.held_back = window
            return {}
        code.starts_at, code.ends_at = window
        self.tell("time_frame_changed", code)
        return {}

    def _delete(self, body: JsonObject) -> JsonObject:
        code = self._known(body)
        code.deleted = True
        self.tell("deleted", code)
        return {}

    def _events(self, body: JsonObject) -> JsonObject:
        since = datetime.fromisoformat(body["since"])
        return {
            "events": [
                event
                for event in self.events
                if event["device_id"] == body["device_id"]
                and event["event_type"] == body["event_type"]
                and datetime.fromisoformat(event["occurred_at"]) >= since
            ]
        }

    def _known(self, body: JsonObject) -> Code:
        code = self.codes.get(body["access_code_id"])
        if code is None or code.deleted:
            raise Answer(404, "access_code_not_found")
        return code

    def _object(self, code: Code) -> JsonObject:
        usual = {
            "access_code_id": code.access_code_id,
            "device_id": code.device_id,
            "name": code.name,
            "code": code.pin,
            "status": "set" if code.is_set else "setting",
            "starts_at": code.starts_at.isoformat(),
            "ends_at": code.ends_at.isoformat(),
            "errors": [],
            "warnings": [],
            "pending_mutations": [] if code.is_set else [{"mutation_code": "creating", "message": code.pin}],
            "dormakaba_oracode_metadata": dict.fromkeys(self.doors[code.device_id].flags, True),
        }
        # Each issue quotes the PIN, as Seam's own messages might.
        worded = {
            name: [{**each, "message": f"No {code.pin}"} for each in value] if isinstance(value, list) else value
            for name, value in code.said.items()
        }
        return usual | worded
