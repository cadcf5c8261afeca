"""Files that are written: whole or not at all, in the place of ordinary files alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import lm_xl
from lm_xl.files import replacing


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_only_ordinary_files_are_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "link.xlsx").symlink_to("/dev/full")
    for name in ("pipe.xlsx", "link.xlsx"):
        for force in (False, True):
            with (
                pytest.raises(lm_xl.Refused, match=rf"{name}: is a device or a pipe, no file"),
                replacing(tmp_path / name, force=force),
            ):
                raise AssertionError
    assert stat.S_ISFIFO((tmp_path / "pipe.xlsx").stat().st_mode)
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)  # noqa: PTH116


@pytest.mark.parametrize("most", [0, 1_000, 60_000])
@pytest.mark.skipif(sys.platform != "linux", reason="no such limit here")
def test_a_full_disk_is_told_with_the_file_and_nothing_else(
    most: int, small_path: Path, tmp_path: Path
) -> None:
    """A limit on the size of files does what a full disk does, and what is half written goes unheard."""
    (tmp_path / "out.xlsx").write_text("older")
    command = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    command += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most})); "
    command += "from lm_xl.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "new", "out.xlsx", "--axes-of", str(small_path), "--force"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "out.xlsx: cannot be written: File too large\nrefused: 1 fault\n"
    assert [p.name for p in tmp_path.iterdir()] == ["out.xlsx"]
    assert (tmp_path / "out.xlsx").read_text() == "older"
