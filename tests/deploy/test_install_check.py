"""What `make install-check` reads from the page, and that it looks at every unit there is."""

import os
import re
import shutil
import subprocess

import pytest

from deploy.install_check import checks, image
from deploy.install_check.documented import NotAsDocumented, blocks, blocks_in, filled_in, page_of
from deploy.install_check.steps import NOTHING_CHECKED
from tests.deploy.test_deploy_files import PROJECT, SYSTEMD, UNITS

PAGE = """\
## systemd

1. One:
   ```sh
   echo LONG-RANDOM-TEXT > …     # where a
   ```

## Containers

```sh
docker
```
"""


def test_the_commands_of_one_section_are_read() -> None:
    """A step is a block, without its indentation; what is a command of another way to run isn't taken."""
    assert blocks(PAGE) == ["echo LONG-RANDOM-TEXT > …     # where a"]


@pytest.mark.parametrize("page", ["", "## systemd\n\nnothing\n\n## Next\n"])
def test_a_page_without_commands_is_told(page: str) -> None:
    """Nothing was checked then, and nobody must believe that it was."""
    with pytest.raises(NotAsDocumented):
        blocks(page)


def test_placeholders_are_filled_in() -> None:
    """All of them; one that the page doesn't have any more, or that nobody knows, is told."""
    (block,) = blocks(PAGE)
    assert filled_in(block, {"LONG-RANDOM-TEXT": "x", "…": "file"}) == "echo x > file     # where a"
    with pytest.raises(NotAsDocumented, match="LONG-RANDOM"):
        filled_in(block, {"…": "file"})
    with pytest.raises(NotAsDocumented, match="gone"):
        filled_in(block, {"LONG-RANDOM-TEXT": "x", "…": "file", "gone": ""})


def test_our_page_has_the_four_steps() -> None:
    """Program, data server, settings, units: with the placeholders that the check fills in."""
    program, server, settings, units = blocks(page_of(PROJECT))
    assert filled_in(program, {"git clone … /opt/oracode": "true"})
    assert filled_in(server, {"LONG-RANDOM-TEXT": "x"})
    assert filled_in(settings, {"LONG-RANDOM-TEXT": "x", "seam_…": "x", "whsec_…": "x"})
    assert filled_in(units, {}) == units


def test_our_page_on_failover_has_its_four_steps() -> None:
    """Both servers, the replica, the Sentinels with what they need of the network, the processes."""
    own, replica, sentinels, processes = blocks_in(page_of(PROJECT, "docs/failover.md"), "Set it up")
    password = {"LONG-RANDOM-TEXT": "x"}
    assert filled_in(own, password | {"MY-OWN-ADDRESS": "10.0.0.1"})
    assert "replicaof 10.0.0.1 6379" in filled_in(replica, {})
    assert sum(line.startswith("apt-get install") for line in sentinels.splitlines()) == 1
    assert "sentinel monitor oracode 10.0.0.1 6379 2" in filled_in(sentinels, password)
    assert "SYNC_REPLICAS=1" in filled_in(processes, password)


def test_what_the_page_edits_in_the_sentinels_file_is_there() -> None:
    """Its `sed` would else change nothing, and nobody would hear of it."""
    lines = (PROJECT / "deploy/valkey/sentinel.conf").read_text().splitlines()
    for beginning in ("sentinel monitor ", "#sentinel auth-pass "):
        assert sum(line.startswith(beginning) for line in lines) == 1


def test_an_image_that_has_no_base_is_not_called_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No registry of images answers, and there is no debootstrap: exit 3, and one line says why."""
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/buildah" if name == "buildah" else None)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    assert image.main([]) == NOTHING_CHECKED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("can't be pulled, and there is no debootstrap to make a base with. NOTHING was checked.")


def test_every_unit_is_looked_at_where_it_listens() -> None:
    """A unit or an address that changes is noticed here, not by a check that looks elsewhere."""
    assert set(checks.UNITS) == {unit.stem for unit in UNITS}
    listens = re.search(r"^ListenStream=(.*)$", (SYSTEMD / "oracode-web.socket").read_text(), re.MULTILINE)
    assert listens
    assert f"http://{listens[1]}" == checks.WEB
