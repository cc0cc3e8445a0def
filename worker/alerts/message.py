"""One message for people, about one problem or several that are told together. Channels only lay it out.

Nothing here is markup: each channel escapes the text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.domain.alerting.alert import News
from shared.domain.alerting.severity import Severity
from shared.domain.booking.problem_catalogue import PROBLEMS, ProblemRow

MOST_LISTED: Final = 10
CHOOSE: Final = "Choose"
# Every kind of problem has a section in the runbook with its name.
RUNBOOK_SECTIONS: Final = frozenset(PROBLEMS)
GONE: Final = "Nothing: the problem is gone."
CLOSED: Final = "closed"
"""The news of an alert that ended although its problem goes on, or may. `next_step` says which alert tells it now."""
_OPENINGS: Final[Mapping[str, str]] = {
    News.ROSE: "Now urgent: ",
    News.REMINDER: "Still open: ",
    News.CHANGED: "Changed: ",
    News.RESOLVED: "Resolved: ",
    CLOSED: "Closed, not solved: ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotChoice:
    """A slot of the door that a person may choose for the booking: the times of its code, and what they mean."""

    door: str
    slot: str
    name: str
    starts_at: str
    ends_at: str
    window: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertItem:
    """One problem of a message, as it is now; `thread` is its conversation in this channel.

    `code_window` and `earlier_pin_works` say when the code, and a PIN of an earlier revision, open the door.
    `let_in_by_hand`: the guest has to be let in by hand, and `next_step` begins with that. `joined` are the new members
    of the cause since the previous news.
    """

    key: str
    thread: str
    booking_id: str
    problem: str
    status: str
    severity: Severity
    news: str
    subject: str
    happened: str
    affects: str
    check_in: str
    next_step: str
    actor: str
    look_closer: str
    runbook: str
    count: int
    choices: tuple[SlotChoice, ...] = ()
    choose: str = ""
    handled: str = ""
    code_window: str = ""
    earlier_pin_works: str = ""
    let_in_by_hand: bool = False
    joined: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """One message to one channel. `delivery_id` is the same for every try, so that a receiver can drop repeats.

    `threads` are the conversations of the `items`, each with all of its problems, told now or before. `remarks` are
    replies to post in the conversation; only an update has them, and it is about one conversation.
    """

    delivery_id: str
    group: str
    status: str
    severity: Severity
    building: str
    items: tuple[AlertItem, ...]
    at: datetime
    threads: Mapping[str, tuple[AlertItem, ...]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def first(self) -> AlertItem:
        """The most urgent problem, or the only one."""
        return self.items[0]

    @property
    def is_open(self) -> bool:
        """Whether the message tells of open problems, not of their end."""
        return self.status == "open"

    @property
    def is_gone(self) -> bool:
        """Whether the message tells that all of its problems are gone; False if one of them goes on."""
        return not self.is_open and all(item.news != CLOSED for item in self.items)

    @property
    def key(self) -> str:
        """The key of the only problem; the group's name if there are several."""
        return self.first.key if len(self.items) == 1 else self.group

    @property
    def joins(self) -> bool:
        """Whether the message only adds problems to a conversation with other open problems."""
        told = {item.key for item in self.items}
        others = (item for items in self.threads.values() for item in items if item.key not in told)
        return all(item.news == News.OPENED for item in self.items) and any(item.status == "open" for item in others)

    @property
    def title(self) -> str:
        """The message in one line."""
        same_news = {item.news for item in self.items}
        opening = _OPENINGS.get(self.first.news, "") if len(same_news) == 1 else ""
        if len(self.items) == 1:
            return f"{'1 more: ' if self.joins else opening}{self.first.subject}"
        where = f" in {self.building}" if self.building else ""
        whom = "bookings" if all(item.booking_id for item in self.items) else "problems"
        more = "more " if self.joins else ""
        return f"{opening}{len(self.items)} {more}{whom}: {self.first.problem.replace('_', ' ')}{where}"

    @property
    def happened(self) -> str:
        """What happened; if several problems have different texts, what they have in common."""
        words = {item.happened for item in self.items}
        if len(words) == 1:
            return self.first.happened
        known = PROBLEMS.get(self.first.problem)
        return known.happened if known else self.first.happened

    @property
    def listed(self) -> tuple[str, ...]:
        """If there are several problems: the first ten subjects with check-ins, and how many more there are."""
        if len(self.items) == 1:
            return ()
        lines = [_line_of(item) for item in self.items[:MOST_LISTED]]
        more = len(self.items) - MOST_LISTED
        return (*lines, f"and {more} more") if more > 0 else tuple(lines)

    @property
    def next_step(self) -> str:
        """What is to be done, and by whom."""
        if self.is_open:
            steps = {item.next_step for item in self.items}
            known = PROBLEMS.get(self.first.problem)
            # Each of several bookings may have a command of its own: they are listed.
            step = _step_of_several(self.items, known) if len(steps) > 1 and known else self.first.next_step
            return f"{step} ({self.first.actor})"
        if self.is_gone and len(self.items) > 1:
            return GONE
        return " ".join(dict.fromkeys(item.next_step for item in self.items))

    @property
    def commands(self) -> tuple[str, ...]:
        """If there are several bookings with a choice: the commands that choose a slot, for the first ten."""
        commands = [item.choose for item in self.items if item.choose]
        return tuple(commands[:MOST_LISTED]) if len(self.items) > 1 else ()

    @property
    def look_closer(self) -> str:
        """The command that tells more."""
        return self.first.look_closer if len(self.items) == 1 else f"oracode alerts list --problem {self.first.problem}"

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Name and text of each line, in the order in which people need them."""
        count = f"{self.first.count} times" if len(self.items) == 1 and self.first.count > 1 else ""
        affects = self.first.affects if len(self.items) == 1 else ""
        check_in = self.first.check_in if len(self.items) == 1 else ""
        facts = (
            ("What happened" if self.is_open else "What it was", self.happened),
            ("Affects", affects or "\n".join(self.listed)),
            ("New since the last message", self.first.joined if len(self.items) == 1 and self.is_open else ""),
            ("Check-in", check_in),
            ("Code's times", self.first.code_window if len(self.items) == 1 else ""),
            ("Guest's earlier PIN works", self.first.earlier_pin_works if len(self.items) == 1 else ""),
            ("Next", self.next_step),
            (CHOOSE, "\n".join(f"`{command}`" for command in self.commands)),
            ("Look closer", self.look_closer if self.is_open else ""),
            ("Runbook", self.first.runbook if self.is_open and self.first.problem in RUNBOOK_SECTIONS else ""),
            ("Handled", self.first.handled if len(self.items) == 1 else ""),
            ("Seen", count),
        )
        return tuple((name, text) for name, text in facts if text)


def _step_of_several(items: Iterable[AlertItem], known: ProblemRow) -> str:
    if any(item.let_in_by_hand for item in items):
        return f"First let the guests who are due now in by hand. {known.next_step}"
    return known.steps


def _line_of(item: AlertItem) -> str:
    check_in = f", check-in {item.check_in}" if item.check_in else ""
    check_in += f"; its code {item.code_window}" if item.code_window else ""
    check_in += f", guest's earlier PIN works {item.earlier_pin_works}" if item.earlier_pin_works else ""
    return f"{item.subject}{check_in}{f'; handled {item.handled}' if item.handled else ''}"


def one_line(text: str, longest: int) -> str:
    """Return the text on one line, with at most `longest` characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
