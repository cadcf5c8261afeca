"""The doctor's words for every thing that can be missing, and the set-up of Excel on a registry that is a dictionary."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lm_xl.cli.app import main
from lm_xl.faults import Refused
from lm_xl.functions import doctor
from lm_xl.functions.addin import TEMPLATE, install, remove
from lm_xl.functions.doctor import Facts, findings
from lm_xl.functions.windows import (
    DEFENDER_RULES,
    ENVIRONMENT,
    EXCEL,
    OFFICE_POLICY,
    POLICY,
    SECURITY,
    TRUSTED,
    VARIABLE,
)

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
PIN = (
    next(r for r in PROJECT["dependencies"] if r.startswith("xlwings==")).split("==")[1].split(";")[0].strip()
)
PYTHON = r"C:\Work\.venv\Scripts\python.exe"
WELL = Facts(
    "Windows", "3.12.1", PYTHON, PIN, PIN, Path(TEMPLATE), True, (f"xlwings64-{PIN}.dll", f"xlwings32-{PIN}.dll"),
    r"C:\Office\EXCEL.EXE", PYTHON.upper(), 2,
)  # fmt: skip


class Registry:
    """A registry in memory."""

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, str | int]] = {}
        self.announced = 0

    def value(self, key: str, name: str) -> str | int | None:
        return self.keys.get(key, {}).get(name)

    def subkeys(self, key: str) -> Sequence[str]:
        return [k.removeprefix(key + "\\") for k in self.keys if k.startswith(key + "\\")]

    def write(self, key: str, name: str, value: str | int) -> None:
        self.keys.setdefault(key, {})[name] = value

    def delete(self, key: str, name: str | None = None) -> None:
        del (self.keys if name is None else self.keys[key])[name or key]

    def announce(self) -> None:
        self.announced += 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"wanted": None}, "lm_xl as an installed package"),
        ({"xlwings": None}, f"xlwings {PIN}: it is not installed"),
        ({"xlwings": "0.33.1"}, f"xlwings {PIN}: 0.33.1 is installed"),
        ({"pywin32": False}, "pip install pywin32"),
        ({"dlls": (f"xlwings32-{PIN}.dll",)}, "xlwings64-0.37.8.dll beside Python"),
        ({"excel": None}, "Microsoft Excel"),
        ({"variable": None}, "Run: lm-xl addin install"),
        ({"variable": r"C:\Old\python.exe"}, r"names another Python (C:\Old\python.exe)"),
        ({"macros": 3}, "only signed macros may run"),
        ({"macros": 4}, "macros are switched off"),
        ({"template": None}, "lm-xl template"),
        ({"made_for": "win-arm64"}, "this one is for ARM"),
        ({"made_for": "win32"}, "Excel itself may be of 32 bits"),
        ({"rules": (doctor.CHILDREN,)}, f"allow it for Excel and {PYTHON}"),
        ({"rules": (doctor.API_CALLS,)}, "macros may not call Windows"),
        ({"rules": ("vba",)}, "switched off for all of Office"),
        ({"onedrive": ("C:\\Cloud\\",)}, "OneDrive keeps C:\\Cloud\\"),
    ],
)
def test_each_thing_that_is_missing_is_told_and_nothing_else(change: dict[str, object], words: str) -> None:
    assert all(f.there for f in findings(WELL))
    missing = [f for f in findings(replace(WELL, **change)) if f.there is False]  # type: ignore[arg-type]
    assert len(missing) == 1
    assert words in str(missing[0])
    assert str(missing[0]).startswith("missing: ")


@pytest.mark.parametrize("rule", ["internet", "locations", "users"])
def test_a_rule_that_can_be_got_round_is_told_and_stops_nothing(rule: str) -> None:
    found = findings(replace(WELL, rules=(rule,)))
    assert [str(f) for f in found if not f.there] == [f for f in map(str, found) if f.startswith("note:")]
    assert doctor.RULES[rule][0] in str(found)
    stopped = findings(replace(WELL, rules=(rule,), macros=4, trusted=("C:\\Work\\",)))
    assert any(f.there is False for f in stopped) is (rule != "internet")


def test_a_trusted_folder_stands_in_for_the_leave_to_run_macros() -> None:
    assert all(f.there for f in findings(replace(WELL, macros=4, trusted=("C:\\Work\\",))))


@pytest.mark.parametrize(("system", "words"), [("Linux", "Excel for the web"), ("Darwin", "Excel for Mac")])
def test_elsewhere_it_says_what_works_and_checks_what_it_can(system: str, words: str) -> None:
    found = findings(Facts(system, "3.12.1", "/usr/bin/python3", PIN, PIN, None))
    assert [f.there for f in found] == [True, True, None, False]
    assert "need Excel on Windows" in str(found[2])
    assert words in str(found[2])


def test_what_is_looked_at_on_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "Scripts").mkdir()
    (tmp_path / f"xlwings64-{PIN}.dll").touch()
    monkeypatch.setattr("platform.system", lambda: "Windows")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "Scripts" / "python.exe"))
    windows = Registry()
    windows.write(EXCEL, "", r"C:\Office\EXCEL.EXE")
    windows.write(ENVIRONMENT, VARIABLE, PYTHON)
    windows.write(SECURITY, "VBAWarnings", 1)
    windows.write(POLICY, "VBAWarnings", 4)
    windows.write(POLICY, "blockcontentexecutionfrominternet", 1)
    windows.write(OFFICE_POLICY, "VBAOff", 1)
    windows.write(OFFICE_POLICY + r"\Security\Trusted Locations", "allow user locations", 0)
    windows.write(POLICY + r"\Trusted Locations", "AllLocationsDisabled", 1)
    windows.write(DEFENDER_RULES, doctor.CHILDREN, "1")
    windows.write(DEFENDER_RULES, doctor.API_CALLS, "2")  # which is to tell of it and no more
    monkeypatch.setenv("OneDrive", "C:\\Work")
    windows.write(TRUSTED + r"\Location0", "Path", "C:\\Other\\")
    windows.write(TRUSTED + r"\Location1", "Path", "C:\\Work\\")
    windows.write(TRUSTED + r"\Location1", "Description", "lm_xl")
    monkeypatch.setattr("importlib.metadata.requires", lambda name: PROJECT["dependencies"])
    seen = doctor.facts(windows)
    assert (
        seen.wanted == seen.xlwings is not None
    )  # the one that our package names is the one installed beside it
    assert seen.rules == (doctor.CHILDREN, "vba", "internet", "locations", "users")
    assert seen.dlls == (f"xlwings64-{PIN}.dll",)
    assert (seen.excel, seen.variable, seen.macros, seen.trusted) == (
        r"C:\Office\EXCEL.EXE",
        PYTHON,
        4,
        ("C:\\Work\\",),
    )


def test_install_and_remove_are_each_others_opposite(tmp_path: Path) -> None:
    template = tmp_path / "shipped.xlsm"
    template.write_bytes(b"template")
    folder = tmp_path / "mine"
    folder.mkdir()
    windows = Registry()
    windows.write(TRUSTED + r"\Location0", "Path", "C:\\Other\\")
    before = {key: dict(values) for key, values in windows.keys.items()}
    told = "\n".join(install(windows, PYTHON, template, folder, trust=True))
    assert windows.value(ENVIRONMENT, VARIABLE) == PYTHON
    assert windows.keys[TRUSTED + r"\Location1"] == {
        "Path": f"{folder}\\",
        "Description": "lm_xl",
        "AllowSubfolders": 0,
    }
    assert (folder / TEMPLATE).read_bytes() == b"template"
    assert windows.announced == 1
    assert all(
        words in told for words in (VARIABLE, str(folder / TEMPLATE), "without asking", "start Excel again")
    )
    told = "\n".join(install(windows, r"C:\New\python.exe", template, folder, trust=True, force=True))
    assert f"named {PYTHON} before" in told and "trusts" in told
    assert len(windows.subkeys(TRUSTED)) == 2
    assert len(remove(windows)) == 2
    assert {key: values for key, values in windows.keys.items() if values} == before
    assert (folder / TEMPLATE).exists()
    assert remove(windows) == ["nothing was set, so nothing was taken back"]


def test_nothing_is_set_where_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / TEMPLATE).touch()
    windows = Registry()
    with pytest.raises(Refused, match="no such folder") as refused:
        install(windows, PYTHON, tmp_path / "none.xlsm", tmp_path / "none")
    assert len(refused.value.faults) == 2
    with pytest.raises(Refused, match="network"):
        install(windows, PYTHON, tmp_path / TEMPLATE, Path("//server/share"), trust=True)
    cloud = {"OneDriveCommercial": str(tmp_path)}
    with pytest.raises(Refused, match="kept by OneDrive"):
        install(windows, PYTHON, tmp_path / TEMPLATE, tmp_path, environment=cloud, trust=True)
    with pytest.raises(Refused, match="LOCALAPPDATA"):
        install(windows, PYTHON, tmp_path / TEMPLATE, environment={})
    assert windows.keys == {}


def test_without_a_folder_the_copy_is_in_the_users_local_data_and_an_edited_one_stays(tmp_path: Path) -> None:
    template, copy = tmp_path / "shipped.xlsm", tmp_path / "lm_xl" / TEMPLATE
    template.write_bytes(b"template")
    windows, environment = Registry(), {"LOCALAPPDATA": str(tmp_path)}
    told = "\n".join(install(windows, PYTHON, template, environment=environment, trust=True))
    assert copy.read_bytes() == b"template" and str(copy) in told
    assert windows.value(TRUSTED + r"\Location0", "Path") == f"{copy.parent}\\"
    copy.write_bytes(b"edited")
    told = "\n".join(install(windows, PYTHON, template, environment=environment))
    assert copy.read_bytes() == b"edited" and "stays; --force replaces it" in told
    install(windows, PYTHON, template, environment=environment, force=True)
    assert copy.read_bytes() == b"template"


def test_the_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["lm-xl", *words])
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0), "".join(capsys.readouterr())
        return 0, "".join(capsys.readouterr())

    monkeypatch.setattr(doctor, "facts", lambda: WELL)
    assert run("doctor")[0] == 0
    monkeypatch.setattr(doctor, "facts", lambda: replace(WELL, variable=None))
    code, said = run("doctor")
    assert code == 4 and "lm-xl addin install" in said
    code, said = run("addin", "install")
    assert code == 1 and "need Windows" in said
    assert run("addin", "remove")[0] == 1
    windows = Registry()
    monkeypatch.setattr("lm_xl.functions.windows.windows_registry", lambda: windows)
    assert run("addin", "install")[0] == 0 and windows.value(ENVIRONMENT, VARIABLE) == sys.executable
    assert (tmp_path / "lm_xl" / TEMPLATE).exists()
    assert run("addin", "remove")[0] == 0 and windows.value(ENVIRONMENT, VARIABLE) is None
