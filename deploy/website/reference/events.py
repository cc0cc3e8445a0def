"""The page of Seam's events: what each type means here."""

from deploy.website.reference.markdown import code, page, table
from shared.domain.code.event_types import (
    KNOWN_TYPES,
    NEEDED_TYPES,
    EventMeaning,
    Subject,
    is_ours,
    meaning_of,
    subject_of,
)


def _effect(event_type: str) -> str:
    is_of_code = subject_of(event_type) is Subject.CODE
    match meaning_of(event_type):
        case EventMeaning.READ_AGAIN | EventMeaning.UNKNOWN:
            return "in the code's story; the code is read at Seam" if is_of_code else "what it is about is read at Seam"
        case EventMeaning.RECORD_ONLY:
            return "in the code's story, nothing else" if is_of_code else "nothing: it keeps no code from working"


def events_page() -> str:
    """Return the page."""
    rows = [
        (
            code(each),
            "kept" if is_ours(each) else "ignored, counted",
            _effect(each),
            "yes" if each in NEEDED_TYPES else "",
        )
        for each in sorted(KNOWN_TYPES)
    ]
    return page(
        "Events of Seam",
        "An event only says *that* something happened; then Seam is asked *what is true now*. [The life of a door's"
        " code](../lifecycle.md) says what follows from such a look. Unknown types of these families are kept and"
        " counted, and their code, door or account is read. All other types are ignored and counted.",
        "*Needed*: a webhook at Seam that doesn't send all types (`*`) must send this one; `oracode doctor` says"
        " which are"
        " missing.",
        table(("type", "`web`", "effect", "needed"), rows),
    )
