"""Setting Excel on Windows up for the functions, and taking that back."""

from __future__ import annotations

import shutil
from pathlib import Path

from lm_xl.faults import Fault, Refused
from lm_xl.files import replacing
from lm_xl.functions.windows import ENVIRONMENT, OURS, TRUSTED, VARIABLE, Windows, our_keys

TEMPLATE = "lm_template.xlsm"
"""The template as it is shipped and copied."""


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
    if folder is not None:
        faults = _folder_faults(folder, template, trust=trust, force=force)
        if faults:
            raise Refused(faults)
    done = []
    before = windows.value(ENVIRONMENT, VARIABLE)
    windows.write(ENVIRONMENT, VARIABLE, interpreter)
    windows.announce()
    was = f" (it named {before} before)" if before not in (None, interpreter) else ""
    done.append(f"{VARIABLE} of your environment names {interpreter}{was}; lm-xl addin remove takes it back")
    if folder is not None:
        with replacing(folder / TEMPLATE, force=force) as draft:
            shutil.copyfile(template, draft)
        done.append(f"{folder / TEMPLATE} is your copy of the template")
        if trust:
            done.append(_trust(windows, folder))
    done.append("start Excel again, so that it sees this")
    return done


def _folder_faults(folder: Path, template: Path, *, trust: bool, force: bool) -> list[Fault]:
    """Why the template cannot be copied to a folder, or the folder not be trusted."""
    copy, faults = folder / TEMPLATE, []
    if not folder.is_dir():
        faults.append((str(folder), "there is no such folder: make it first, or name another with --to"))
    elif copy.exists() and not force:
        faults.append((str(copy), "exists already: give --force to replace it"))
    if not template.exists():
        build = f"build it with lm-xl template -o {TEMPLATE}"
        faults.append((template.name, f"is not in this installation: {build}"))
    if trust and str(folder).startswith(("\\\\", "//")):
        instead = "name a folder of this computer"
        faults.append((str(folder), f"is on a network, which Excel does not trust: {instead}"))
    return [Fault(file, "", "", message) for file, message in faults]


def remove(windows: Windows) -> list[str]:
    """Take back what `install` set: the variable and the trusted folders. Copies of the template stay."""
    done = []
    if windows.value(ENVIRONMENT, VARIABLE) is not None:
        windows.delete(ENVIRONMENT, VARIABLE)
        windows.announce()
        done.append(f"{VARIABLE} is no longer in your environment")
    for key in our_keys(windows):
        done.append(f"{windows.value(key, 'Path')} is no longer a trusted folder")
        windows.delete(key)
    return done or ["nothing was set, so nothing was taken back"]


def _trust(windows: Windows, folder: Path) -> str:
    """Have Excel trust a folder, under the first number that no other trusted folder has."""
    path = str(folder.resolve()).rstrip("\\/") + "\\"
    if any(str(windows.value(key, "Path")).casefold() == path.casefold() for key in our_keys(windows)):
        return f"Excel trusts {path} already"
    taken = {name.casefold() for name in windows.subkeys(TRUSTED)}
    key = next(f"Location{n}" for n in range(len(taken) + 1) if f"location{n}" not in taken)
    windows.write(f"{TRUSTED}\\{key}", "Path", path)
    windows.write(f"{TRUSTED}\\{key}", "Description", OURS)
    windows.write(f"{TRUSTED}\\{key}", "AllowSubfolders", 0)
    meaning = "macros of any workbook in it run without asking; lm-xl addin remove takes it back"
    return f"Excel trusts {path}: {meaning}"
