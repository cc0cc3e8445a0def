"""The catalogue of Seam's errors and warnings, compared with Seam's own SDK; and its texts."""

import ast
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.domain.seam_issues import (
    CATALOGUE,
    PENDING,
    IssueKind,
    ModifiedField,
    fields_in_words,
    issue_in_words,
    meaning_of_issue,
)

_ROOT = Path(__file__).parents[2]
# By the SDK's file and the endings of its class names: where the code must be listed.
_LISTED = {
    ("access_code.py", "Error"): set(CATALOGUE[IssueKind.CODE_ERROR]),
    ("access_code.py", "Warning"): set(CATALOGUE[IssueKind.CODE_WARNING]),
    ("access_code.py", "PendingMutation"): set(PENDING),
    ("device.py", "Error"): set(CATALOGUE[IssueKind.DOOR_ERROR]),
    ("device.py", "Warning"): set(CATALOGUE[IssueKind.DOOR_WARNING]),
    ("connected_account.py", "Error"): set(CATALOGUE[IssueKind.DOOR_ERROR]),
    ("connected_account.py", "Warning"): set(CATALOGUE[IssueKind.ACCOUNT_WARNING]),
}
_CODE_FIELDS = {"Error": "error_code", "Warning": "warning_code", "PendingMutation": "mutation_code"}


@pytest.fixture(scope="module")
def sdk() -> Path:
    """Find the SDK's modules: `SDK_PYTHON`, or `.venv-sdk/bin/python` in the project's root, has them."""
    named = os.environ.get("SDK_PYTHON")
    python = Path(named) if named else _ROOT / ".venv-sdk" / "bin" / "python"
    if not python.exists():
        reason = "no interpreter with the Seam SDK: set SDK_PYTHON, or make .venv-sdk"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    script = "import seam; print(seam.__path__[0])"
    found = subprocess.run([str(python), "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return Path(found.stdout.strip()) / "resources"


def literals_in(module: Path, ending: str) -> Iterator[str]:
    """Yield the code of every class in the SDK's module with this ending."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ClassDef) and node.name.endswith(ending):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and ast.unparse(field.target) == _CODE_FIELDS[ending]:
                    yield from (
                        str(each.value) for each in ast.walk(field.annotation) if isinstance(each, ast.Constant)
                    )


@pytest.mark.parametrize(("module", "ending"), _LISTED)
def test_every_code_of_the_sdk_has_a_row(sdk: Path, module: str, ending: str) -> None:
    """A newer SDK shows here what is missing: decide from its docstring whether it blocks, is told, is retried."""
    known = set(literals_in(sdk / module, ending))
    assert known
    assert known - _LISTED[module, ending] == set()


def test_every_kind_of_change_of_the_sdk_is_known(sdk: Path) -> None:
    """A change outside of Seam is `modified` or `removed`; any other may be a removal, and blocks as that does."""
    text = (sdk / "access_code.py").read_text()
    assert 'change_type: Optional[Literal["modified", "removed"]]' in text
    assert text.count("change_type: Optional[") == 2
    for kind, code in (
        (IssueKind.CODE_ERROR, "conflicting_external_modification"),
        (IssueKind.CODE_WARNING, "external_modification_in_effect"),
    ):
        modified = meaning_of_issue(kind, code, change_type="modified")
        removed = meaning_of_issue(kind, code, change_type="removed")
        assert modified.words != removed.words
        for change_type in ("", "replaced"):
            unclear = meaning_of_issue(kind, code, change_type=change_type)
            assert (unclear.blocks, unclear.is_told) == (removed.blocks, True)


WORDS = {
    "known": (
        ("no_space_for_access_code_on_device", "Full"),
        "The lock holds as many codes as it can (Seam says: no_space_for_access_code_on_device: Full)",
    ),
    "known, without a message": (
        ("failed_to_issue", ""),
        "Dormakaba has not issued the code yet, and Seam goes on trying (Seam says: failed_to_issue)",
    ),
    "new": (("brand_new", "Hm."), "Seam says: brand_new: Hm."),
    "new, without a message": (("brand_new", ""), "Seam says: brand_new"),
}


@pytest.mark.parametrize(("issue", "text"), WORDS.values(), ids=WORDS.keys())
def test_texts_always_quote_seam(issue: tuple[str, str], text: str) -> None:
    """Seam's message may say more; a code that isn't listed is quoted alone."""
    assert issue_in_words(IssueKind.CODE_ERROR, *issue) == text


MOMENT = datetime(2036, 12, 4, 10, tzinfo=UTC)
FIELDS = {
    "the fields that Seam's SDK names": (
        [ModifiedField("code"), ModifiedField("starts_at"), ModifiedField("ends_at", MOMENT)],
        "its PIN, its start, its end (now 2036-12-04 10:00 UTC)",
    ),
    "each once": ([ModifiedField("name"), ModifiedField("name")], "its name"),
    "a new field": ([ModifiedField("user_level")], "user_level"),
    "what may be a PIN": ([ModifiedField("code 739158"), ModifiedField("AB12C3")], "another field"),
}


@pytest.mark.parametrize(("fields", "text"), FIELDS.values(), ids=FIELDS.keys())
def test_changed_fields_are_named_and_never_quoted(fields: list[ModifiedField], text: str) -> None:
    """The alert says what was changed, even if Seam's own message doesn't."""
    assert fields_in_words(fields) == text
    told = issue_in_words(
        IssueKind.CODE_WARNING,
        "external_modification_in_effect",
        "Hm.",
        change_type="modified",
        modified_fields=fields,
    )
    assert told == (
        f"Somebody changed the code outside Seam, and that change stays; changed: {text}"
        " (Seam says: external_modification_in_effect: Hm.)"
    )
    assert issue_in_words(IssueKind.CODE_ERROR, "new", "", modified_fields=fields) == f"Seam says: new; changed: {text}"


@pytest.mark.parametrize("kind", IssueKind)
def test_an_unlisted_issue_is_told(kind: IssueKind) -> None:
    """An error blocks; a warning doesn't."""
    row = meaning_of_issue(kind, "of_tomorrow", change_type="of_next_week")
    assert (row.is_told, row.blocks, row.is_retried) == (True, kind.value.endswith("error"), False)


# The device warnings that matter for Oracode locks, of 28. Most others are about the network, which they don't have.
MATTERS = {
    "max_access_codes_reached": True,
    "time_zone_unknown": True,
    "time_zone_mismatch": True,
    "privacy_mode": True,
    "provider_issue": False,
    "scheduled_maintenance_window": False,
    "device_communication_degraded": False,
    "third_party_integration_detected": False,
}


@pytest.mark.parametrize(("code", "blocks"), MATTERS.items())
def test_device_warnings_that_matter_are_told(code: str, *, blocks: bool) -> None:
    """Whether they keep codes from working, or not."""
    row = meaning_of_issue(IssueKind.DOOR_WARNING, code)
    assert (row.is_told, row.blocks) == (True, blocks)
    assert not meaning_of_issue(IssueKind.DOOR_WARNING, "unreliable_online_status").is_told
