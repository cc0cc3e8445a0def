"""What the doctor says: one line a check."""

from dataclasses import dataclass
from typing import Literal

from shared.domain.door.issues import Issue

Verdict = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was checked, the result, and what to do if something is wrong.

    `issues` are those that Seam reports of the door or account that the line is about.
    """

    subject: str
    verdict: Verdict
    text: str
    remedy: str = ""
    issues: tuple[Issue, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the finding as `--json` shows it."""
        return {
            "subject": self.subject,
            "verdict": self.verdict,
            "text": self.text,
            "remedy": self.remedy,
            "issues": [issue.as_json() for issue in self.issues],
        }
