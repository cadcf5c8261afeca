"""What Excel on Windows needs to run the functions: what is there, what is missing and how to mend it, and setting it up."""

from __future__ import annotations

import importlib
import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import metadata, util
from pathlib import Path
from typing import Any, Protocol

from lm_xl.faults import Fault, Refused

VARIABLE = "LM_XL_PYTHON"
"""The user's environment variable that names the Python that answers Excel."""
TEMPLATE = "lm_template.xlsm"
INSTALL = "python -m pip install"
ENVIRONMENT = r"HKCU\Environment"
EXCEL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
SECURITY = r"HKCU\Software\Microsoft\Office\16.0\Excel\Security"
POLICY = r"HKCU\Software\Policies\Microsoft\Office\16.0\Excel\Security"
TRUSTED = SECURITY + r"\Trusted Locations"
OURS = "lm_xl"
"""The description that marks a trusted folder as ours."""
MACROS_OFF = {3: "only signed macros may run", 4: "macros are switched off"}
"""Values of VBAWarnings under which our macros do not run outside a trusted folder."""


class Windows(Protocol):
    """The part of Windows that is read and changed: the registry, its keys written with HKCU or HKLM first."""

    def value(self, key: str, name: str) -> str | int | None:
        """A value, None where there is none."""

    def subkeys(self, key: str) -> Sequence[str]:
        """The names of the keys in a key."""

    def write(self, key: str, name: str, value: str | int) -> None:
        """Write a value; its key is made if need be."""

    def delete(self, key: str, name: str | None = None) -> None:
        """Delete a value, or without a name the key."""

    def announce(self) -> None:
        """Tell running programs that the environment has changed."""


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
    found = [Finding(True, f"Python {facts.python} ({facts.interpreter})")]
    if facts.wanted is None:
        found.append(
            Finding(
                False,
                "lm_xl as an installed package",
                f"Run: {INSTALL} with the path of its wheel; or in its own folder {INSTALL} .",
            )
        )
    elif facts.xlwings != facts.wanted:
        instead = f"{facts.xlwings} is installed" if facts.xlwings else "it is not installed"
        found.append(
            Finding(False, f"xlwings {facts.wanted}: {instead}", f"Run: {INSTALL} xlwings=={facts.wanted}")
        )
    else:
        found.append(Finding(True, f"xlwings {facts.xlwings}"))
    if facts.system == "Windows":
        found += _of_windows(facts)
    else:
        here = "Excel for Mac" if facts.system == "Darwin" else "Excel for the web"
        found.append(
            Finding(
                None,
                f"this is {facts.system}: the functions of {TEMPLATE} need Excel on Windows",
                f"Here they work in {here} through xlwings Lite, and without Excel in Python and with lm-xl recalc",
            )
        )
    found.append(
        Finding(True, f"the template ({facts.template})")
        if facts.template
        else Finding(False, f"the template {TEMPLATE}", f"Build it: lm-xl template -o {TEMPLATE}")
    )
    return found


def _of_windows(facts: Facts) -> list[Finding]:
    version = facts.wanted or facts.xlwings
    dlls = [f"xlwings64-{version}.dll", f"xlwings32-{version}.dll"]
    absent = [d for d in dlls if d not in facts.dlls]
    found = [
        Finding(True, "pywin32") if facts.pywin32 else Finding(False, "pywin32", f"Run: {INSTALL} pywin32"),
        Finding(True, f"{dlls[0]} and {dlls[1]} beside Python")
        if not absent
        else Finding(
            False,
            f"{' and '.join(absent)} beside Python",
            "Install lm_xl in a virtual environment, or in a Python from python.org; not with pip --user, and not in the Python of the Microsoft Store",
        ),
        Finding(True, f"Excel ({facts.excel})")
        if facts.excel
        else Finding(False, "Excel", "Install Microsoft Excel 2016 or later"),
    ]
    if facts.variable is None:
        found.append(
            Finding(
                False,
                f"the environment variable {VARIABLE}, by which Excel finds Python",
                "Run: lm-xl addin install; then start Excel again",
            )
        )
    elif facts.variable.casefold() != facts.interpreter.casefold():
        found.append(
            Finding(
                False,
                f"{VARIABLE} names another Python ({facts.variable}), and this one was looked at",
                "Run lm-xl addin install here to use this one, or lm-xl doctor there to look at that one",
            )
        )
    else:
        found.append(Finding(True, f"{VARIABLE} names this Python"))
    off = MACROS_OFF.get(facts.macros or 0)
    if off and not facts.trusted:
        found.append(
            Finding(
                False,
                f"leave to run macros: {off}",
                "Run: lm-xl addin install --to FOLDER --trust; or ask those who look after your computer",
            )
        )
    elif facts.trusted:
        found.append(Finding(True, f"macros run in the trusted folder {', '.join(facts.trusted)}"))
    else:
        found.append(
            Finding(True, "macros run once you allow them (Enable Content) in the bar above the sheet")
        )
    return found


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
        _wanted(),
        template if template.exists() else None,
    )
    if system != "Windows":
        return common
    windows = windows or registry()
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
        trusted=tuple(str(windows.value(key, "Path")) for key in _ours(windows)),
    )


def _wanted() -> str | None:
    try:
        required = metadata.requires("lm-xl") or ()
    except metadata.PackageNotFoundError:
        return None
    return next((m[1] for r in required if (m := re.match(r"xlwings\s*==\s*([0-9.]+)", r))), None)


def install(
    windows: Windows,
    interpreter: str,
    template: Path,
    folder: Path | None,
    *,
    trust: bool = False,
    force: bool = False,
) -> list[str]:
    """Let Excel find this Python; copy the template to a folder if one is given, and have Excel trust that folder if asked to.

    Returns what was done, in words. Raises Refused, before anything is done, where the folder or the template is not there, the
    template is in the folder already and `force` is not given, or a folder of a network is to be trusted.
    """
    done = []
    faults = []
    if folder is not None:
        if not folder.is_dir():
            faults.append(
                Fault(
                    str(folder), "", "", "there is no such folder: make it first, or name another with --to"
                )
            )
        elif (folder / TEMPLATE).exists() and not force:
            faults.append(Fault(str(folder / TEMPLATE), "", "", "exists already: give --force to replace it"))
        if not template.exists():
            faults.append(
                Fault(
                    template.name,
                    "",
                    "",
                    f"is not in this installation: build it with lm-xl template -o {TEMPLATE}",
                )
            )
        if trust and str(folder).startswith(("\\\\", "//")):
            faults.append(
                Fault(
                    str(folder),
                    "",
                    "",
                    "is on a network, which Excel does not trust: name a folder of this computer",
                )
            )
    if faults:
        raise Refused(faults)
    before = windows.value(ENVIRONMENT, VARIABLE)
    windows.write(ENVIRONMENT, VARIABLE, interpreter)
    windows.announce()
    was = f" (it named {before} before)" if before not in (None, interpreter) else ""
    done.append(f"{VARIABLE} of your environment names {interpreter}{was}; lm-xl addin remove takes it back")
    if folder is not None:
        import shutil

        from lm_xl.files import replacing

        with replacing(folder / TEMPLATE, force=force) as draft:
            shutil.copyfile(template, draft)
        done.append(f"{folder / TEMPLATE} is your copy of the template")
        if trust:
            done.append(_trust(windows, folder))
    done.append("start Excel again, so that it sees this")
    return done


def remove(windows: Windows) -> list[str]:
    """Take back what `install` set: the variable and the trusted folders. Copies of the template stay."""
    done = []
    if windows.value(ENVIRONMENT, VARIABLE) is not None:
        windows.delete(ENVIRONMENT, VARIABLE)
        windows.announce()
        done.append(f"{VARIABLE} is no longer in your environment")
    for key in _ours(windows):
        done.append(f"{windows.value(key, 'Path')} is no longer a trusted folder")
        windows.delete(key)
    return done or ["nothing was set, so nothing was taken back"]


def _trust(windows: Windows, folder: Path) -> str:
    path = str(folder.resolve()).rstrip("\\/") + "\\"
    if any(str(windows.value(key, "Path")).casefold() == path.casefold() for key in _ours(windows)):
        return f"Excel trusts {path} already"
    taken = {name.casefold() for name in windows.subkeys(TRUSTED)}
    key = next(f"Location{n}" for n in range(len(taken) + 1) if f"location{n}" not in taken)
    windows.write(f"{TRUSTED}\\{key}", "Path", path)
    windows.write(f"{TRUSTED}\\{key}", "Description", OURS)
    windows.write(f"{TRUSTED}\\{key}", "AllowSubfolders", 0)
    return f"Excel trusts {path}: macros of any workbook in it run without asking; lm-xl addin remove takes it back"


def _ours(windows: Windows) -> list[str]:
    keys = [f"{TRUSTED}\\{name}" for name in windows.subkeys(TRUSTED)]
    return [key for key in keys if windows.value(key, "Description") == OURS]


def registry() -> Windows:
    """The registry of this computer. Raises Refused where it is not Windows."""
    if platform.system() != "Windows":
        words = f"Excel's COM functions need Windows, and this is {platform.system()}: run lm-xl doctor for what works here"
        raise Refused([Fault("lm-xl addin", "", "", words)])
    return _Registry()


class _Registry:
    def __init__(self) -> None:
        self.winreg: Any = importlib.import_module("winreg")

    def _split(self, key: str) -> tuple[Any, str]:
        root, _, path = key.partition("\\")
        return {"HKCU": self.winreg.HKEY_CURRENT_USER, "HKLM": self.winreg.HKEY_LOCAL_MACHINE}[root], path

    def value(self, key: str, name: str) -> str | int | None:
        try:
            with self.winreg.OpenKey(*self._split(key)) as opened:
                value: str | int = self.winreg.QueryValueEx(opened, name)[0]
                return value
        except FileNotFoundError:
            return None

    def subkeys(self, key: str) -> Sequence[str]:
        try:
            with self.winreg.OpenKey(*self._split(key)) as opened:
                return [self.winreg.EnumKey(opened, i) for i in range(self.winreg.QueryInfoKey(opened)[0])]
        except FileNotFoundError:
            return []

    def write(self, key: str, name: str, value: str | int) -> None:
        kind = self.winreg.REG_DWORD if isinstance(value, int) else self.winreg.REG_SZ
        with self.winreg.CreateKey(*self._split(key)) as opened:
            self.winreg.SetValueEx(opened, name, 0, kind, value)

    def delete(self, key: str, name: str | None = None) -> None:
        if name is None:
            self.winreg.DeleteKey(*self._split(key))
            return
        with self.winreg.OpenKey(*self._split(key), 0, self.winreg.KEY_SET_VALUE) as opened:
            self.winreg.DeleteValue(opened, name)

    def announce(self) -> None:
        import ctypes

        everyone, changed, unless_hung, milliseconds = 0xFFFF, 0x001A, 0x0002, 1000
        user32: Any = getattr(ctypes, "windll").user32  # noqa: B009  it is there on Windows alone
        user32.SendMessageTimeoutW(everyone, changed, 0, "Environment", unless_hung, milliseconds, None)
