"""The doors of a new sandbox: one of each kind that the service must deal with."""

from deploy.sandbox.devices.accounts import Accounts
from deploy.sandbox.devices.doors import Doors
from deploy.sandbox.devices.spec import DoorSpec, SlotSpec

DOORS = (
    DoorSpec(
        device_id="11111111-1111-1111-1111-444444444444",
        name="Room 101",
        slots=(
            SlotSpec(name="Guest 4pm-10am", check_in="16:00", check_out="10:00"),
            SlotSpec(
                name="Guest RCI D 3:30pm-10:30am",
                check_in="15:30",
                check_out="10:30",
                time_zone="PST8PDT",
            ),
            SlotSpec(name="Guest RCI D 7am-7pm", check_in="07:00", check_out="19:00"),
            SlotSpec(name="24h noon", check_in="12:00", check_out="12:00", is_24_hour=True),
            SlotSpec(name="Site master", check_in="00:00", check_out="00:00", is_master=True),
            SlotSpec(name="One shot", check_in="14:00", check_out="11:00", is_one_shot=True),
            SlotSpec(name="Biweekly", check_in="17:00", check_out="09:00", is_biweekly_mode=True),
        ),
    ),
    DoorSpec(
        device_id="22222222-2222-2222-2222-444444444444",
        name="Room 102",
        slots=(SlotSpec(name="Guest RCI D 7am-7pm", check_in="07:00", check_out="19:00"),),
    ),
    DoorSpec(device_id="33333333-3333-3333-3333-444444444444", name="Room 103"),
    DoorSpec(
        device_id="44444444-4444-4444-4444-444444444444",
        name="Room 104",
        slots=(SlotSpec(name="Guest 4pm-10am", check_in="16:00", check_out="10:00"),),
        offline_codes=False,
    ),
    DoorSpec(
        device_id="55555555-5555-5555-5555-444444444444",
        name="Room 105",
        time_zone="Europe/Berlin",
        slots=(SlotSpec(name="Gast 15-11 Uhr", check_in="15:00", check_out="11:00"),),
    ),
)


def add_seeds(accounts: Accounts, doors: Doors) -> None:
    """Add the account and the doors to a sandbox that has none."""
    if not list(accounts):
        accounts.add()
    if not len(doors):
        for spec in DOORS:
            doors.describe(spec)
