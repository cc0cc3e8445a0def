"""A doors file made from Seam's doors can be read, and held against them."""

from dataclasses import replace
from pathlib import Path

from shared.domain.stay.stay import UnitRules
from shared.doors_file import load_doors_file
from shared.doors_file_text import compare_doors, doors_file_lines
from tests.domain.building import day_slot, door, slot

FIRST, SECOND, THIRD = (f"d0000000-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))
DOORS = (
    door(day_slot(), slot("16:00-10:00"), device_id=FIRST, name="Room 101"),
    door(slot("15:00-11:00", is_master=True), device_id=SECOND, name='Zoë: "the # suite"'),
    door(device_id=THIRD, name="Room 101", can_program_offline_access_codes=False),
)


def test_what_is_made_can_be_read(tmp_path: Path) -> None:
    """Whatever doors are called; two of one name are told apart; usable slots give the default times."""
    path = tmp_path / "doors.yaml"
    text = "\n".join(doors_file_lines(DOORS))
    path.write_text(text, encoding="utf-8")
    units = load_doors_file(path)
    assert {name: rules.device_ids for name, rules in units.items()} == {
        f"Room 101 {FIRST}": (FIRST,),
        'Zoë: "the # suite"': (SECOND,),
        f"Room 101 {THIRD}": (THIRD,),
    }
    assert str(units[next(iter(units))].check_in) == "16:00:00"
    assert "takes no offline codes" in text


def test_it_agrees_with_the_doors_that_it_was_made_from(tmp_path: Path) -> None:
    """Nothing is found then, but for what no file can mend."""
    path = tmp_path / "doors.yaml"
    path.write_text("\n".join(doors_file_lines(DOORS)), encoding="utf-8")
    assert [each.kind for each in compare_doors(load_doors_file(path), DOORS)] == ["no_offline_codes"]


def test_what_is_found() -> None:
    """Ids that Seam doesn't have, doors in no unit, doors that no code can be made for."""
    units = {
        "101": UnitRules(unit="101", device_ids=(FIRST, "e0000000-0000-0000-0000-000000000404")),
        "103": UnitRules(unit="103", device_ids=(THIRD,)),
    }
    found = compare_doors(units, (*DOORS[:2], DOORS[2]))
    assert [each.kind for each in found] == ["no_offline_codes", "no_unit", "unknown_device"]
    assert "unit '103'" in found[0].text
    assert SECOND in found[1].text
    assert "e0000000-0000-0000-0000-000000000404, which Seam doesn't have" in found[2].text
    bare = replace(DOORS[0], slots=())
    assert [each.kind for each in compare_doors({"101": replace(units["101"], device_ids=(FIRST,))}, [bare])] == [
        "no_slots"
    ]
