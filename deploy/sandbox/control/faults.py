"""Control of what goes wrong: faults, outage; and the settings."""

from deploy.sandbox.control.routes import ControlEndpoint, ControlRequest
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import unknown
from deploy.sandbox.faults import Fault, FaultSpec, Kind
from deploy.sandbox.outage import OutageSpec
from deploy.sandbox.settings import Settings


def _shown(fault: Fault) -> JsonObject:
    return {
        "fault_id": fault.fault_id,
        "fired": fault.fired,
        "is_spent": fault.is_spent,
        **fault.spec.model_dump(),
    }


def _list(request: ControlRequest) -> JsonObject:
    return {"faults": [_shown(fault) for fault in request.sandbox.faults]}


def _add(request: ControlRequest) -> JsonObject:
    return _shown(request.sandbox.faults.add(FaultSpec.model_validate(request.body)))


def _remove(request: ControlRequest) -> JsonObject:
    fault = request.sandbox.faults.find(request.path["fault_id"])
    if fault is None:
        raise unknown("fault", request.path["fault_id"])
    request.sandbox.faults.remove(fault.fault_id)
    return {"deleted": [fault.fault_id]}


def _clear(request: ControlRequest) -> JsonObject:
    gone = [fault.fault_id for fault in request.sandbox.faults]
    for fault_id in gone:
        request.sandbox.faults.remove(fault_id)
    return {"deleted": gone}


def _outage(request: ControlRequest) -> JsonObject:
    request.sandbox.outage.change(OutageSpec.model_validate(request.body))
    return request.sandbox.outage.spec.model_dump()


def _settings(request: ControlRequest) -> JsonObject:
    return request.sandbox.settings.change(request.body).model_dump()


ENDPOINTS = (
    ControlEndpoint("GET", "/sandbox/faults", "The faults, with how often each has fired.", _list),
    ControlEndpoint(
        "POST",
        "/sandbox/faults",
        "Let the next calls fail: {operation, kind, times?, device_id?, name_prefix?, probability?, ...}; "
        f"kind: {', '.join(Kind)}.",
        _add,
        (
            {"operation": "access_codes.create", "kind": "error_after", "times": 2},
            {"operation": "access_codes.unmanaged.list", "kind": "unknown_endpoint", "times": None},
        ),
    ),
    ControlEndpoint("DELETE", "/sandbox/faults", "Remove all faults.", _clear),
    ControlEndpoint("DELETE", "/sandbox/faults/{fault_id}", "Remove one fault.", _remove),
    ControlEndpoint("POST", "/sandbox/outage", "Take the API down or up: {on, kind?}.", _outage, ({"on": False},)),
    ControlEndpoint(
        "POST",
        "/sandbox/settings",
        f"Change settings; answers with all of them: {', '.join(Settings.model_fields)}.",
        _settings,
        ({"set_again_seconds": 60},),
    ),
)
