"""Control of what goes wrong: faults, outage; and the dials."""

from deploy.sandbox.control.routes import Ask, Control
from deploy.sandbox.errors import unknown
from deploy.sandbox.faults import Fault, FaultSpec
from deploy.sandbox.outage import OutageSpec
from deploy.sandbox.wire import JsonObject


def _shown(fault: Fault) -> JsonObject:
    return {
        "fault_id": fault.fault_id,
        "fired": fault.fired,
        "is_spent": fault.is_spent,
        **fault.spec.model_dump(),
    }


def _list(ask: Ask) -> JsonObject:
    return {"faults": [_shown(fault) for fault in ask.world.faults]}


def _add(ask: Ask) -> JsonObject:
    return _shown(ask.world.faults.add(FaultSpec.model_validate(ask.body)))


def _remove(ask: Ask) -> JsonObject:
    fault = ask.world.faults.find(ask.path["fault_id"])
    if fault is None:
        raise unknown("fault", ask.path["fault_id"])
    ask.world.faults.remove(fault.fault_id)
    return {"deleted": [fault.fault_id]}


def _clear(ask: Ask) -> JsonObject:
    gone = [fault.fault_id for fault in ask.world.faults]
    for fault_id in gone:
        ask.world.faults.remove(fault_id)
    return {"deleted": gone}


def _outage(ask: Ask) -> JsonObject:
    ask.world.outage.change(OutageSpec.model_validate(ask.body))
    return ask.world.outage.spec.model_dump()


def _settings(ask: Ask) -> JsonObject:
    return ask.world.dials.change(ask.body).model_dump()


CONTROLS = (
    Control("GET", "/sandbox/faults", "The faults, with how often each has fired.", _list),
    Control("POST", "/sandbox/faults", "Let the next calls fail: {operation, kind, times?, ...}.", _add),
    Control("DELETE", "/sandbox/faults", "Remove all faults.", _clear),
    Control("DELETE", "/sandbox/faults/{fault_id}", "Remove one fault.", _remove),
    Control("POST", "/sandbox/outage", "Take the API down or up: {on, kind?}.", _outage),
    Control("POST", "/sandbox/settings", "Turn the dials; answers with all of them.", _settings),
)
