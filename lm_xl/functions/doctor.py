"""What Excel on Windows needs to run the functions: what is there, what is missing and how to mend it."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass, replace
from importlib import metadata, util
from pathlib import Path

from lm_xl.functions.addin import TEMPLATE
from lm_xl.functions.windows import (
    ENVIRONMENT,
    EXCEL,
    POLICY,
    SECURITY,
    VARIABLE,
    Windows,
    our_keys,
    windows_registry,
)

INSTALL = "python -m pip install"
MACROS_OFF = {3: "only signed macros may run", 4: "macros are switched off"}
"""Values of VBAWarnings under which our macros do not run outside a trusted folder."""


@dataclass(frozen=True)
class Facts:
    """What was found. Those of Windows are None or empty elsewhere."""

    system: str
    python: str
    interpreter: str
    xlwings: str | None
    wanted: str | None
    """The version of xlwings that lm_xl names; None where lm_xl is not installed."""
    template: Path | None
    pywin32: bool = False
    dlls: tuple[str, ...] = ()
    excel: str | None = None
    variable: str | None = None
    macros: int | None = None
    trusted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One line: whether it is there (None where it does not matter here), what it is, and how to mend it."""

    there: bool | None
    what: str
    mend: str = ""

    def __str__(self) -> str:
        word = {True: "ok", False: "missing", None: "note"}[self.there]
        return f"{word + ':':<9}{self.what}{f'. {self.mend}' if self.mend else ''}"


def findings(facts: Facts) -> list[Finding]:
    """What the facts come to, in the order in which to mend it."""
    python = Finding(True, f"Python {facts.python} ({facts.interpreter})")
    if facts.system == "Windows":
        of_system = [_pywin32(facts), _dlls(facts), _excel(facts), _variable(facts), _macros(facts)]
    else:
        of_system = [_other_system(facts)]
    return [python, _xlwings(facts), *of_system, _template(facts)]


def _xlwings(facts: Facts) -> Finding:
    if facts.wanted is None:
        how = f"with the path of its wheel; or in its own folder {INSTALL} ."
        return Finding(False, "lm_xl as an installed package", f"Run: {INSTALL} {how}")
    if facts.xlwings == facts.wanted:
        return Finding(True, f"xlwings {facts.xlwings}")
    instead = f"{facts.xlwings} is installed" if facts.xlwings else "it is not installed"
    return Finding(False, f"xlwings {facts.wanted}: {instead}", f"Run: {INSTALL} xlwings=={facts.wanted}")


def _pywin32(facts: Facts) -> Finding:
    return Finding(facts.pywin32, "pywin32", "" if facts.pywin32 else f"Run: {INSTALL} pywin32")


def _dlls(facts: Facts) -> Finding:
    version = facts.wanted or facts.xlwings
    dlls = [f"xlwings64-{version}.dll", f"xlwings32-{version}.dll"]
    absent = [d for d in dlls if d not in facts.dlls]
    if not absent:
        return Finding(True, f"{' and '.join(dlls)} beside Python")
    where = "in a virtual environment, or in a Python from python.org"
    elsewhere = "not with pip --user, and not in the Python of the Microsoft Store"
    return Finding(False, f"{' and '.join(absent)} beside Python", f"Install lm_xl {where}; {elsewhere}")


def _excel(facts: Facts) -> Finding:
    if facts.excel:
        return Finding(True, f"Excel ({facts.excel})")
    return Finding(False, "Excel", "Install Microsoft Excel 2016 or later")


def _variable(facts: Facts) -> Finding:
    if facts.variable is None:
        what = f"the environment variable {VARIABLE}, by which Excel finds Python"
        return Finding(False, what, "Run: lm-xl addin install; then start Excel again")
    if facts.variable.casefold() == facts.interpreter.casefold():
        return Finding(True, f"{VARIABLE} names this Python")
    what = f"{VARIABLE} names another Python ({facts.variable}), and this one was looked at"
    mend = "Run lm-xl addin install here to use this one, or lm-xl doctor there to look at that one"
    return Finding(False, what, mend)


def _macros(facts: Facts) -> Finding:
    """A trusted folder comes before the setting of macros, which it overrides."""
    if facts.trusted:
        return Finding(True, f"macros run in the trusted folder {', '.join(facts.trusted)}")
    off = MACROS_OFF.get(facts.macros or 0)
    if off is None:
        return Finding(True, "macros run once you allow them (Enable Content) in the bar above the sheet")
    mend = "Run: lm-xl addin install --to FOLDER --trust; or ask those who look after your computer"
    return Finding(False, f"leave to run macros: {off}", mend)


def _other_system(facts: Facts) -> Finding:
    here = "Excel for Mac" if facts.system == "Darwin" else "Excel for the web"
    what = f"this is {facts.system}: the functions of {TEMPLATE} need Excel on Windows"
    instead = "through xlwings Lite, and without Excel in Python and with lm-xl recalc"
    return Finding(None, what, f"Here they work in {here} {instead}")


def _template(facts: Facts) -> Finding:
    if facts.template:
        return Finding(True, f"the template ({facts.template})")
    return Finding(False, f"the template {TEMPLATE}", f"Build it: lm-xl template -o {TEMPLATE}")


def facts(windows: Windows | None = None) -> Facts:
    """Look at this computer; `windows` stands for its registry where it is Windows."""
    from lm_xl.assumptions.read import SHIPPED

    system = platform.system()
    python = Path(sys.executable)
    template = SHIPPED.with_name(TEMPLATE)
    common = Facts(
        system,
        platform.python_version(),
        str(python),
        metadata.version("xlwings") if util.find_spec("xlwings") else None,
        _wanted_xlwings(),
        template if template.exists() else None,
    )
    if system != "Windows":
        return common
    windows = windows or windows_registry()
    macros = windows.value(POLICY, "VBAWarnings") or windows.value(SECURITY, "VBAWarnings")
    variable, excel = windows.value(ENVIRONMENT, VARIABLE), windows.value(EXCEL, "")
    return replace(
        common,
        pywin32=util.find_spec("win32api") is not None,
        dlls=tuple(
            p.name for folder in (python.parent, python.parent.parent) for p in folder.glob("xlwings*.dll")
        ),
        excel=None if excel is None else str(excel),
        variable=None if variable is None else str(variable),
        macros=macros if isinstance(macros, int) else None,
        trusted=tuple(str(windows.value(key, "Path")) for key in our_keys(windows)),
    )


def _wanted_xlwings() -> str | None:
    """The version of xlwings that the installed package requires; None where it is not installed."""
    try:
        required = metadata.requires("lm-xl") or ()
    except metadata.PackageNotFoundError:
        return None
    return next((m[1] for r in required if (m := re.match(r"xlwings\s*==\s*([0-9.]+)", r))), None)
