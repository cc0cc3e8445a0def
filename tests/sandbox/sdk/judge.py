"""``python -m tests.sandbox.sdk.judge``: reads answers and events as JSON lines, writes what is wrong with each.

A line is ``{"path", "status", "body"}``, or ``{"event"}``. The answer is one JSON object: the violations in order, one
list a line read, and what the SDK's calls look like.
"""

import json
import sys
from typing import Any

from tests.sandbox.sdk.routes import event_types, judge_answer, judge_event, routes


def main() -> None:
    """Judge everything on standard input."""
    known = routes()

    def judged(line: dict[str, Any]) -> list[str]:
        if "event" in line:
            return list(judge_event(line["event"]))
        return list(judge_answer(known[line["path"]], line["status"], line["body"]))

    report = {
        "violations": [judged(json.loads(line)) for line in sys.stdin],
        "routes": {path: route.to_json() for path, route in known.items()},
        "event_types": event_types(),
    }
    json.dump(report, sys.stdout)


main()
