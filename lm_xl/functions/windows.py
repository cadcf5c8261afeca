"""The part of Windows that is read and changed: the registry, where Excel and the user's environment keep their settings."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Sequence
from typing import Any, Protocol

from lm_xl.faults import Fault, Refused

ENVIRONMENT = r"HKCU\Environment"
EXCEL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
SECURITY = r"HKCU\Software\Microsoft\Office\16.0\Excel\Security"
POLICY = r"HKCU\Software\Policies\Microsoft\Office\16.0\Excel\Security"
OFFICE_POLICY = r"HKCU\Software\Policies\Microsoft\Office\16.0\Common"
DEFENDER_RULES = r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules"
"""Where Defender keeps the rules of a company, each with its state: 0 off, 1 block, 2 audit, 5 not configured, 6 warn."""
TRUSTED = SECURITY + r"\Trusted Locations"
VARIABLE = "LM_XL_PYTHON"
"""The user's environment variable that names the Python that answers Excel."""
OURS = "lm_xl"
"""The description that marks a trusted folder as ours."""


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


def our_keys(windows: Windows) -> list[str]:
    """The keys of the folders that Excel trusts because we asked it to."""
    keys = [f"{TRUSTED}\\{name}" for name in windows.subkeys(TRUSTED)]
    return [key for key in keys if windows.value(key, "Description") == OURS]


def windows_registry() -> Windows:
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
