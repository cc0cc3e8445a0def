"""The labels above the picture of a day: no line runs through one, at any times."""

from hypothesis import given
from hypothesis import strategies as st

from receiver.console.day_labels import DAY_MINUTES, LABEL_MINUTES, MarkLabel, labels_of
from receiver.console.day_picture import DayMark

MINUTES = st.floats(0, DAY_MINUTES - 1)


def mark(name: str, minute: float) -> DayMark:
    """Return a time of the stay."""
    return DayMark(name=name, time="00:00", minute=minute)


def crosses(line: MarkLabel, label: MarkLabel) -> bool:
    """Say whether the line of a time, which begins below its own label, runs through a label."""
    start, end = label.extent
    return line.row < label.row and start < line.mark.minute < end


@given(MINUTES, MINUTES)
def test_no_line_and_no_label_is_in_the_way(check_in: float, check_out: float) -> None:
    """On the narrowest page: each label is within the page, apart from the other, and clear of both lines."""
    labels = labels_of((mark("check-in", check_in), mark("check-out", check_out)))
    assert {each.mark.minute for each in labels} == {check_in, check_out}
    one, other = labels
    for each in labels:
        assert each.extent[0] >= 0
        assert each.extent[1] <= DAY_MINUTES
    assert not crosses(one, other)
    assert not crosses(other, one)
    are_apart = one.extent[1] <= other.extent[0] or other.extent[1] <= one.extent[0]
    assert one.row != other.row or are_apart


def test_where_there_is_room_both_share_the_upper_row() -> None:
    """And a picture without times has no labels."""
    labels = labels_of((mark("check-in", 17 * 60), mark("check-out", 3 * 60)))
    assert [each.row for each in labels] == [0, 0]
    assert labels[1].mark.minute - labels[0].mark.minute > LABEL_MINUTES
    assert labels_of(()) == ()
