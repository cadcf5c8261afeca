"""What keeps the code readable: import arrows, docstrings, no numbers in stages, one name for a thing, light imports."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lm_xl
from lm_xl import schema, stages
from lm_xl.cli import cli
from lm_xl.model import STAGES

PACKAGE = Path(lm_xl.__file__).parent
MODULES = {".".join(p.relative_to(PACKAGE).with_suffix("").parts): ast.parse(p.read_text()) for p in PACKAGE.rglob("*.py")}

ORDER = [
    "version", "axes", "schema", "faults", "formulas", "ops", "stages", "sheets", "assumptions", "uncertain", "reader", "results", "model", "draws", "simulation", "engines",
    "workbook.report", "workbook.styles", "workbook.inputs", "workbook.layout", "workbook.state", "workbook.prose", "workbook.triangulation", "workbook.drivers", "workbook.as_built", "workbook.checks",
    "comparison", "drivers", "difference", "swings", "workbook.trace", "workbook.charts", "workbook.pages", "workbook.form", "workbook.stored", "workbook.analyses", "workbook.build", "verification", "doctor", "functions.registry", "functions.tables", "functions.models", "functions.calls", "functions.plain", "functions.reference", "functions.headless", "functions.lite", "functions.com", "functions.vba", "workbook.template", "data", "inspection", "rules", "audit", "cli",
]  # fmt: skip
"""A module imports only from those before it."""

READERS_AND_WRITERS = {"engines", "verification", "inspection", "rules", "functions.headless"}

RETIRED = {
    "df": "a frame has a name", "lm_incidence": "lm_cases", "uptake_curve": "uptake", "price_net": "net_price", "gtn": "gross_to_net",
    "pos": "probability_of_success", "therapy_share": "share", "utils": "a module has a subject", "helpers": "a module has a subject", "tmp": "say what it is",
}  # fmt: skip


def imports(tree: ast.AST, *, top_only: bool = False) -> set[str]:
    nodes = tree.body if top_only and isinstance(tree, ast.Module) else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{n.name}" if node.module in ("lm_xl", "lm_xl.workbook") else node.module for n in node.names}
        elif isinstance(node, ast.Import):
            found |= {n.name for n in node.names}
    return found


def test_nothing_points_back() -> None:
    named = {m for m in MODULES if m.rpartition(".")[2] != "__init__"}
    assert named == set(ORDER)
    for module in ORDER:
        for target in imports(MODULES[module], top_only=True):
            if target.startswith("lm_xl."):
                name = target.removeprefix("lm_xl.")
                assert ORDER.index(name) < ORDER.index(module), f"{module} imports {name}"


def test_only_the_reader_and_the_writer_know_openpyxl() -> None:
    for module, tree in MODULES.items():
        if any(t.split(".")[0] == "openpyxl" for t in imports(tree)):
            assert module.startswith("workbook.") or module in READERS_AND_WRITERS, module


def test_every_public_thing_says_what_it_is() -> None:
    for module, tree in MODULES.items():
        assert ast.get_docstring(tree), module
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and node in tree.body:
                assert ast.get_docstring(node), f"{module}.{node.name}"


def test_no_number_stands_in_a_stage_but_0_and_1() -> None:
    numbers = {n.value for n in ast.walk(MODULES["stages"]) if isinstance(n, ast.Constant) and isinstance(n.value, int | float)}
    assert numbers <= {0, 1}


def test_stages_and_schema_tell_of_the_same_things() -> None:
    functions = [n for n, f in inspect.getmembers(stages, inspect.isfunction) if f.__module__ == "lm_xl.stages"]
    assert set(functions) == set(schema.OUTPUTS) == set(STAGES)
    structure = {"year", "rest_of", "is_entrant", "is_rest", "is_protected"}
    taken = {t for _, takes in STAGES.values() for t in takes}
    assert taken - structure - set(schema.OUTPUTS) == set(schema.QUANTITIES) - {"first_year", "last_year"}
    for output in schema.OUTPUTS.values():
        assert output.dims == tuple(sorted(output.dims))
        assert output.meaning
    for quantity in schema.QUANTITIES.values():
        assert quantity.sheet in schema.SHEETS
        assert quantity.least < quantity.most
        assert not quantity.moves or quantity.sheet in schema.MOVING_SHEETS


def test_retired_names_stay_retired() -> None:
    for module, tree in MODULES.items():
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
        assert not names & set(RETIRED), module
        assert not set(module.split(".")) & set(RETIRED)


def test_every_shipped_row_is_used_and_sourced(shipped: lm_xl.Assumptions) -> None:
    idle = {i for i, r in enumerate(shipped.rows) if r.inputs} - shipped.used()
    assert not [shipped.rows[i].place for i in idle]
    assert all(r.sources and r.unit and r.status and r.note for r in shipped.rows)
    assert all(d.reason and d.sources for d in shipped.deltas)
    cited = {s for r in (*shipped.rows, *shipped.deltas, *shipped.published, *shipped.currencies) for s in r.sources}
    assert cited == set(shipped.sources)
    assert sum(r.status == "placeholder" for r in shipped.rows) / len(shipped.rows) < 0.05


@pytest.mark.parametrize("statement", ["import lm_xl", "import lm_xl.schema, lm_xl.cli"])
def test_imports_stay_light(statement: str) -> None:
    code = f"import sys; {statement}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "openpyxl", "scipy", "formualizer", "xlwings", "rich"} & set(loaded)


def test_the_forecast_needs_no_pandas() -> None:
    code = "import sys, lm_xl; lm_xl.forecast, lm_xl.Results; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "openpyxl", "scipy", "formualizer"} & set(loaded)


def test_readme_names_what_exists() -> None:
    readme = (PACKAGE.parent / "README.md").read_text()
    for command in re.findall(r"lm-xl (\w+)", readme):
        assert command in set(cli.commands), command
    for path in re.findall(r"\]\(((?:docs|tests|workbooks|lm_xl)/[^)#]+)\)", readme):
        assert (PACKAGE.parent / path).exists(), path
