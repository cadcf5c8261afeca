"""Only this room opens packages and parses XML."""

from __future__ import annotations

import ast
from pathlib import Path

import lm_xl

PACKAGE = Path(lm_xl.__file__).parent
READERS = ("zipfile", "lxml", "xml.parsers", "xml.etree", "xml.sax", "xml.dom")

ALLOWED = {
    ("uncertainty", "zipfile.BadZipFile"),  # numpy's own archives
    ("functions", "zipfile"),  # add-ins and the package that a workbook carries
    ("functions", "xml.sax.saxutils.escape"),
    ("functions", "xml.sax.saxutils.quoteattr"),
    ("audit", "xml.etree.ElementTree.Element"),  # a chart that this room has parsed
}
"""Room, and what it may import of them."""


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return {name for name in found if name.startswith(READERS)}


def test_only_this_room_opens_packages_and_parses_xml() -> None:
    rooms = {path: path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")}
    found = {(room, name) for path, room in rooms.items() for name in imported(path) if room != "xlsx"}
    assert found <= ALLOWED
    assert {name for path, room in rooms.items() if room == "xlsx" for name in imported(path)}
