"""A package, the zip archive that a workbook file is: opened with guards against whatever a stranger may send."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from lm_xl.faults import Fault, Refused

MOST_BYTES = 50_000_000


MOST_UNPACKED = 500_000_000


MOST_PARTS = 2_000


MOST_ELEMENTS = 5_000_000
"""XML elements of one part; a sheet of 600 rows has about 50,000."""


class Damaged(Exception):
    """What is wrong with a package, in plain words."""


def inspect_package(path: Path) -> None:
    """Refuse what is no workbook, is encrypted, or would unpack to more than a workbook does."""

    def refuse(message: str) -> Refused:
        return Refused([Fault(path.name, "", "", message)])

    try:
        if not path.exists():
            raise refuse(f"there is no such file in {path.parent.name or '.'}")
        if not path.is_file():
            raise refuse("is a folder or a device, not a file: give the path of an .xlsx workbook")
        with path.open("rb") as file:
            start = file.read(8)
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise refuse(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    if not start:
        raise refuse("is empty: save it again from Excel")
    if start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise refuse("is encrypted or in the old .xls format: save it as .xlsx without a password")
    if not start.startswith(b"PK"):
        raise refuse("is not an .xlsx workbook: save it as .xlsx")
    if size > MOST_BYTES:
        raise refuse(f"has {size:,} bytes; at most {MOST_BYTES:,} are read")
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise refuse(f"is damaged ({error}): save it again from Excel") from None
    unpacked = sum(p.file_size for p in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
        raise refuse(
            f"unpacks to {len(parts):,} parts and {unpacked:,} bytes; at most {MOST_PARTS:,} and {MOST_UNPACKED:,} are read"
        )
    if any(part.flag_bits & 1 for part in parts):
        raise refuse("is encrypted: save it as .xlsx without a password")


Start = Callable[[str, dict[str, str]], None]
"""Told the name of an element, without its namespace, and its attributes."""
