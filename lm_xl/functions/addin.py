"""Setting Excel on Windows up for the functions, and taking that back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from lm_xl.faults import Fault, Refused
from lm_xl.files import replacing
from lm_xl.functions.windows import ENVIRONMENT, OURS, TRUSTED, VARIABLE, Windows, our_keys

TEMPLATE = "lm_template.xlsm"
"""The template as it is shipped and copied."""


def own_folder(environment: Mapping[str, str]) -> Path:
    """The folder of the copy of the template, in the user's local data: Documents may be kept by OneDrive. Raises Refused."""
    local = environment.get("LOCALAPPDATA")
    if not local:
        words = "this user has no folder of local data (LOCALAPPDATA): name a folder with --to"
        raise Refused([Fault("lm-xl addin", "", "", words)])
    return Path(local) / "lm_xl"


def kept_by_onedrive(folder: Path, environment: Mapping[str, str]) -> bool:
    """Whether OneDrive keeps a folder, whose files Excel then opens from the web."""
    roots = [environment.get(name) for name in ("OneDrive", "OneDriveCommercial", "OneDriveConsumer")]
    return any(root and folder.absolute().is_relative_to(Path(root).absolute()) for root in roots)


def install(
    windows: Windows,
    interpreter: str,
    template: Path,
    folder: Path | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    trust: bool = False,
    force: bool = False,
) -> list[str]:
    """Let Excel find this Python; copy the template to a folder, by default one of lm_xl's own; have Excel trust it if asked to.

    A copy that is there already stays unless `force` is given. Returns what was done, in words. Raises Refused, before anything is done, where
    the folder that is named or the template is not there, or a folder of a network or of OneDrive is to be trusted.
    """
    named, folder = folder is not None, folder or own_folder(environment)
    faults = _folder_faults(folder, template, environment, named=named, trust=trust)
    if faults:
        raise Refused(faults)
    folder.mkdir(exist_ok=True)
    done = []
    before = windows.value(ENVIRONMENT, VARIABLE)
    windows.write(ENVIRONMENT, VARIABLE, interpreter)
    windows.announce()
    was = f" (it named {before} before)" if before not in (None, interpreter) else ""
    done.append(f"{VARIABLE} of your environment names {interpreter}{was}; lm-xl addin remove takes it back")
    copy = folder / TEMPLATE
    if copy.exists() and not force:
        done.append(f"{copy} is there already and stays; --force replaces it")
    else:
        with replacing(copy, force=force) as draft:
            shutil.copyfile(template, draft)
        done.append(f"{copy} is your copy of the template")
    if trust:
        done.append(_trust(windows, folder))
    done.append("start Excel again, so that it sees this")
    return done


def _folder_faults(
    folder: Path, template: Path, environment: Mapping[str, str], *, named: bool, trust: bool
) -> list[Fault]:
    """Why the template cannot be copied to a folder, or the folder not be trusted."""
    faults = []
    if named and not folder.is_dir():
        faults.append((str(folder), "there is no such folder: make it first, or leave --to out"))
    if not template.exists():
        build = f"build it with lm-xl template -o {TEMPLATE}"
        faults.append((template.name, f"is not in this installation: {build}"))
    if trust and str(folder).startswith(("\\\\", "//")):
        faults.append(
            (str(folder), "is on a network, which Excel does not trust: name a folder of this computer")
        )
    elif trust and kept_by_onedrive(folder, environment):
        why = "is kept by OneDrive, from which Excel opens files as of the web, which it does not trust"
        faults.append((str(folder), f"{why}: leave --to out"))
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
