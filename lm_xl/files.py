"""Files that are written: what they are called, what they may not replace, and all or nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lm_xl.faults import Fault, Refused, WrongUsage


def must_end(path: Path, *suffixes: str) -> None:
    """Raise WrongUsage where a file to write has another suffix than those."""
    if path.suffix.lower() not in suffixes:
        raise WrongUsage(f"{path.name}: the file ends in {' or '.join(suffixes)}")


def not_over(source: Path, path: Path) -> None:
    """Raise Refused where a file to write is the one that was read, by whatever name."""
    if path.exists() and source.exists() and path.samefile(source):
        raise Refused([Fault(path.name, "", "", "is what is read: give another name to what is written")])


@contextmanager
def replacing(path: Path, *, force: bool) -> Iterator[Path]:
    """A draft beside a file, which takes its place only when all went well. Raises Refused where it may not."""
    if path.exists() and not force:
        raise Refused(
            [Fault(path.name, "", "", "exists already: give --force to replace it, or another name with -o")]
        )
    if not path.parent.is_dir() or path.is_dir():
        raise Refused(
            [
                Fault(
                    path.name,
                    "",
                    "",
                    f"cannot be written: {'it is a folder' if path.is_dir() else f'there is no folder {path.parent}'}",
                )
            ]
        )
    path, name = path.resolve(), path.name
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    if mode is not None and not mode & 0o200:
        raise Refused([Fault(name, "", "", "is read-only: give another name with -o, or allow writing")])
    if any((path.parent / owner).exists() for owner in (f"~${path.name}", f".~lock.{path.name}#")):
        raise Refused([Fault(name, "", "", "is open in another program: close it there first")])
    try:
        handle, made = tempfile.mkstemp(suffix=path.suffix or ".xlsx", prefix=".lm_xl-", dir=path.parent)
    except OSError as error:
        raise Refused([Fault(name, "", "", f"cannot be written: {error.strerror}")]) from None
    os.close(handle)
    draft = Path(made)
    try:
        yield draft
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(0o666 & ~mask if mode is None else mode)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
