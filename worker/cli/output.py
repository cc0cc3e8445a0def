"""A command's output: in the terminal's encoding, and one sentence of error if it can't be written."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CANT_WRITE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextmanager
def safe_output() -> Iterator[None]:
    """Write `?` for characters that the terminal's encoding lacks; end with 3 if writing fails (a full disk)."""
    for stream in (sys.stdout, sys.stderr):
        # Only a real stream has this method; tests may replace standard output.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
    try:
        try:
            yield
        finally:
            # Otherwise writing the buffered output would fail while the interpreter ends, with a traceback.
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in _CANT_WRITE:
            raise
        _drop_what_is_buffered()
        print(f"The output can't be written: {os.strerror(error.errno)}.", file=sys.stderr)
        raise SystemExit(3) from None


def _drop_what_is_buffered() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
