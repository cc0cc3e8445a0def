"""Which alerts are sent as one message, when, and under which id."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.alerting.alert import Alert, record_notice
from shared.domain.alerting.budget import Budget, Priority, Rate, spend
from shared.domain.alerting.mute_times import MuteTime
from shared.domain.alerting.next_notification import next_notification
from shared.domain.alerting.notifications import (
    Group,
    Notification,
    View,
    delivery_id,
    is_given_up,
    record_failed_try,
    remove_finished,
    with_notification,
)
from shared.domain.alerting.receipts import record_delivery, record_failed_delivery
from shared.domain.alerting.routing import Route, Routing
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.record import AlertNotice
from tests.shared.stories import NOW

WINDOW = timedelta(seconds=30)
LEASE = timedelta(minutes=1)
MUTE_TIME = MuteTime(time(22), time(7), "Europe/Berlin")
POLICY = AlertPolicy(routing=Routing(channels=("a", "b")))
NIGHT = datetime(2036, 1, 10, 23, 30, tzinfo=UTC)


def opened(name: str = "1", level: Severity = Severity.WARNING, at: datetime = NOW, problem: str = "no_slot") -> Alert:
    """Return an alert of this level."""
    notice = AlertNotice(at=at, raised=True, key=f"booking/{name}/{problem}/d", problem=problem)
    alert = record_notice(None, notice, group="g", level=level)
    assert alert is not None
    return alert


def over(alert: Alert, at: datetime = NOW) -> Alert:
    """Return the alert after its end."""
    after = record_notice(alert, replace(alert.notice, raised=False, at=at))
    assert after is not None
    return after


def view(*alerts: Alert, at: datetime = NOW, policy: AlertPolicy = POLICY, held_until: datetime | None = None) -> View:
    """Return a view of a group of these alerts."""
    held = {alert.key: held_until for alert in alerts} if held_until else {}
    return View("g", {alert.key: alert for alert in alerts}, held, policy, at)


def notification(seen: View, state: Group | None = None, channel: str = "a", *, resolved: bool = False) -> Notification:
    """Return the notification that is to be sent; fails if there is none."""
    found, _ = next_notification(seen, state or Group(), channel, "resolved" if resolved else "open", lease=LEASE)
    assert found is not None
    return found


def later(seen: View, state: Group | None = None, channel: str = "a", *, resolved: bool = False) -> datetime | None:
    """Return when to check again; fails if there is something to send."""
    found, at = next_notification(seen, state or Group(), channel, "resolved" if resolved else "open", lease=LEASE)
    assert found is None
    return at


def test_the_first_of_a_group_waits_for_others() -> None:
    """For one group window from the first alert; then all are sent together, the latest too."""
    first, second = opened("1"), opened("2", at=NOW + timedelta(seconds=29))
    assert later(view(first)) == NOW + WINDOW
    assert set(notification(view(first, second, at=NOW + WINDOW)).members) == {first.key, second.key}


def test_a_page_waits_five_seconds_and_includes_what_waits() -> None:
    """Merging pages isn't worth half a minute. The other alerts of its group are sent with it."""
    calm, page = opened("1"), opened("2", Severity.PAGE)
    assert later(view(calm, page)) == NOW + timedelta(seconds=5)
    sent = notification(view(calm, page, at=NOW + timedelta(seconds=5)))
    assert (len(sent.members), sent.is_page) == (2, True)


def test_resolved_alerts_are_grouped_too_and_go_to_channels_that_know_them() -> None:
    """A problem that ended before its group window did is told to nobody."""
    known = over(record_delivery(opened("1"), "a", 1))
    unknown = over(opened("2"))
    after = view(known, unknown, at=NOW + WINDOW)
    assert set(notification(after, resolved=True).members) == {known.key}
    assert later(after, channel="b", resolved=True) is None


def test_a_resolved_alert_is_told_if_a_failed_try_may_have_arrived() -> None:
    """The answer was lost: perhaps somebody reads about the problem, and must learn that it is over."""
    tried = record_failed_try(
        notification(view(opened("1"), at=NOW + WINDOW)), error="cut", now=NOW, jitter=0.5, retry_after=None
    )
    state = with_notification(Group(), tried)
    gone = view(over(opened("1")), at=NOW + 2 * WINDOW)
    assert notification(gone, state, resolved=True).members


def test_a_resolved_alert_waits_for_the_notification_under_way() -> None:
    """Otherwise people might read that it is over before they read of it."""
    state = with_notification(Group(), notification(view(opened("1"), at=NOW + WINDOW)))
    gone = view(over(opened("1")), at=NOW + 2 * WINDOW)
    assert later(gone, state, resolved=True) == NOW + WINDOW + LEASE


def test_a_failed_try_is_repeated_unchanged() -> None:
    """Under the same id, after the pause. New alerts wait for the next message."""
    first = opened("1")
    tried = notification(view(first, at=NOW + WINDOW))
    state = with_notification(
        Group(), record_failed_try(tried, error="HTTP 500", now=NOW + WINDOW, jitter=0.0, retry_after=None)
    )
    newcomer = opened("2", at=NOW)
    pause = later(view(first, newcomer, at=NOW + WINDOW), state)
    assert pause is not None
    again = notification(view(first, newcomer, at=pause), state)
    assert (again.delivery_id, again.members, again.attempts) == (tried.delivery_id, tried.members, 1)


def test_alerts_that_changed_since_a_failed_try_are_sent_as_they_are_now() -> None:
    """Under a new id, with all alerts that came meanwhile."""
    first = opened("1")
    tried = record_failed_try(
        notification(view(first, at=NOW + WINDOW)), error="x", now=NOW, jitter=0.0, retry_after=None
    )
    state = with_notification(Group(), tried)
    news = record_notice(first, replace(first.notice, happened="worse"))
    assert news is not None
    again = notification(view(news, opened("2"), at=NOW + timedelta(minutes=5)), state)
    assert again.delivery_id != tried.delivery_id
    assert (len(again.members), again.attempts) == (2, 1)


def test_a_page_does_not_wait_for_the_pause_of_other_alerts() -> None:
    """A channel that failed with a warning is tried at once with a page."""
    calm = opened("1")
    tried = record_failed_try(
        notification(view(calm, at=NOW + WINDOW)), error="x", now=NOW, jitter=0.5, retry_after=timedelta(minutes=9)
    )
    state = with_notification(Group(), tried)
    page = opened("2", Severity.PAGE)
    assert notification(view(calm, page, at=NOW + WINDOW), state).is_page
    risen = replace(calm, severity=Severity.PAGE, sequence=2)
    assert notification(view(risen, at=NOW + WINDOW), state).is_page


def test_a_leased_notification_is_left_alone_until_the_lease_is_over() -> None:
    """Also for a page: the worker that is sending checks again afterwards."""
    calm, page = opened("1"), opened("2", Severity.PAGE)
    state = with_notification(Group(), notification(view(calm, at=NOW + WINDOW)))
    assert later(view(calm, page, at=NOW + WINDOW), state) == NOW + WINDOW + LEASE
    assert notification(view(calm, at=NOW + WINDOW + LEASE), state).delivery_id == delivery_id("g", {calm.key: 1})


def test_mute_times_hold_back_only_information() -> None:
    """Until the mute time ends, on the clock of its time zone."""
    policy = replace(POLICY, mute_time=MUTE_TIME)
    info = opened("1", Severity.INFO, at=NIGHT)
    assert later(view(info, at=NIGHT + WINDOW, policy=policy)) == datetime(2036, 1, 11, 6, tzinfo=UTC)
    assert notification(view(opened("2", at=NIGHT), info, at=NIGHT + WINDOW, policy=policy)).members.keys() == {
        opened("2").key
    }


def test_silences_hold_back_open_alerts() -> None:
    """But never the end of a problem that people know of."""
    until = NOW + timedelta(hours=2)
    assert later(view(opened(), at=NOW + WINDOW, held_until=until)) == until
    known = over(record_delivery(opened(), "a", 1))
    assert notification(view(known, at=NOW + WINDOW, held_until=until), resolved=True).members


def test_the_fallback_channel_is_told_what_another_does_not_take() -> None:
    """After a few tries; and the end of it, too."""
    policy = AlertPolicy(routing=Routing(channels=("a", "b"), routes=(Route(channels=("a",)),), fallback="b"))
    alert = opened()
    stuck = replace(notification(view(alert, at=NOW + WINDOW, policy=policy)), attempts=policy.tries_before_fallback)
    after = view(alert, at=NOW + WINDOW, policy=policy)
    assert later(after, Group(), "b") is None
    assert notification(after, with_notification(Group(), stuck), "b").members
    lost = record_failed_delivery(alert, "a", 1, error="HTTP 400")
    assert notification(view(lost, at=NOW + WINDOW, policy=policy), Group(), "b").members


def test_a_page_is_never_given_up() -> None:
    """All other notifications are given up after a day of tries."""
    calm = replace(notification(view(opened(), at=NOW + WINDOW)), attempts=999)
    page = replace(notification(view(opened("1", Severity.PAGE), at=NOW + WINDOW)), attempts=999)
    assert (is_given_up(calm, POLICY), is_given_up(page, POLICY)) == (True, False)


def test_alerts_leave_a_group_when_everybody_knows_of_their_end() -> None:
    """Open ones stay, and those that a channel is still to be told of."""
    known = over(record_delivery(opened("1"), "a", 1))
    told = record_delivery(known, "a", 2)
    still_open = opened("3")
    state = with_notification(
        Group(), replace(notification(view(opened("1"), at=NOW + WINDOW)), at=NOW, is_leased=False)
    )
    after, gone = remove_finished(view(told, still_open, at=NOW + WINDOW), state, ("a",))
    assert not after.parcels
    assert gone == {told.key}
    assert remove_finished(view(known, at=NOW + WINDOW), Group(), ("a", "b"))[1] == frozenset()


def test_a_channel_that_was_taken_out_of_the_settings_is_forgotten() -> None:
    """Nothing waits for it any more."""
    stuck = replace(notification(view(opened(), at=NOW + WINDOW)), at=NOW, is_leased=False, attempts=9)
    state, seen = with_notification(Group(), stuck), view(opened(), at=NOW + WINDOW)
    assert remove_finished(seen, state, ("a", "b"))[0] == state
    assert not remove_finished(seen, state, ("b",))[0].parcels


def test_the_same_alerts_and_sequences_have_the_same_id() -> None:
    """In any order; other alerts or sequences have another id."""
    assert delivery_id("g", {"k": 3}) == "k#3"
    assert delivery_id("g", {"a": 1, "b": 2}) == delivery_id("g", {"b": 2, "a": 1})
    assert len({delivery_id("g", {"a": n, "b": m}) for n in range(9) for m in range(9)}) == 81


@given(st.lists(st.integers(0, 60), max_size=200))
@example([0, 1, 0, 0, 0, 0])
def test_a_budget_is_kept_and_drops_nothing(pauses: list[int]) -> None:
    """Never more than the burst and what time adds. A message that comes back at the given time is sent."""
    rate, budget, now, sent = Rate(5, timedelta(seconds=10)), None, NOW, 0
    for pause in pauses:
        now += timedelta(seconds=pause)
        after, again_at = spend(budget, rate, now, name="a", priority=Priority.WARNING)
        if again_at is None:
            budget, sent = after, sent + 1
        else:
            assert spend(budget, rate, again_at, name="a", priority=Priority.WARNING)[1] is None
    assert sent <= 5 + (now - NOW) / timedelta(seconds=10)


def test_a_page_is_always_sent_at_once() -> None:
    """The messages after it wait longer."""
    empty = Budget(0, NOW)
    after, again_at = spend(empty, Rate(5, timedelta(seconds=10)), NOW, name="a", priority=Priority.PAGE)
    assert (after.left, again_at) == (-1, None)
    assert spend(after, Rate(5, timedelta(seconds=10)), NOW, name="a", priority=Priority.WARNING)[1] == NOW + timedelta(
        seconds=20
    )


@given(st.integers(0, 366 * 24 * 60), st.times(), st.times())
def test_mute_times_end(minutes: int, starts: time, ends: time) -> None:
    """Within a day (or an hour more if the clock changes), and at the hour that was set."""
    now = datetime(2036, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    until = MuteTime(starts, ends, "Europe/Berlin").until(now)
    if until is not None:
        assert now < until <= now + timedelta(hours=25)
