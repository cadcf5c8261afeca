"""Independent spreadsheet engines: cells in, recalculated values out."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from lm_xl.faults import EngineMissing
from lm_xl.xlsx.formula_cells import FormulaCells, engine

Address = tuple[str, int, int]
"""Sheet, row, column; rows and columns from 1."""
Extent = tuple[int, int]
"""Last row and last column of the part of a sheet that is read."""
Grid = dict[str, list[list[Any]]]
"""Sheet to its rows of values from A1 on."""


def recalculated(
    path: Path, edits: Sequence[Mapping[Address, Any]], areas: Mapping[str, Extent], engine: str
) -> Iterable[Grid]:
    """For each set of edits, the file's values after an engine recalculated all of it. The file itself stays as it is."""
    evaluate: Callable[..., Iterable[Grid]] = {"formualizer": _formualizer, "libreoffice": _libreoffice}[
        engine
    ]
    yield from evaluate(path, edits, areas)


def _formualizer(
    path: Path, edits: Sequence[Mapping[Address, Any]], areas: Mapping[str, Extent]
) -> Iterable[Grid]:
    book = FormulaCells(path)
    for edit in edits:
        for (sheet, row, column), value in edit.items():
            book.put(sheet, row, column, value)
        book.evaluate()
        yield {name: _values(book.workbook, name, extent) for name, extent in areas.items()}


def _values(workbook: Any, name: str, extent: Extent) -> list[list[Any]]:
    area = engine().RangeAddress(name, 1, 1, *extent)
    rows: list[list[Any]] = workbook.sheet(name).get_values(area)
    return rows


def _libreoffice(
    path: Path, edits: Sequence[Mapping[Address, Any]], areas: Mapping[str, Extent]
) -> Iterable[Grid]:
    import openpyxl

    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise EngineMissing(
            "LibreOffice is not installed: apt-get install libreoffice-calc-nogui, or use --engine formualizer"
        )
    workbook = openpyxl.load_workbook(
        BytesIO(path.read_bytes())
    )  # without stored values, so that LibreOffice has to compute them
    with tempfile.TemporaryDirectory() as folder:
        for i, edit in enumerate(edits):
            for (sheet, row, column), value in edit.items():
                workbook[sheet].cell(row, column).value = value
            source, target = Path(folder) / f"{i}.xlsx", Path(folder) / "out"
            workbook.save(source)
            done = subprocess.run(
                [program, "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", "xlsx", "--outdir", str(target), str(source)],
                capture_output=True, text=True, timeout=1200, check=False,
            )  # fmt: skip
            result = target / source.name
            if not result.exists():
                raise EngineMissing(
                    f"LibreOffice did not recalculate the file: {(done.stderr or done.stdout).strip()[-300:]}"
                )
            yield stored_values(result, areas)


def stored_values(path: Path, areas: Mapping[str, Extent]) -> Grid:
    """The values stored in a file, as a reader without an engine sees them."""
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_filelike(BytesIO(path.read_bytes()))  # whatever its name says
    grid = {}
    for name, (last_row, last_column) in areas.items():
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        grid[name] = [[*row[:last_column], *[None] * (last_column - len(row))] for row in rows[:last_row]]
        grid[name] += [[None] * last_column] * (last_row - len(rows))
    return grid
