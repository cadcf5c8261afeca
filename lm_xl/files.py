"""Files that are written: what they are called, what they may not replace, and all or nothing."""

from __future__ import annotations

import errno
import gc
import os
import sys
import tempfile
import traceback
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
    """A draft beside a file, which takes its place only when all went well. Raises Refused where it may not, or the disk takes no more."""
    name = path.name
    if why := _obstacle(path, force=force):
        raise _refused(name, why)
    path = path.resolve()
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    try:
        handle, made = tempfile.mkstemp(suffix=path.suffix or ".xlsx", prefix=".lm_xl-", dir=path.parent)
    except OSError as error:
        raise _refused(name, f"cannot be written: {error.strerror}") from None
    os.close(handle)
    draft = Path(made)
    try:
        yield draft
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(0o666 & ~mask if mode is None else mode)
        draft.replace(path)
    except Exception as error:
        number = _said_by_disk(error)
        if number is None:
            raise
        _forget(error)
        raise _refused(name, f"cannot be written: {os.strerror(number)}") from None
    finally:
        draft.unlink(missing_ok=True)


DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
"""What a disk says that takes no more."""


def _said_by_disk(error: Exception) -> int | None:
    """The number of what a disk said, where an error comes from there; lxml tells the number's name, as IO_ENOSPC."""
    if isinstance(error, OSError):
        return error.errno if error.errno in DISK else None
    named = {f"IO_{errno.errorcode[number]}": number for number in DISK} | {"IO_WRITE": errno.EIO}
    return named.get(str(error)) if type(error).__name__ == "SerialisationError" else None


def _obstacle(path: Path, *, force: bool) -> str:
    """Why a file may not be written, or ""."""
    if path.is_dir():
        return "cannot be written: it is a folder"
    if path.exists() and not path.is_file():
        return "is a device or a pipe, no file: give another name with -o"
    if path.exists() and not force:
        return "exists already: give --force to replace it, or another name with -o"
    if not path.parent.is_dir():
        return f"cannot be written: there is no folder {path.parent}"
    if path.exists() and not path.stat().st_mode & 0o200:
        return "is read-only: give another name with -o, or allow writing"
    folder = path.resolve().parent
    if any((folder / owner).exists() for owner in (f"~${path.name}", f".~lock.{path.name}#")):
        return "is open in another program: close it there first"
    return ""


def _refused(name: str, why: str) -> Refused:
    return Refused([Fault(name, "", "", why)])


def _forget(error: BaseException) -> None:
    """Let go of what an error holds: archives that were being written try once more to end, and their complaint is no news."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        traceback.clear_frames(error.__traceback__)
        gc.collect()
    finally:
        sys.unraisablehook = hook
