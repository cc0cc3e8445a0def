"""Run by the official Seam SDK's own interpreter: prints what the SDK makes of the sandbox, as JSON."""

import json
import sys
from typing import Any

import seam  # type: ignore[import-not-found,unused-ignore]

url, api_key, device_id, full_device_id, starts_at, ends_at = sys.argv[1:]
client = seam.Seam(api_key=api_key, endpoint=url)


def refusal(call: Any, **arguments: Any) -> dict[str, Any]:
    """Return what the SDK raises for a call, as JSON values."""
    try:
        call(**arguments)
    except seam.SeamHttpApiError as error:
        return {
            "class": type(error).__name__,
            "code": error.code,
            "status": error.status_code,
            "request_id": error.request_id,
            "message": str(error),
            "fields": sorted(problem.parameter_name for problem in getattr(error, "validation_errors", [])),
        }
    return {}


wanted = {
    "device_id": device_id,
    "name": "BK-SDK",
    "starts_at": starts_at,
    "ends_at": ends_at,
    "is_offline_access_code": True,
    "max_time_rounding": "1hour",
}
device = client.devices.get(device_id=device_id)
slots = device.properties.dormakaba_oracode_metadata.predefined_time_slots
created = client.access_codes.create(**wanted)
again = client.access_codes.create(**{**wanted, "max_time_rounding": "1h"})
read = client.access_codes.get(access_code_id=created.access_code_id)
pages = client.create_paginator(client.access_codes.list, {"device_id": device_id, "limit": 1})
doors = client.create_paginator(client.devices.list, {"limit": 2})
stranger = seam.Seam(api_key="seam_wrong_key", endpoint=url)

json.dump(
    {
        "devices": len(client.devices.list()),
        "locks": len(client.locks.list()),
        "device_name": device.display_name,
        "can_program": device.can_program_offline_access_codes,
        "slots": [slot.name for slot in slots],
        "created": [created.access_code_id, created.starts_at, created.status],
        "read": [read.access_code_id, read.name, read.is_offline_access_code],
        "mutations": [entry.mutation_code for entry in created.pending_mutations],
        "listed": [code.access_code_id for code in client.access_codes.list(device_id=device_id)],
        "paged": [code.access_code_id for code in pages.flatten()],
        "paged_devices": len(doors.flatten_to_list()),
        "second": again.access_code_id,
        "events": [event.event_type for event in client.events.list(since="2020-01-01T00:00:00Z")],
        "webhook": client.webhooks.create(url="http://127.0.0.1:9/x").secret[:6],
        "no_slot": refusal(client.access_codes.create, **{**wanted, "starts_at": starts_at[:11] + "03:00:00Z"}),
        "bad_field": refusal(client.access_codes.create, **{**wanted, "starts_at": "soon"}),
        "not_found": refusal(client.access_codes.get, access_code_id="99999999-0000-4000-8000-000000000000"),
        "too_many": refusal(client.access_codes.create, **{**wanted, "device_id": full_device_id}),
        "undeletable": refusal(client.access_codes.delete, access_code_id=created.access_code_id),
        "unchangeable": refusal(client.access_codes.update, access_code_id=created.access_code_id, ends_at=starts_at),
        "stranger": refusal(stranger.devices.get, device_id=device_id),
    },
    sys.stdout,
)
