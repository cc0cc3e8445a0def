"""What the doctor finds at Seam: the webhook, every door, and every connected account that a door belongs to."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from shared.domain.code.event_types import NEEDED_TYPES, Subject, subject_of
from shared.domain.door.door import Door, NotADoor, door_from_device
from shared.domain.door.issues import Issue
from shared.domain.stay.stay import UnitRules
from shared.seam.accounts import Accounts, NotShown
from shared.seam.client import SeamClient
from shared.seam.errors import SeamError
from shared.seam.pages import pages
from worker.cli.findings import Finding, Verdict

_PATH: Final = "/webhooks/seam"
_MOST_TYPES_NAMED: Final = 3


def seam(client: SeamClient, units: Mapping[str, UnitRules]) -> Iterator[Finding]:
    """Yield a finding for the webhook, each Oracode door and each connected account. Raises SeamError.

    Doors of `units` that Seam doesn't list are told: they were removed, or belong to another workspace.
    """
    listed = client.read("/webhooks/list", {}).get("webhooks")
    yield webhook(listed if isinstance(listed, list) else [])
    accounts = Accounts(client)
    of_account: dict[str, tuple[Issue, ...]] = {}
    count = 0
    missing = {device_id: unit.unit for unit in units.values() for device_id in unit.device_ids}
    for devices in pages(client, "/devices/list", {}, "devices"):
        for device in devices:
            if not (isinstance(device, Mapping) and "oracode" in str(device.get("device_type"))):
                continue
            count += 1
            try:
                found = door_from_device(device)
            except NotADoor as error:
                yield Finding("door", "warn", str(error))
                continue
            missing.pop(found.device_id, None)
            account_id = found.connected_account_id
            if account_id and account_id not in of_account:
                finding = account(account_id, accounts)
                of_account[account_id] = finding.issues
                yield finding
            yield door(found, of_account.get(account_id, ()))
    for device_id, unit in missing.items():
        remedy = "connect it again in Seam's console, or correct DOORS_FILE"
        text = f"is in unit {unit}, and Seam lists no such Oracode door"
        yield Finding(f"door {device_id}", "bad", text, remedy)
    if not count:
        yield Finding("doors", "bad", "Seam has no Oracode door", "connect the site in Seam's console")


def webhook(listed: Iterable[Any]) -> Finding:
    """Judge the webhooks that Seam lists: whether one leads here, and sends the types that are needed."""
    found = [each for each in listed if isinstance(each, Mapping)]
    ours = [each for each in found if str(each.get("url")).endswith(_PATH)]
    if not ours:
        return Finding("Seam webhook", "bad", f"none ends in {_PATH}", "create one with `oracode webhook register`")
    urls = ", ".join(str(each.get("url")) for each in ours)
    lacking = NEEDED_TYPES - frozenset().union(*(_sent_by(each) for each in ours))
    if not lacking:
        return Finding("Seam webhook", "ok", urls)
    named = sorted(lacking, key=lambda each: (subject_of(each) is not Subject.CODE, each))
    more = f" and {len(named) - _MOST_TYPES_NAMED} more" if len(named) > _MOST_TYPES_NAMED else ""
    text = f"{urls} does not send {', '.join(named[:_MOST_TYPES_NAMED])}{more}"
    remedy = "let it send all event types, in Seam's console; until then this news comes late, with the next reading"
    # Without webhooks a change of a code is noticed only at its next regular reading.
    lacks_codes = any(subject_of(each) is Subject.CODE for each in lacking)
    return Finding("Seam webhook", "bad" if lacks_codes else "warn", text, remedy)


def _sent_by(each: Mapping[str, Any]) -> frozenset[str]:
    """Return which of the types that we need a webhook sends; one that names none sends all (Seam API reference)."""
    types = each.get("event_types")
    if not isinstance(types, list) or not types or "*" in types:
        return NEEDED_TYPES
    return NEEDED_TYPES.intersection(str(each) for each in types)


def account(account_id: str, accounts: Accounts) -> Finding:
    """Judge a connected account by its errors and warnings; one that can't be read holds no door back."""
    subject = f"account {account_id}"
    try:
        issues = accounts.issues(account_id)
    except (NotShown, SeamError) as error:
        remedy = "its warnings, such as dormakaba_sites_unapproved, can't be seen: may the API key read accounts?"
        return Finding(subject, "warn", f"can't be read: {error}", remedy)
    told = _told(issues)
    if not told:
        return Finding(subject, "ok", "Seam reports nothing")
    return Finding(subject, _verdict(told), _text(told), _remedy(told), issues)


def door(found: Door, of_account: Collection[Issue]) -> Finding:
    """Judge a door by what Seam reports of it and its account, and by whether codes can be made for it."""
    subject = f"door {found.name} ({found.device_id})"
    own = [issue for issue in found.issues if not issue.is_of_account]
    repeated = [issue for issue in found.issues if issue.is_of_account]
    # The account's own finding says it already; it isn't repeated for each of its doors.
    known = {issue.code for issue in of_account}
    told = [*_told(own), *(issue for issue in _told(repeated) if issue.code not in known)]
    at_account = _told([*of_account, *repeated])
    parts = [(_text(told), _remedy(told))] if told else []
    if held_back := [issue.code for issue in at_account if issue.code in known]:
        text = f"its account {found.connected_account_id} has {', '.join(dict.fromkeys(held_back))}"
        parts.append((text, "see the account above"))
    if problem := _slot_problem(found):
        parts.append(problem)
    if not parts:
        text = f"{len(found.slots)} slot(s), {found.time_zone or 'zone in its slots'}"
        return Finding(subject, "ok", text, issues=found.issues)
    issues = [*told, *at_account]
    verdict: Verdict = _verdict(issues) if issues else "warn"
    texts, remedies = ("; ".join(dict.fromkeys(each.rstrip(".") for each in part)) for part in zip(*parts, strict=True))
    return Finding(subject, verdict, texts, remedies, found.issues)


def _told(issues: Iterable[Issue]) -> list[Issue]:
    return [issue for issue in issues if issue.meaning.is_told]


def _verdict(issues: Iterable[Issue]) -> Verdict:
    return "bad" if any(issue.meaning.blocks for issue in issues) else "warn"


def _text(issues: Iterable[Issue]) -> str:
    return ". ".join(issue.text for issue in issues)


def _remedy(issues: Iterable[Issue]) -> str:
    steps = [issue.meaning.next_step for issue in issues]
    return " ".join(dict.fromkeys(step for step in steps if step)) or "look at it in Seam's console"


def _slot_problem(found: Door) -> tuple[str, str] | None:
    if not found.can_program_offline_access_codes:
        return "takes no offline codes", "check at Seam that its site is approved"
    if not found.slots:
        return "has no time slots", "ask the installer to set them up"
    if unreadable := [slot.name for slot in found.slots if slot.unreadable]:
        return f"{len(unreadable)} slot(s) can't be read", f"look at them with `oracode slots {found.device_id}`"
    has_zone = found.time_zone or any(slot.check_in and slot.check_in.zone for slot in found.slots)
    return None if has_zone else ("has no time zone", "ask Seam's support to set it")
