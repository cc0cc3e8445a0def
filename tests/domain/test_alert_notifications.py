"""What goes out as one message, when, and under which id."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alerting.alert import Alert, delivered, given_up, heard
from shared.domain.alerting.budget import Budget, Priority, Rate, spend
from shared.domain.alerting.mute_times import MuteTime
from shared.domain.alerting.notifications import (
    Group,
    Notification,
    View,
    delivery_id,
    done_with,
    is_over,
    next_notifications,
    refused,
    with_notification,
)
from shared.domain.alerting.routing import Route, Routing
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.record import AlertNotice
from tests.shared.stories import NOW

WINDOW = timedelta(seconds=30)
LEASE = timedelta(minutes=1)
QUIET = MuteTime(time(22), time(7), "Europe/Berlin")
POLICY = AlertPolicy(routing=Routing(channels=("a", "b")))
NIGHT = datetime(2036, 1, 10, 23, 30, tzinfo=UTC)


def opened(name: str = "1", level: Severity = Severity.WARNING, at: datetime = NOW, problem: str = "no_slot") -> Alert:
    """Return an alert of this level."""
    notice = AlertNotice(at=at, raised=True, key=f"booking/{name}/{problem}/d", problem=problem)
    alert = heard(None, notice, group="g", level=level)
    assert alert is not None
    return alert


def over(alert: Alert, at: datetime = NOW) -> Alert:
    """Return the alert after its end."""
    after = heard(alert, replace(alert.notice, raised=False, at=at))
    assert after is not None
    return after


def view(*alerts: Alert, at: datetime = NOW, policy: AlertPolicy = POLICY, silent: datetime | None = None) -> View:
    """Return a group as it is looked at."""
    held = {alert.key: silent for alert in alerts} if silent else {}
    return View("g", {alert.key: alert for alert in alerts}, held, policy, at)


def notification(seen: View, state: Group | None = None, channel: str = "a", *, resolved: bool = False) -> Notification:
    """Return the notification that is to be sent; fails where there is none."""
    found, _ = next_notifications(seen, state or Group(), channel, "resolved" if resolved else "open", lease=LEASE)
    assert found is not None
    return found


def later(seen: View, state: Group | None = None, channel: str = "a", *, resolved: bool = False) -> datetime | None:
    """Return when to look again; fails where there is something to send."""
    found, at = next_notifications(seen, state or Group(), channel, "resolved" if resolved else "open", lease=LEASE)
    assert found is None
    return at


def test_the_first_of_a_group_waits_for_others() -> None:
    """A window long, counted from the first; then all go out at once, the latest too."""
    first, second = opened("1"), opened("2", at=NOW + timedelta(seconds=29))
    assert later(view(first)) == NOW + WINDOW
    assert set(notification(view(first, second, at=NOW + WINDOW)).members) == {first.key, second.key}


def test_a_page_waits_five_seconds_and_takes_along_what_waits() -> None:
    """It is never worth half a minute to merge a page; the others of its group come along."""
    calm, page = opened("1"), opened("2", Severity.PAGE)
    assert later(view(calm, page)) == NOW + timedelta(seconds=5)
    sent = notification(view(calm, page, at=NOW + timedelta(seconds=5)))
    assert (len(sent.members), sent.is_page) == (2, True)


def test_ends_are_grouped_too_and_go_to_those_who_know() -> None:
    """A problem that was over before its window was is told to nobody."""
    known = over(delivered(opened("1"), "a", 1))
    unknown = over(opened("2"))
    after = view(known, unknown, at=NOW + WINDOW)
    assert set(notification(after, resolved=True).members) == {known.key}
    assert later(after, channel="b", resolved=True) is None


def test_an_end_is_told_where_a_try_may_have_arrived() -> None:
    """The answer was lost: perhaps somebody reads the problem, and must not be left with it."""
    tried = refused(
        notification(view(opened("1"), at=NOW + WINDOW)), error="cut", now=NOW, jitter=0.5, retry_after=None
    )
    state = with_notification(Group(), tried)
    gone = view(over(opened("1")), at=NOW + 2 * WINDOW)
    assert notification(gone, state, resolved=True).members


def test_an_end_waits_for_the_word_that_is_under_way() -> None:
    """Else people might read that it is gone before they read of it, and be left with that."""
    state = with_notification(Group(), notification(view(opened("1"), at=NOW + WINDOW)))
    gone = view(over(opened("1")), at=NOW + 2 * WINDOW)
    assert later(gone, state, resolved=True) == NOW + WINDOW + LEASE


def test_a_try_that_failed_is_repeated_as_it_was() -> None:
    """Under the same id, after its pause; newcomers wait for the next message."""
    first = opened("1")
    tried = notification(view(first, at=NOW + WINDOW))
    state = with_notification(Group(), refused(tried, error="HTTP 500", now=NOW + WINDOW, jitter=0.0, retry_after=None))
    newcomer = opened("2", at=NOW)
    pause = later(view(first, newcomer, at=NOW + WINDOW), state)
    assert pause is not None
    again = notification(view(first, newcomer, at=pause), state)
    assert (again.delivery_id, again.members, again.attempts) == (tried.delivery_id, tried.members, 1)


def test_what_changed_meanwhile_goes_out_as_it_is_now() -> None:
    """With an id of its own, and whatever came meanwhile."""
    first = opened("1")
    tried = refused(notification(view(first, at=NOW + WINDOW)), error="x", now=NOW, jitter=0.0, retry_after=None)
    state = with_notification(Group(), tried)
    news = heard(first, replace(first.notice, happened="worse"))
    assert news is not None
    again = notification(view(news, opened("2"), at=NOW + timedelta(minutes=5)), state)
    assert again.delivery_id != tried.delivery_id
    assert (len(again.members), again.attempts) == (2, 1)


def test_a_page_does_not_wait_for_the_pause_of_something_else() -> None:
    """A channel that failed with a warning is tried at once with a page."""
    calm = opened("1")
    tried = refused(
        notification(view(calm, at=NOW + WINDOW)), error="x", now=NOW, jitter=0.5, retry_after=timedelta(minutes=9)
    )
    state = with_notification(Group(), tried)
    page = opened("2", Severity.PAGE)
    assert notification(view(calm, page, at=NOW + WINDOW), state).is_page
    risen = replace(calm, severity=Severity.PAGE, sequence=2)
    assert notification(view(risen, at=NOW + WINDOW), state).is_page


def test_what_is_leased_is_left_alone_until_its_worker_must_be_dead() -> None:
    """Also a page: the worker that is sending looks again afterwards."""
    calm, page = opened("1"), opened("2", Severity.PAGE)
    state = with_notification(Group(), notification(view(calm, at=NOW + WINDOW)))
    assert later(view(calm, page, at=NOW + WINDOW), state) == NOW + WINDOW + LEASE
    assert notification(view(calm, at=NOW + WINDOW + LEASE), state).delivery_id == delivery_id("g", {calm.key: 1})


def test_quiet_hours_hold_back_information_alone() -> None:
    """Until they end, by the clock of their zone."""
    policy = replace(POLICY, quiet=QUIET)
    info = opened("1", Severity.INFO, at=NIGHT)
    assert later(view(info, at=NIGHT + WINDOW, policy=policy)) == datetime(2036, 1, 11, 6, tzinfo=UTC)
    assert notification(view(opened("2", at=NIGHT), info, at=NIGHT + WINDOW, policy=policy)).members.keys() == {
        opened("2").key
    }


def test_silences_hold_back_what_is_open() -> None:
    """And never the end of what people know."""
    until = NOW + timedelta(hours=2)
    assert later(view(opened(), at=NOW + WINDOW, silent=until)) == until
    known = over(delivered(opened(), "a", 1))
    assert notification(view(known, at=NOW + WINDOW, silent=until), resolved=True).members


def test_the_fallback_channel_hears_what_another_will_not_take() -> None:
    """After a few tries; and its end."""
    policy = AlertPolicy(routing=Routing(channels=("a", "b"), routes=(Route(channels=("a",)),), fallback="b"))
    alert = opened()
    stuck = replace(notification(view(alert, at=NOW + WINDOW, policy=policy)), attempts=policy.tries_before_fallback)
    after = view(alert, at=NOW + WINDOW, policy=policy)
    assert later(after, Group(), "b") is None
    assert notification(after, with_notification(Group(), stuck), "b").members
    lost = given_up(alert, "a", 1, error="HTTP 400")
    assert notification(view(lost, at=NOW + WINDOW, policy=policy), Group(), "b").members


def test_a_page_is_never_given_up() -> None:
    """Everything else is, after a day of tries."""
    calm = replace(notification(view(opened(), at=NOW + WINDOW)), attempts=999)
    page = replace(notification(view(opened("1", Severity.PAGE), at=NOW + WINDOW)), attempts=999)
    assert (is_over(calm, POLICY), is_over(page, POLICY)) == (True, False)


def test_a_group_is_done_with_what_everybody_knows_the_end_of() -> None:
    """What is open stays, and so does what somebody must still hear."""
    known = over(delivered(opened("1"), "a", 1))
    told = delivered(known, "a", 2)
    still_open = opened("3")
    state = with_notification(
        Group(), replace(notification(view(opened("1"), at=NOW + WINDOW)), at=NOW, is_leased=False)
    )
    after, gone = done_with(view(told, still_open, at=NOW + WINDOW), state, ("a",))
    assert not after.parcels
    assert gone == {told.key}
    assert done_with(view(known, at=NOW + WINDOW), Group(), ("a", "b"))[1] == frozenset()


def test_a_channel_that_was_taken_out_of_the_settings_is_forgotten() -> None:
    """What it hadn't taken waits for nobody."""
    stuck = replace(notification(view(opened(), at=NOW + WINDOW)), at=NOW, is_leased=False, attempts=9)
    state, seen = with_notification(Group(), stuck), view(opened(), at=NOW + WINDOW)
    assert done_with(seen, state, ("a", "b"))[0] == state
    assert not done_with(seen, state, ("b",))[0].parcels


def test_the_same_told_set_has_the_same_id() -> None:
    """Whatever its order; and no other set has it."""
    assert delivery_id("g", {"k": 3}) == "k#3"
    assert delivery_id("g", {"a": 1, "b": 2}) == delivery_id("g", {"b": 2, "a": 1})
    assert len({delivery_id("g", {"a": n, "b": m}) for n in range(9) for m in range(9)}) == 81


@given(st.lists(st.integers(0, 60), max_size=200))
def test_a_budget_is_kept_and_drops_nothing(pauses: list[int]) -> None:
    """Never more than the burst and what time adds; who comes back when told gets through."""
    rate, budget, now, sent = Rate(5, timedelta(seconds=10)), None, NOW, 0
    for pause in pauses:
        now += timedelta(seconds=pause)
        after, again_at = spend(budget, rate, now, name="a", priority=Priority.WARNING)
        if again_at is None:
            budget, sent = after, sent + 1
        else:
            assert spend(budget, rate, again_at, name="a", priority=Priority.WARNING)[1] is None
    assert sent <= 5 + (now - NOW) / timedelta(seconds=10)


def test_a_page_is_sent_at_any_price() -> None:
    """What comes after it pays."""
    empty = Budget(0, NOW)
    after, again_at = spend(empty, Rate(5, timedelta(seconds=10)), NOW, name="a", priority=Priority.PAGE)
    assert (after.left, again_at) == (-1, None)
    assert spend(after, Rate(5, timedelta(seconds=10)), NOW, name="a", priority=Priority.WARNING)[1] == NOW + timedelta(
        seconds=20
    )


@given(st.integers(0, 366 * 24 * 60), st.times(), st.times())
def test_quiet_hours_end(minutes: int, starts: time, ends: time) -> None:
    """Within a day (and the hour that a change of clocks adds), and at the hour that was said."""
    now = datetime(2036, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    until = MuteTime(starts, ends, "Europe/Berlin").until(now)
    if until is not None:
        assert now < until <= now + timedelta(hours=25)
