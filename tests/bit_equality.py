"""Whether this checkout computes and writes what another revision does, to the bit: python tests/bit_equality.py REVISION

Compared are the forecast, a simulation, a bridge and a tornado of the shipped assumptions, and every part of the built
workbook and of both templates, their formulas apart; docProps, which hold the time of making, are left out.
Ends with exit code 1 where anything differs, and names it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent
DRAWS = 1_024


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def arrays(name: str, found: dict[str, Any]) -> dict[str, str]:
    return {f"{name} {key}": digest(x.tobytes()) for key, x in found.items() if hasattr(x, "tobytes")}


def parts(path: Path) -> dict[str, str]:
    """Every part of a package but docProps, and the formulas of each sheet once more by themselves."""
    found = {}
    with zipfile.ZipFile(path) as package:
        for name in sorted(package.namelist()):
            if name.startswith("docProps/"):
                continue
            content = package.read(name)
            found[f"{path.name} {name}"] = digest(content)
            if name.startswith("xl/worksheets/sheet"):
                formulas = re.findall(rb'<c r="([A-Z0-9]+)"[^>]*>(<f[^>]*/?>[^<]*)', content)
                found[f"{path.name} {name} formulas"] = digest(repr(formulas).encode())
    return found


def computed() -> dict[str, str]:
    """What the package on the path makes of the shipped assumptions, as digests by name. Only public names are used."""
    import lm_xl

    assert Path(lm_xl.__file__).is_relative_to(Path.cwd()), f"{lm_xl.__file__} is not of this checkout"
    a = lm_xl.read_assumptions()
    found = arrays("forecast", dict(lm_xl.forecast(a, a.axes.scenarios).outputs))
    found |= arrays("simulation", vars(lm_xl.simulate(a, DRAWS, 7, a.axes.scenarios[:2])))
    tables = {
        "bridge": lm_xl.bridge(a),
        "bridge of scenarios": lm_xl.bridge(a, *a.axes.scenarios[:2]),
        "tornado": lm_xl.tornado(a),
    }
    found |= {
        name: digest(table.frame().to_csv(float_format="%.17g").encode()) for name, table in tables.items()
    }
    found |= {"fingerprint": a.fingerprint, "identity": a.identity, "spreads": a.uncertainty}
    with tempfile.TemporaryDirectory() as folder:
        built, live, lite = (
            Path(folder) / name for name in ("lm_forecast.xlsx", "lm_template.xlsm", "lm_template_lite.xlsx")
        )
        lm_xl.build(a, built, draws=DRAWS)
        for path, options in ((live, ()), (lite, ("--lite",))):
            command = ["-c", "from lm_xl.cli import main; main()", "template", "-o", str(path), *options]
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        for path in (built, live, lite):
            found |= parts(path)
    return found


def run_in(folder: Path) -> dict[str, str]:
    """The digests of a checkout, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, str(Path(__file__).resolve()), "--digests"]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "revision", nargs="?", default="HEAD", help="what git calls it; without it the last commit"
    )
    parser.add_argument(
        "--digests", action="store_true", help="print the digests of the package on the path as JSON"
    )
    asked = parser.parse_args()
    if asked.digests:
        print(json.dumps(computed()))
        return
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder) / "before"
        subprocess.run(
            ["git", "worktree", "add", "-q", "--detach", str(before), asked.revision], cwd=HERE, check=True
        )
        try:
            then = run_in(before)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(before)], cwd=HERE, check=True)
    now = run_in(HERE)
    different = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    for name in different:
        print(f"differs: {name}{'' if name in then else ' (new)'}{'' if name in now else ' (gone)'}")
    print(f"{len(now) - len(different)} of {len({*then, *now})} digests equal to those of {asked.revision}")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
