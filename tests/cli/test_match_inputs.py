"""Devices that are asked for at Seam: what each of its errors means to the command line."""

import pytest

from shared.seam import errors
from worker.cli import context
from worker.cli.match_inputs import Unreachable, UnusableInput, load_door


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        pytest.param(
            errors.NotFound("no such device", status=404, error_type="not_found"), UnusableInput, id="unknown"
        ),
        pytest.param(errors.Refused("bad id", status=400, error_type="invalid_input"), UnusableInput, id="refused"),
        pytest.param(errors.Unreachable("connection refused"), Unreachable, id="out of reach"),
        pytest.param(errors.Unauthorized("bad key"), Unreachable, id="key not accepted"),
        pytest.param(errors.RateLimited("slow down", retry_after=None), Unreachable, id="too many calls"),
        pytest.param(errors.Unreadable("not JSON"), Unreachable, id="nonsense"),
        pytest.param(ConnectionRefusedError("refused"), Unreachable, id="no connection"),
    ],
)
def test_errors(monkeypatch: pytest.MonkeyPatch, error: Exception, becomes: type[Exception]) -> None:
    """An id that Seam doesn't know is unusable input; everything else is a service out of reach."""

    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr(context, "fetch_device", fail)
    with pytest.raises(becomes):
        load_door("d0000000-0000-0000-0000-000000000001")


@pytest.mark.parametrize("name", ["/no/such/file", "device.json", "a/b"])
def test_missing_file_is_not_asked_for_at_seam(name: str) -> None:
    """A mistyped path must not become a question to Seam."""
    with pytest.raises(UnusableInput, match="no such file"):
        load_door(name)
