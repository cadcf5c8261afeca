"""The add-in for LibreOffice Calc: an extension made from the registry, which answers by the Python that built it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import lm_xl
from lm_xl.files import must_end, replacing
from lm_xl.functions.com import argument_help
from lm_xl.functions.registry import FUNCTIONS, MODEL_AT, Argument, Function
from lm_xl.version import __version__
from lm_xl.xlsx.package import packed

MOST = 40
"""Arguments that stand for one that takes all that follow: Calc spreads a list of unknown length over single cells in an array formula."""
LEAST_OFFICE = "7.4"
"""The oldest LibreOffice that the add-in was run in."""
OFFICE_FILES = ("component.py", "engine.py", "formulas.py")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_REGISTRY = 'xmlns:oor="http://openoffice.org/2001/registry" oor:package="org.openoffice.Office"'


def build_oxt(output: Path, *, force: bool = False) -> None:
    """Write the extension, all or nothing. Raises WrongUsage where the file does not end in .oxt, Refused where it exists."""
    must_end(output, ".oxt")
    with replacing(output, force=force) as draft:
        packed(draft, parts())


def parts() -> dict[str, str]:
    """Every file of the extension by its name."""
    office = files("lm_xl.functions.oxt").joinpath("office")
    component, *modules = OFFICE_FILES
    carried = {f"pythonpath/lm_xl_office/{name}": office.joinpath(name) for name in ("__init__.py", *modules)}
    kinds = {
        "types.idl": "uno-typelibrary;type=RDB",
        component: "uno-component;type=Python",
        "CalcAddIns.xcu": "configuration-data",
        "Jobs.xcu": "configuration-data",
    }
    return {
        "META-INF/manifest.xml": _manifest(kinds),
        "description.xml": _description(),
        "types.idl": types(),
        "CalcAddIns.xcu": help_texts(),
        "Jobs.xcu": _jobs(),
        "functions.json": json.dumps(built_with(), indent=1),
        component: office.joinpath(component).read_text(encoding="utf-8"),
        **{name: file.read_text(encoding="utf-8") for name, file in carried.items()},
    }


def method(function: Function) -> str:
    """A function's name where no underscore is allowed: lmCompanyRevenue."""
    first, *others = function.name.lower().split("_")
    return first + "".join(word.capitalize() for word in others)


def arguments(function: Function) -> Iterator[Argument]:
    """The arguments as Calc takes them, each of a fixed place."""
    for a in function.arguments:
        yield from [a] * MOST if a.rest else [a]


def types() -> str:
    """The interface of the functions: the caller's workbook, then arguments any of which may be left out; a block comes back."""
    lines = []
    for f in FUNCTIONS.values():
        taken = "".join(f", [in] any a{i}" for i, _ in enumerate(arguments(f)))
        caller = "[in] com::sun::star::beans::XPropertySet caller"
        lines.append(f"    sequence< sequence<any> > {method(f)}({caller}{taken});\n")
    return f"module lmxl {{ interface XFunctions {{\n{''.join(lines)}}}; }};\n"


def help_texts() -> str:
    """What the function wizard says, and the names that a file of Excel has for the functions."""
    functions = "".join(
        _node(
            method(f),
            _prop("DisplayName", f.name)
            + _prop("Description", f"{f.meaning} Returns {f.returns}.")
            + '<prop oor:name="Category"><value>Add-In</value></prop>'
            + _prop("CompatibilityName", f.name)
            + f'<node oor:name="Parameters">{_parameters(f)}</node>',
        )
        for f in FUNCTIONS.values()
    )
    named = f'<node oor:name="AddInFunctions">{functions}</node>'
    return f'{_HEAD}<oor:component-data {_REGISTRY} oor:name="CalcAddIns"><node oor:name="AddInInfo">{_node("lm_xl", named)}</node></oor:component-data>\n'


def built_with() -> dict[str, object]:
    """What the component must know: this Python and where it has lm_xl from, and the functions."""
    return {
        "version": __version__,
        "python": sys.executable,
        "path": str(Path(lm_xl.__file__).parent.parent),
        "functions": {
            f.name: {"method": method(f), "model": MODEL_AT.get(f.name)} for f in FUNCTIONS.values()
        },
    }


def _parameters(function: Function) -> str:
    return "".join(
        _node(f"a{i}", _prop("DisplayName", a.name) + _prop("Description", argument_help(a)))
        for i, a in enumerate(arguments(function))
    )


def _node(name: str, content: str) -> str:
    return f'<node oor:name={quoteattr(name)} oor:op="replace">{content}</node>'


def _prop(name: str, text: str) -> str:
    return f'<prop oor:name="{name}"><value xml:lang="en-US">{escape(text)}</value></prop>'


def _jobs() -> str:
    job = _node("lm_xl.Opened", '<prop oor:name="Service"><value>lm_xl.Opened</value></prop>')
    listed = '<node oor:name="JobList"><node oor:name="lm_xl.Opened" oor:op="replace"/></node>'
    events = f'<node oor:name="OnLoadFinished" oor:op="fuse">{listed}</node>'
    both = f'<node oor:name="Jobs">{job}</node><node oor:name="Events">{events}</node>'
    return f'{_HEAD}<oor:component-data {_REGISTRY} oor:name="Jobs">{both}</oor:component-data>\n'


def _manifest(kinds: dict[str, str]) -> str:
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="application/vnd.sun.star.{kind}"/>'
        for name, kind in kinds.items()
    )
    return f'{_HEAD}<manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest">{entries}</manifest:manifest>\n'


def _description() -> str:
    least = f'<l:LibreOffice-minimal-version xmlns:l="http://libreoffice.org/extensions/description/2011" d:name="LibreOffice {LEAST_OFFICE}" value="{LEAST_OFFICE}"/>'
    return (
        f'{_HEAD}<description xmlns="http://openoffice.org/extensions/description/2006" xmlns:d="http://openoffice.org/extensions/description/2006">'
        f'<identifier value="lm_xl"/><version value="{__version__}"/><display-name><name lang="en">lm_xl functions</name></display-name>'
        f"<dependencies>{least}</dependencies></description>\n"
    )
