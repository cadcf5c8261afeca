"""The parts of a workbook that carry the functions to xlwings Lite: the package itself, and what it asks the add-in for."""

from __future__ import annotations

import base64
import bz2
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

import lm_xl
from lm_xl.version import __version__
from lm_xl.xlsx.package import FIRST_DAY, repacked

CARRIED = ("model", "xlsx", "assumptions", "forecasts", "uncertainty", "functions")
"""The rooms that the functions need; the modules at the door go along."""
NEEDED = ("numpy", "scipy")
"""What the functions import, in the version that Pyodide has."""
REQUIREMENTS = "\n".join(
    [
        "# What xlwings Lite itself needs",
        "xlwings<1",
        "python-dotenv",
        "pyodide-http",
        "black",
        "# What the functions need, in whatever version Pyodide has",
        *NEEDED,
        "",
    ]
)
"""The workbook's `requirements.txt`. It names nothing of ours: whoever owned such a name on an index would run here."""
PYODIDE = "0.27.5"
"""The Pyodide that the workbook asks for: numpy 2.0.2 and scipy 1.14.1, as in 0.27.7, which the tests run."""
ADD_IN = "wa200008175"
"""xlwings Lite in the store of add-ins."""
LINE = 120
"""Characters of the package in one line of `main.py`."""

_MAIN = '''\
"""The functions of lm_xl {version} in this workbook: LM_PATIENTS, LM_REVENUE and their family. MIT licence.

PACKAGE is lm_xl itself: its Python files as a zip, pressed with bz2 and written in base64. None of it is fetched.
Functions of your own may follow the last line.
"""

import base64
import bz2
import pathlib
import sys
import tempfile

PACKAGE = """
{package}
"""

ARCHIVE = pathlib.Path(tempfile.gettempdir(), "lm_xl-{version}-{digest}.zip")
if not ARCHIVE.exists():
    ARCHIVE.write_bytes(bz2.decompress(base64.b64decode(PACKAGE)))
if str(ARCHIVE) not in sys.path:
    sys.path.insert(0, str(ARCHIVE))

from lm_xl.functions.lite import *
'''
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.microsoft.com/office"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_IN_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_FOLDER = "xl/webextensions"


def package_zip() -> bytes:
    """The rooms of this package that the functions need as a zip, the same bytes for the same files whatever made it.

    Its parts are not pressed, so that bz2 presses them together and Python imports them as they are.
    """
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_STORED) as archive:
        for file, name in _carried_files():
            archive.writestr(zipfile.ZipInfo(name, FIRST_DAY), file.read_bytes().replace(b"\r\n", b"\n"))
    return kept.getvalue()


def _carried_files() -> Iterator[tuple[Path, str]]:
    """Each file of the package that goes along, and its name in the zip."""
    package = Path(lm_xl.__file__).parent
    files = [*package.glob("*.py"), *(f for room in CARRIED for f in (package / room).glob("*.py"))]
    for file in sorted(files):
        yield file, f"{package.name}/{file.relative_to(package).as_posix()}"


def main_py() -> str:
    """The workbook's `main.py`, which xlwings Lite runs and shows in its editor."""
    archive = package_zip()
    text = base64.b64encode(bz2.compress(archive)).decode()
    lines = "\n".join(text[i : i + LINE] for i in range(0, len(text), LINE))
    return _MAIN.format(version=__version__, package=lines, digest=hashlib.sha256(archive).hexdigest()[:12])


def add_code(source: Path, target: Path) -> None:
    """A workbook with the code of its functions inside, as xlwings Lite stores it; every other part stays as it is.

    Whoever opens it is asked to add xlwings Lite where it is not there, and its pane opens by itself.
    """
    properties = {
        "main.py": main_py(),
        "requirements.txt": REQUIREMENTS,
        "pyodideVersion": PYODIDE,
        "Office.AutoShowTaskpaneWithDocument": True,
    }
    shown = "".join(
        f"<we:property name={quoteattr(k)} value={quoteattr(json.dumps(v))}/>" for k, v in properties.items()
    )
    parts = {
        "webextension1.xml": f'{_HEAD}<we:webextension xmlns:we="{_OFFICE}/webextensions/webextension/2010/11" id="{{0B2A6D5E-6C5F-4A1E-9D57-1E5A0F6C2D35}}">'
        f'<we:reference id="{ADD_IN}" version="1.0.0.0" store="en-US" storeType="OMEX"/><we:alternateReferences/><we:properties>{shown}</we:properties><we:bindings/>'
        f'<we:snapshot xmlns:r="{_IN_DOCUMENT}"/></we:webextension>',
        "taskpanes.xml": f'{_HEAD}<wetp:taskpanes xmlns:wetp="{_OFFICE}/webextensions/taskpanes/2010/11"><wetp:taskpane dockstate="right" visibility="1" width="350" row="1">'
        f'<wetp:webextensionref xmlns:r="{_IN_DOCUMENT}" r:id="rId1"/></wetp:taskpane></wetp:taskpanes>',
        "_rels/taskpanes.xml.rels": f'{_HEAD}<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_OFFICE}/2011/relationships/webextension" Target="webextension1.xml"/></Relationships>',
    }  # fmt: skip
    repacked(source, target, _joined, {f"{_FOLDER}/{name}": text for name, text in parts.items()})


def _joined(part: str, content: bytes) -> bytes:
    """A part of a workbook, its relationships and content types as they are once the parts of the add-in are there."""
    if part == "_rels/.rels":
        pane = f'<Relationship Id="rIdPanes" Type="{_OFFICE}/2011/relationships/webextensiontaskpanes" Target="{_FOLDER}/taskpanes.xml"/></Relationships>'
        return re.sub(rb"</Relationships>\s*$", pane.encode(), content)
    if part == "[Content_Types].xml":
        kinds = {"webextension1.xml": "webextension", "taskpanes.xml": "webextensiontaskpanes"}
        types = "".join(
            f'<Override PartName="/{_FOLDER}/{name}" ContentType="application/vnd.ms-office.{kind}+xml"/>'
            for name, kind in kinds.items()
        )
        return re.sub(rb"</Types>\s*$", f"{types}</Types>".encode(), content)
    return content
