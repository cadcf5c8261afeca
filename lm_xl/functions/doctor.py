"""What Excel on Windows needs to run the functions: what is there, what is missing and how to mend it."""

from __future__ import annotations

import os
import platform
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata, util
from pathlib import Path

from lm_xl.functions.addin import TEMPLATE, kept_by_onedrive
from lm_xl.functions.windows import (
    DEFENDER_RULES,
    ENVIRONMENT,
    EXCEL,
    OFFICE_POLICY,
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


CHILDREN = "d4f940ab-401b-4efc-aadc-ad5f3c50688a"
API_CALLS = "92e97fa1-2edf-4476-bdd6-9dd0b4dddc7b"
BLOCKS, WARNS = "1", "6"
"""States of a rule of Defender in which it acts."""
ASK = "ask those who look after your computer to"
RULES = {
    CHILDREN: (
        "Excel may not start Python: Defender keeps Office from starting programs",
        f"{ASK} allow it for Excel and {{python}}",
    ),
    API_CALLS: (
        "macros may not call Windows: Defender blocks what xlwings' macros do",
        f"{ASK} allow it for this workbook",
    ),
    "vba": ("macros are switched off for all of Office (VBAOff)", f"{ASK} switch them on"),
    "internet": (
        "macros of files from the internet are blocked for good",
        "Take the copy that lm-xl addin install makes: it is no file from the internet",
    ),
    "locations": ("trusted folders are switched off", f"Choose Enable Content instead, or {ASK} allow them"),
    "users": (
        "only the company names trusted folders",
        f"Choose Enable Content instead, or {ASK} name yours",
    ),
}
"""Rules that a company may set, what each means here, and what to do."""


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
    made_for: str = "win-amd64"
    """The system that this Python was made for."""
    rules: tuple[str, ...] = ()
    """Rules of the company that stand in the way, of RULES."""
    onedrive: tuple[str, ...] = ()
    """Trusted folders that OneDrive keeps."""


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
        of_system = [
            *_made_for(facts), _pywin32(facts), _dlls(facts), _excel(facts), _variable(facts), _macros(facts), *_rules(facts),
        ]  # fmt: skip
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


def _made_for(facts: Facts) -> list[Finding]:
    why = {
        "win-arm64": "for ARM, for which xlwings has no library that Excel can load",
        "win32": "of 32 bits, for which scipy is not made (Excel itself may be of 32 bits)",
    }.get(facts.made_for)
    if why is None:
        return []
    mend = "Install 'Windows installer (64-bit)' of python.org, which runs on ARM too"
    return [Finding(False, f"a Python for x64: this one is {why}", mend)]


def _rules(facts: Facts) -> list[Finding]:
    found = []
    for rule in facts.rules:
        what, mend = RULES[rule]
        # What Enable Content or a copy gets round does not stop the functions.
        stops = rule in (CHILDREN, API_CALLS, "vba") or (facts.macros in MACROS_OFF and rule != "internet")
        found.append(Finding(False if stops else None, what, mend.format(python=facts.interpreter)))
    for folder in facts.onedrive:
        why = "Excel opens its files as of the web and does not trust them"
        found.append(
            Finding(
                False,
                f"a trusted folder of this computer: OneDrive keeps {folder}, and {why}",
                "Run: lm-xl addin install --trust",
            )
        )
    return found


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
    if facts.trusted and not {"locations", "users"} & set(facts.rules):
        return Finding(True, f"macros run in the trusted folder {', '.join(facts.trusted)}")
    off = MACROS_OFF.get(facts.macros or 0)
    if off is None:
        return Finding(True, "macros run once you allow them (Enable Content) in the bar above the sheet")
    mend = "Run: lm-xl addin install --trust; or ask those who look after your computer"
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
        trusted=(trusted := tuple(str(windows.value(key, "Path")) for key in our_keys(windows))),
        made_for=sysconfig.get_platform(),
        rules=tuple(_rules_in_force(windows)),
        onedrive=tuple(folder for folder in trusted if kept_by_onedrive(Path(folder), os.environ)),
    )


def _rules_in_force(windows: Windows) -> Iterator[str]:
    """The rules of the company that stand in the way."""
    for rule in (CHILDREN, API_CALLS):
        if str(windows.value(DEFENDER_RULES, rule)) in (BLOCKS, WARNS):
            yield rule
    if windows.value(OFFICE_POLICY, "VBAOff") == 1:
        yield "vba"
    if windows.value(POLICY, "blockcontentexecutionfrominternet") == 1:
        yield "internet"
    locations = (rf"{key}\Trusted Locations" for key in (POLICY, SECURITY))
    if any(windows.value(key, "AllLocationsDisabled") == 1 for key in locations):
        yield "locations"
    if windows.value(rf"{OFFICE_POLICY}\Security\Trusted Locations", "allow user locations") == 0:
        yield "users"


def _wanted_xlwings() -> str | None:
    """The version of xlwings that the installed package requires; None where it is not installed."""
    try:
        required = metadata.requires("lm-xl") or ()
    except metadata.PackageNotFoundError:
        return None
    return next((m[1] for r in required if (m := re.match(r"xlwings\s*==\s*([0-9.]+)", r))), None)
