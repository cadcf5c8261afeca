"""What keeps the code readable: import arrows, docstrings, no numbers in stages, one name for a thing, light imports."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import lm_xl
from lm_xl.assumptions.columns import MOVING_SHEETS, SHEETS
from lm_xl.cli.app import cli
from lm_xl.model import stages
from lm_xl.model.evaluate import STAGES
from lm_xl.model.outputs import OUTPUTS
from lm_xl.model.quantities import QUANTITIES

PACKAGE = Path(lm_xl.__file__).parent
MODULES = {
    ".".join(p.relative_to(PACKAGE).with_suffix("").parts): ast.parse(p.read_text())
    for p in PACKAGE.rglob("*.py")
}

ROOMS = (
    "model",
    "xlsx",
    "assumptions",
    "forecasts",
    "uncertainty",
    "workbook",
    ("functions", "audit"),
    "cli",
)
"""A room imports only from those before it, and from the modules at the door: version, faults, files."""

WITH_OPENPYXL = (
    "xlsx",
    "workbook",
    "functions.template",
    "functions.headless",
    "functions.formulas",
    "audit",
)

RETIRED = {
    "df": "a frame has a name", "lm_incidence": "lm_cases", "uptake_curve": "uptake", "price_net": "net_price", "gtn": "gross_to_net",
    "pos": "probability_of_success", "therapy_share": "share", "utils": "a module has a subject", "helpers": "a module has a subject", "tmp": "say what it is",
}  # fmt: skip


def imports(tree: ast.AST) -> set[str]:
    """Every module that is imported anywhere in another one, also in functions and for types alone."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                found.add(inner if inner.removeprefix("lm_xl.") in MODULES else node.module)
        elif isinstance(node, ast.Import):
            found |= {n.name for n in node.names}
    return found


def within(module: str) -> set[str]:
    """The modules of the package that one of them imports."""
    return {t.removeprefix("lm_xl.") for t in imports(MODULES[module]) if t.startswith("lm_xl.")}


def floor(module: str) -> tuple[int, str]:
    """How far up a module's room stands, and the room."""
    room = module.partition(".")[0] if "." in module else ""
    return next(
        (i for i, at in enumerate(ROOMS) if room == at or (room in at and not isinstance(at, str))), -1
    ), room


def test_nothing_points_back() -> None:
    modules = [m for m in MODULES if m != "__init__"]
    for module in modules:
        for target in within(module):
            (here, room), (there, other) = floor(module), floor(target)
            assert there < here or room == other, f"{module} imports {target}"
    assert not [m for m in modules if floor(m)[0] < 0 and m not in ("version", "faults", "files")]


def test_no_imports_run_in_a_circle() -> None:
    tuple(TopologicalSorter({m: within(m) for m in MODULES if m != "__init__"}).static_order())


def test_only_the_reader_and_the_writer_know_openpyxl() -> None:
    for module, tree in MODULES.items():
        if any(t.split(".")[0] == "openpyxl" for t in imports(tree)):
            assert module.startswith(WITH_OPENPYXL), module


def test_every_public_thing_says_what_it_is() -> None:
    for module, tree in MODULES.items():
        assert ast.get_docstring(tree), module
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.FunctionDef | ast.ClassDef)
                and not node.name.startswith("_")
                and node in tree.body
            ):
                assert ast.get_docstring(node), f"{module}.{node.name}"


def test_no_number_stands_in_a_stage_but_0_and_1() -> None:
    numbers = {
        n.value
        for n in ast.walk(MODULES["model.stages"])
        if isinstance(n, ast.Constant) and isinstance(n.value, int | float)
    }
    assert numbers <= {0, 1}


def test_stages_and_schema_tell_of_the_same_things() -> None:
    functions = [
        n for n, f in inspect.getmembers(stages, inspect.isfunction) if f.__module__ == "lm_xl.model.stages"
    ]
    assert set(functions) == set(OUTPUTS) == set(STAGES)
    structure = {"year", "rest_of", "is_entrant", "is_rest", "is_protected"}
    taken = {t for _, takes in STAGES.values() for t in takes}
    assert taken - structure - set(OUTPUTS) == set(QUANTITIES) - {"first_year", "last_year"}
    for output in OUTPUTS.values():
        assert output.dims == tuple(sorted(output.dims))
        assert output.meaning
    for quantity in QUANTITIES.values():
        assert quantity.sheet in SHEETS
        assert quantity.least < quantity.most
        assert not quantity.moves or quantity.sheet in MOVING_SHEETS


def test_retired_names_stay_retired() -> None:
    for module, tree in MODULES.items():
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {
            n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)
        }
        assert not names & set(RETIRED), module
        assert not set(module.split(".")) & set(RETIRED)


def test_every_shipped_row_is_used_and_sourced(shipped: lm_xl.Assumptions) -> None:
    idle = {i for i, r in enumerate(shipped.rows) if r.inputs} - shipped.used()
    assert not [shipped.rows[i].place for i in idle]
    assert all(r.sources and r.unit and r.status and r.note for r in shipped.rows)
    assert all(d.reason and d.sources for d in shipped.deltas)
    cited = {
        s
        for r in (
            *shipped.rows,
            *shipped.deltas,
            *shipped.products,
            *shipped.published,
            *shipped.bands,
            *shipped.currencies,
        )
        for s in r.sources
    }
    assert cited == set(shipped.sources)
    assert sum(r.status == "placeholder" for r in shipped.rows) / len(shipped.rows) < 0.05


@pytest.mark.parametrize("statement", ["import lm_xl", "import lm_xl.model.quantities, lm_xl.cli"])
def test_imports_stay_light(statement: str) -> None:
    code = f"import sys; {statement}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "pandas", "openpyxl", "scipy", "formualizer", "xlwings", "rich"} & set(loaded)


def test_the_forecast_needs_no_pandas() -> None:
    code = "import sys, lm_xl; lm_xl.forecast, lm_xl.Results; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pandas", "openpyxl", "scipy", "formualizer"} & set(loaded)


def test_readme_names_what_exists() -> None:
    readme = (PACKAGE.parent / "README.md").read_text()
    for command in re.findall(r"lm-xl (\w+)", readme):
        assert command in set(cli.commands), command
    for path in re.findall(r"\]\(((?:docs|tests|workbooks|lm_xl)/[^)#]+)\)", readme):
        assert (PACKAGE.parent / path).exists(), path


def test_the_map_is_the_tree() -> None:
    """README's map names every room of the package, and nothing else; CONTRIBUTING names what exists."""
    root = PACKAGE.parent
    named = set(re.findall(r"^\| `(\S+)` \|", (root / "README.md").read_text(), re.M))
    rooms = {f"{p.parent.relative_to(root).as_posix()}/" for p in PACKAGE.rglob("__init__.py")} - {"lm_xl/"}
    rooms |= {
        f"{p.parent.relative_to(root).as_posix()}/" for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE
    }
    assert named == {*rooms, "tests/"}
    paths = re.findall(r"`((?:lm_xl|tests|docs|workbooks)/[\w./]+)`", (root / "CONTRIBUTING.md").read_text())
    assert len(paths) > 15
    assert not [path for path in paths if not (root / path).exists()]
