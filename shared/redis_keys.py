"""Every key this project writes to Redis: its name, who owns it and how long it lives.

One braces part (a hash tag) groups what one script touches together, so that a sharded Redis keeps it on one node. Ids
from outside are percent-encoded: a booking may be called anything, a key may not. A key that is not made here is a bug,
and a test walks the whole server to find one.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import quote

PREFIX: Final = "oracode"
_PLAIN: Final = "-_.:/@+"
_is_plain: Final = re.compile(rf"[A-Za-z0-9~{_PLAIN[1:]}-]+").fullmatch

# Seam repeats a delivery for about 28 hours (Seam docs, "Webhooks"; Svix's schedule); three days leave a margin.
SEEN_FOR: Final = timedelta(days=3)
# Events of codes that are not ours, or not ours yet, are of no use for longer than a create may take to be recorded.
UNOWNED_EVENTS_FOR: Final = timedelta(days=3)
# How long a door's queue of creates is kept: longer than any wait for its next minute.
CREATE_QUEUE_FOR: Final = timedelta(hours=1)
# Messages that were refused: their senders know, so people need them for days alone.
REFUSED_FOR: Final = timedelta(days=7)
# What became of a message that was replayed, and what was ordered for many messages at once.
REPLAYS_FOR: Final = timedelta(days=7)
# A session of the console, and a link that logs in once.
SESSION_FOR: Final = timedelta(hours=12)
LOGIN_LINK_FOR: Final = timedelta(hours=1)
# A process that has been silent for this long is forgotten.
PROCESSES_FOR: Final = timedelta(days=7)
# Readings of clocks, after the last of any process.
CLOCKS_FOR: Final = timedelta(days=1)
# Longer than the hour that is shown.
AUTH_FAILURES_FOR: Final = timedelta(hours=2)
# How long a prompted reading that fails is tried again soon; then the next interval's reading takes its place.
PROMPTED_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Keyspace:
    """One kind of key for the checker: a glob, the part that owns it, and its life in words (None: kept for ever)."""

    pattern: str
    owner: str
    life: str | None


KEYSPACES: Final = (
    Keyspace(f"{PREFIX}:{{booking:*}}:record", "shared.ledger.bookings", "check-out + twice RETENTION"),
    Keyspace(f"{PREFIX}:{{booking:*}}:history", "shared.ledger.bookings", "check-out + twice RETENTION"),
    Keyspace(f"{PREFIX}:{{code:*}}:owner", "shared.ledger.bookings", "check-out + twice RETENTION"),
    Keyspace(
        f"{PREFIX}:{{code:*}}:events",
        "shared.ledger.bookings",
        "three days, then check-out + twice RETENTION; or until its booking is forgotten",
    ),
    Keyspace(f"{PREFIX}:{{door:*}}:device", "shared.seam.doors", "DOOR_CACHE_FOR"),
    Keyspace(f"{PREFIX}:{{door:*}}:fingerprint", "shared.ledger.door_history", "RETENTION"),
    Keyspace(f"{PREFIX}:{{door:*}}:known", "shared.ledger.known_doors", "RETENTION after it was last read"),
    Keyspace(f"{PREFIX}:{{door:*}}:last-read", "shared.ledger.last_read_doors", "RETENTION after it was last read"),
    Keyspace(f"{PREFIX}:{{door:*}}:history", "shared.ledger.door_history", "RETENTION after it was last read"),
    Keyspace(f"{PREFIX}:{{door:*}}:tests", "shared.ledger.door_tests", "RETENTION after the last one"),
    Keyspace(f"{PREFIX}:{{door:*}}:issues", "shared.ledger.door_issues", "RETENTION after it was last read"),
    Keyspace(f"{PREFIX}:{{door:*}}:read-lately", "shared.ledger.prompted_readings", "DOOR_CACHE_FOR"),
    Keyspace(f"{PREFIX}:{{door:*}}:prompted", "shared.ledger.prompted_readings", "PROMPTED_FOR"),
    Keyspace(f"{PREFIX}:{{account:*}}:issues", "shared.ledger.door_issues", "RETENTION after it was last read"),
    Keyspace(f"{PREFIX}:{{account:*}}:doors", "shared.ledger.door_issues", "RETENTION after one of them was last read"),
    Keyspace(f"{PREFIX}:{{account:*}}:read-lately", "shared.ledger.prompted_readings", "DOOR_CACHE_FOR"),
    Keyspace(f"{PREFIX}:{{account:*}}:prompted", "shared.ledger.prompted_readings", "PROMPTED_FOR"),
    Keyspace(f"{PREFIX}:{{door:*}}:bookings", "shared.ledger.bookings", "the last check-out + twice RETENTION"),
    Keyspace(f"{PREFIX}:{{door:*}}:conflicts", "shared.ledger.door_conflicts", "RETENTION after it was last told"),
    Keyspace(f"{PREFIX}:{{door:*}}:spent", "worker.create_quota.rate_limit", "CREATE_QUEUE_FOR"),
    Keyspace(f"{PREFIX}:{{door:*}}:queue", "worker.create_quota.rate_limit", "CREATE_QUEUE_FOR"),
    Keyspace(f"{PREFIX}:{{door:*}}:asked", "worker.create_quota.rate_limit", "CREATE_QUEUE_FOR"),
    Keyspace(f"{PREFIX}:{{alert:*}}:record", "shared.ledger.alerts", "RETENTION after the last change"),
    Keyspace(f"{PREFIX}:{{alert-group:*}}:record", "shared.ledger.alert_groups", "RETENTION after the last change"),
    Keyspace(f"{PREFIX}:{{alert-group:*}}:members", "shared.ledger.alert_groups", "RETENTION after the last change"),
    Keyspace(f"{PREFIX}:{{alert-channel:*}}:budget", "shared.ledger.alert_channels", "a day after the last message"),
    Keyspace(f"{PREFIX}:{{alert-channel:*}}:conversation:*", "shared.ledger.alert_channels", "RETENTION"),
    Keyspace(
        f"{PREFIX}:{{outcomes:*}}:queue",
        "shared.ledger.outcome_queues",
        "three days after all was taken; else RETENTION, at least six days",
    ),
    Keyspace(f"{PREFIX}:{{outcome-lane:*}}:waiting", "shared.ledger.outcome_queues", None),
    Keyspace(f"{PREFIX}:outcomes-not-taken", "shared.ledger.outcome_queues", None),
    Keyspace(f"{PREFIX}:seam-calls:*", "shared.ledger.seam_call_counts", "a day"),
    Keyspace(f"{PREFIX}:seam-last-failure", "shared.ledger.seam_call_counts", "a day"),
    Keyspace(f"{PREFIX}:readiness", "shared.ledger.readiness_history", None),
    Keyspace(f"{PREFIX}:turn:*", "shared.ledger.heartbeats", "until the next turn"),
    Keyspace(f"{PREFIX}:silences", "shared.ledger.silences", None),
    Keyspace(f"{PREFIX}:beats", "shared.ledger.heartbeats", None),
    Keyspace(f"{PREFIX}:due", "shared.ledger.due_set", None),
    Keyspace(f"{PREFIX}:claims", "shared.ledger.due_set", None),
    Keyspace(f"{PREFIX}:left", "shared.ledger.work_for_newer_version", None),
    Keyspace(f"{PREFIX}:left-again", "shared.ledger.work_for_newer_version", None),
    Keyspace(f"{PREFIX}:bookings", "shared.ledger.bookings", None),
    Keyspace(f"{PREFIX}:bookings-of:*", "shared.ledger.booking_indexes", None),
    Keyspace(f"{PREFIX}:alerts", "shared.ledger.alerts", None),
    Keyspace(f"{PREFIX}:alerts-open", "shared.ledger.alerts", None),
    Keyspace(f"{PREFIX}:parked", "shared.parked", None),
    Keyspace(f"{PREFIX}:replayed", "shared.replayed_messages", None),
    Keyspace(f"{PREFIX}:{{replay:*}}:note", "shared.replay_results", "REPLAYS_FOR"),
    Keyspace(f"{PREFIX}:{{replay-entry:*}}:result", "shared.replay_results", "REPLAYS_FOR"),
    Keyspace(f"{PREFIX}:{{parked:*}}:discard", "shared.parked_orders", "REPLAYS_FOR"),
    Keyspace(f"{PREFIX}:{{parked:*}}:late", "shared.parked_orders", "REPLAYS_FOR"),
    Keyspace(f"{PREFIX}:{{bulk:*}}:order", "receiver.console.bulk_orders", "REPLAYS_FOR"),
    Keyspace(f"{PREFIX}:{{refused}}:*", "shared.refused_messages", "REFUSED_FOR after the last one"),
    Keyspace(f"{PREFIX}:generation", "shared.ledger.data_loss", None),
    Keyspace(f"{PREFIX}:primary", "shared.ledger.rollback", None),
    Keyspace(f"{PREFIX}:barrier", "shared.replicas", None),
    Keyspace(f"{PREFIX}:doors", "shared.ledger.bookings", None),
    Keyspace(f"{PREFIX}:arrivals", "shared.ledger.bookings", None),
    Keyspace(f"{PREFIX}:chores", "worker.periodic_jobs", None),
    Keyspace(f"{PREFIX}:reconciliation", "shared.ledger.reconciliation", None),
    Keyspace(f"{PREFIX}:ignored", "receiver.parked_webhooks", None),
    Keyspace(f"{PREFIX}:{{session:*}}:record", "receiver.console.sessions", "SESSION_FOR after log-in"),
    Keyspace(f"{PREFIX}:{{login:*}}:token", "receiver.console.sessions", "LOGIN_LINK_FOR, or until it is used"),
    Keyspace(f"{PREFIX}:processes", "shared.ledger.processes", "PROCESSES_FOR after the last sign of life"),
    Keyspace(f"{PREFIX}:clocks", "shared.ledger.clocks", "CLOCKS_FOR after the last reading"),
    Keyspace(f"{PREFIX}:auth-failures:*", "shared.ledger.auth_failures", "AUTH_FAILURES_FOR"),
    Keyspace("{*}:seen:*", "shared.streams", "three days"),
)

# Keys are stored: some keep the word of an older version, such as `left`, `beats`, `generation` and `chores`.

# Queues with outcomes that were given up, as JSON [receiver, booking_id], by expiry (epoch seconds).
OUTCOMES_NOT_TAKEN: Final = f"{PREFIX}:outcomes-not-taken"
DUE: Final = f"{PREFIX}:due"
# How often a member of the due-set was claimed in a row without being put at a time. Under `begun MEMBER`: how often
# work on it was begun since.
CLAIMS: Final = f"{PREFIX}:claims"
# What was left to a process of a newer version: since when, and when last (epoch seconds).
WORK_FOR_NEWER_VERSION: Final = f"{PREFIX}:left"
WORK_PUT_BACK_AT: Final = f"{PREFIX}:left-again"
BOOKINGS: Final = f"{PREFIX}:bookings"
# Bookings by what people look for: by check-in (epoch seconds) all of them, those of a state, and those of a reason;
# by the beginnings of their words; and by when they changed last (epoch seconds). They shed what BOOKINGS sheds.
BOOKINGS_BY_CHECK_IN: Final = f"{PREFIX}:bookings-of:check-in"
BOOKINGS_BY_WORD: Final = f"{PREFIX}:bookings-of:word"
BOOKINGS_BY_CHANGE: Final = f"{PREFIX}:bookings-of:change"
# Those of which a code still opens a door though it shouldn't, by until when (epoch seconds).
BOOKINGS_BY_RESIDUAL: Final = f"{PREFIX}:bookings-of:residual"
BOOKING_REASONS: Final = f"{PREFIX}:bookings-of:reasons"
BOOKINGS_INDEXED: Final = f"{PREFIX}:bookings-of:version"
ALERTS: Final = f"{PREFIX}:alerts"
ALERTS_OPEN: Final = f"{PREFIX}:alerts-open"
SILENCES: Final = f"{PREFIX}:silences"
# The latest call to Seam that failed; how arrivals stood a day ahead, by day.
SEAM_LAST_FAILURE: Final = f"{PREFIX}:seam-last-failure"
READINESS: Final = f"{PREFIX}:readiness"
HEARTBEATS: Final = f"{PREFIX}:beats"
PARKED: Final = f"{PREFIX}:parked"
# What was replayed and isn't done yet, or is parked again, as JSON by its entry and stream.
REPLAYED: Final = f"{PREFIX}:replayed"
# What POST /bookings refused lately, as JSON without what was sent: by when it came last, and with when it came first
# (epoch seconds).
REFUSED: Final = f"{PREFIX}:{{refused}}:last"
REFUSED_FIRST: Final = f"{PREFIX}:{{refused}}:first"
LEDGER_EPOCH: Final = f"{PREFIX}:generation"
# Which primary the ledger is on, by its replication id, and the last one that may have lacked writes.
PRIMARY: Final = f"{PREFIX}:primary"
# Holds nothing: written where a connection must have written something for the server to wait for its replicas.
BARRIER: Final = f"{PREFIX}:barrier"
IGNORED: Final = f"{PREFIX}:ignored"
# Doors with bookings, by the latest check-out (epoch seconds); bookings by their check-in. Both shed what is past.
DOORS: Final = f"{PREFIX}:doors"
ARRIVALS: Final = f"{PREFIX}:arrivals"
# When each periodic job was last done, and how far events were compared with what webhooks had brought.
PERIODIC_JOBS: Final = f"{PREFIX}:chores"
RECONCILIATION: Final = f"{PREFIX}:reconciliation"
# Processes by their last sign of life (epoch seconds of the data server).
PROCESSES: Final = f"{PREFIX}:processes"
# How far each clock is from the data server's.
CLOCKS: Final = f"{PREFIX}:clocks"


def bookings_in_state(state: str) -> str:
    """Return the key of the sorted set of the bookings in a state, by check-in (epoch seconds)."""
    return f"{PREFIX}:bookings-of:state:{_encoded(state)}"


def bookings_of_reason(reason: str) -> str:
    """Return the key of the sorted set of the bookings with a reason, by check-in (epoch seconds)."""
    return f"{PREFIX}:bookings-of:reason:{_encoded(reason)}"


def booking_record(booking_id: str) -> str:
    """Return the key of the hash {version, record}: the booking as it stands."""
    return f"{PREFIX}:{{booking:{_encoded(booking_id)}}}:record"


def booking_history(booking_id: str) -> str:
    """Return the key of the list of JSON entries, oldest first: what happened to the booking."""
    return f"{PREFIX}:{{booking:{_encoded(booking_id)}}}:history"


def code_owner(access_code_id: str) -> str:
    """Return the key of the JSON [booking_id, device_id] of the door that an access code belongs to."""
    return f"{PREFIX}:{{code:{_encoded(access_code_id)}}}:owner"


def code_events(access_code_id: str) -> str:
    """Return the key of the list of one access code's events, in the order of their arrival."""
    return f"{PREFIX}:{{code:{_encoded(access_code_id)}}}:events"


def door_device(device_id: str) -> str:
    """Return the key of the device object as Seam last returned it, as JSON."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:device"


def door_fingerprint(device_id: str) -> str:
    """Return the key of what a door was like when it was last read: its slots, zone and capability, hashed."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:fingerprint"


def door_known(device_id: str) -> str:
    """Return the key of the JSON object {name, time_zone}: the door as it was last known."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:known"


def door_last_read(device_id: str) -> str:
    """Return the key of the JSON object {read_at, device}: the door as Seam had it when it was last read."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:last-read"


def seam_calls(stretch: str) -> str:
    """Return the key of the hash of counts of calls to Seam within ten minutes, which `stretch` names."""
    return f"{PREFIX}:seam-calls:{stretch}"


def door_history(device_id: str) -> str:
    """Return the key of the list of JSON objects {at, what}: the newest changes of the door first."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:history"


def door_tests(device_id: str) -> str:
    """Return the key of the hash {id of the order: JSON object}: the newest test codes that were ordered for a door."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:tests"


def door_issues(device_id: str) -> str:
    """Return the key of the JSON object: errors, warnings and account of the door as Seam had them last."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:issues"


def account_issues(account_id: str) -> str:
    """Return the key of the JSON object: errors and warnings of a connected account as Seam had them last."""
    return f"{PREFIX}:{{account:{_encoded(account_id)}}}:issues"


def account_doors(account_id: str) -> str:
    """Return the key of the sorted set of an account's doors, by when each was read last (epoch seconds)."""
    return f"{PREFIX}:{{account:{_encoded(account_id)}}}:doors"


def read_lately(kind: str, name: str) -> str:
    """Return the key of the mark that a door or an account (the `kind`) was read a moment ago."""
    return f"{PREFIX}:{{{kind}:{_encoded(name)}}}:read-lately"


def prompted(kind: str, name: str) -> str:
    """Return the key of the count of how often a reading of a door or an account (the `kind`) was prompted lately."""
    return f"{PREFIX}:{{{kind}:{_encoded(name)}}}:prompted"


def door_bookings(device_id: str) -> str:
    """Return the key of the sorted set of the ids of a door's bookings, by expiry (epoch seconds)."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:bookings"


def door_conflicts(device_id: str) -> str:
    """Return the key of the alerts that are open for pairs of bookings on a door."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:conflicts"


def door_spent(device_id: str) -> str:
    """Return the key of the sorted set of the moments (epoch milliseconds) of the door's latest creates."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:spent"


def door_queue(device_id: str) -> str:
    """Return the key of the sorted set of bookings that want a create on the door, by check-in."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:queue"


def door_asked(device_id: str) -> str:
    """Return the key of the sorted set of the moments until which each of those keeps its place."""
    return f"{PREFIX}:{{door:{_encoded(device_id)}}}:asked"


def alert_record(key: str) -> str:
    """Return the key of the hash {version, record}: one alert and who has been told."""
    return f"{PREFIX}:{{alert:{_encoded(key)}}}:record"


def alert_group_record(group: str) -> str:
    """Return the key of the hash {version, record}: what is under way to channels of one group of alerts."""
    return f"{PREFIX}:{{alert-group:{_encoded(group)}}}:record"


def alert_group_members(group: str) -> str:
    """Return the key of the hash {alert's key: how often it changed}: the alerts that are told together."""
    return f"{PREFIX}:{{alert-group:{_encoded(group)}}}:members"


def alert_channel_budget(channel: str) -> str:
    """Return the key of the hash {version, record}: how many messages a channel may still get."""
    return f"{PREFIX}:{{alert-channel:{_encoded(channel)}}}:budget"


def alert_conversation(channel: str, conversation: str) -> str:
    """Return the key of the text by which a channel finds the message that a conversation began with."""
    return f"{PREFIX}:{{alert-channel:{_encoded(channel)}}}:conversation:{_encoded(conversation)}"


def console_session(digest: str) -> str:
    """Return the key of the hash {token, flash}: a session of the console, named by the digest of its id."""
    return f"{PREFIX}:{{session:{_encoded(digest)}}}:record"


def console_login(digest: str) -> str:
    """Return the key of the digest of the token that a one-time log-in link stands for."""
    return f"{PREFIX}:{{login:{_encoded(digest)}}}:token"


def replay_note(parked_id: str) -> str:
    """Return the key of the hash {entry_id, stream, told}: the entry that a replayed message is, and JSON {by, …}."""
    return f"{PREFIX}:{{replay:{_encoded(parked_id)}}}:note"


def replay_result(stream: str, entry_id: str) -> str:
    """Return the key of the JSON object that says what a replayed message came to, by its entry."""
    return f"{PREFIX}:{{replay-entry:{_encoded(stream)}:{_encoded(entry_id)}}}:result"


def discard_note(parked_id: str) -> str:
    """Return the key of the hash {told, at}: the order that discarded a parked message (JSON), and when (seconds)."""
    return f"{PREFIX}:{{parked:{_encoded(parked_id)}}}:discard"


def late_orders(parked_id: str) -> str:
    """Return the key of the hash of the orders, JSON by their ids, that came when a parked message was gone."""
    return f"{PREFIX}:{{parked:{_encoded(parked_id)}}}:late"


def bulk_order(bulk_id: str) -> str:
    """Return the key of the JSON object {action, ids, …}: what was ordered for many parked messages at once."""
    return f"{PREFIX}:{{bulk:{_encoded(bulk_id)}}}:order"


def outcome_queue(receiver: str, booking_id: str) -> str:
    """Return the key of the hash {version, record}: what a receiver is still to be told of a booking."""
    return f"{PREFIX}:{{outcomes:{_encoded(receiver)}:{_encoded(booking_id)}}}:queue"


def outcome_lane(receiver: str, lane: int) -> str:
    """Return the key of the sorted set of bookings that a receiver is to be told of, by time (epoch milliseconds)."""
    return f"{PREFIX}:{{outcome-lane:{_encoded(receiver)}:{lane}}}:waiting"


def auth_failures(slice_number: int) -> str:
    """Return the key of the hash {reason: count, last:reason: moment}: tries that failed in five minutes."""
    return f"{PREFIX}:auth-failures:{slice_number}"


def turn(name: str) -> str:
    """Return the key of the mark that somebody did what is done once in a while."""
    return f"{PREFIX}:turn:{_encoded(name)}"


def seen(stream: str, message_id: str) -> str:
    """Return the key of the mark that `message_id` is in `stream`; the stream's name as hash tag: both on one node."""
    return f"{{{stream}}}:seen:{_encoded(message_id)}"


def _encoded(name: str) -> str:
    # Most names are; asking is twice as fast.
    return name if _is_plain(name) else quote(name, safe=_PLAIN)
