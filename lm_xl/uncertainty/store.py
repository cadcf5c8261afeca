"""The draws on disk, block by block: an interrupted run goes on where it stopped."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path

import numpy as np

from lm_xl.model.ops import Array
from lm_xl.uncertainty.draws import BLOCK
from lm_xl.uncertainty.limits import refusal_of
from lm_xl.uncertainty.plan import DrawPlan


class DrawStore:
    """Three files: what is kept, its causes, and which blocks are done.

    They hold (run, block, year, column, draw), (run, block, stream, result) and (run, block).
    """

    def __init__(self, folder: Path, plan: DrawPlan, blocks: int) -> None:
        columns = 1 + max(i for members in plan.kept for i in members)
        runs = len(plan.scenarios)
        self.draws = (runs, blocks, plan.shape[-1], columns, BLOCK)
        self.causes = (runs, blocks, len(plan.streams), len(plan.kept))
        self.paths = tuple(folder / name for name in ("draws", "causes", "done"))
        self.sizes = 8 * prod(self.draws), 8 * prod(self.causes), prod(self.draws[:2])

    def is_complete(self) -> bool:
        """Whether all files are there in full."""
        found = zip(self.paths, self.sizes, strict=True)
        return all(path.is_file() and path.stat().st_size == size for path, size in found)

    def create(self) -> None:
        """Make the files, empty but in full length."""
        for path, size in zip(self.paths, self.sizes, strict=True):
            with path.open("wb") as file:
                file.truncate(size)

    def done(self) -> Array:
        """Which blocks of which run are there: (run, block)."""
        return np.fromfile(self.paths[2], dtype=bool).reshape(self.draws[:2])

    def write(self, run: int, number: int, kept: Array, causes: Array) -> None:
        """Write a block."""
        at = run * self.draws[1] + number
        # That it is done comes last: a block that was cut short counts as not there.
        for path, content in zip(self.paths, (kept, causes, np.array([True])), strict=True):
            with path.open("r+b", buffering=0) as file:
                file.seek(at * content.nbytes)
                file.write(np.ascontiguousarray(content).data)

    def columns(self, run: int, first: int, count: int, year: int, blocks: int) -> Array:
        """The draws of some columns in one year: (column, draw)."""
        _, of_run, years, columns, _ = self.draws
        out = np.empty((count, blocks, BLOCK))
        with self.paths[0].open("rb", buffering=0) as file:
            for number in range(blocks):
                file.seek(8 * BLOCK * (((run * of_run + number) * years + year) * columns + first))
                out[:, number] = np.fromfile(file, dtype=float, count=count * BLOCK).reshape(count, BLOCK)
        return out.reshape(count, -1)

    def block(self, run: int, number: int) -> Array:
        """The draws of one block: (year, column, draw)."""
        return _part(self.paths[0], self.draws, run, number)

    def causes_of(self, run: int, number: int) -> Array:
        """The rank correlations of one block: (stream, result)."""
        return _part(self.paths[1], self.causes, run, number)


def _part(path: Path, shape: tuple[int, ...], run: int, number: int) -> Array:
    """One block of a file of numbers."""
    size = prod(shape[2:])
    offset = 8 * size * (run * shape[1] + number)
    return np.fromfile(path, dtype=float, count=size, offset=offset).reshape(shape[2:])


@contextmanager
def opened_store(
    store: str | Path | None, plan: DrawPlan, blocks: int, stamp: dict[str, str]
) -> Iterator[DrawStore]:
    """A passing folder of draws, or one that stays when the run is interrupted. Raises Refused."""
    if store is None:
        with tempfile.TemporaryDirectory(prefix="lm_xl-") as passing:
            kept = DrawStore(Path(passing), plan, blocks)
            _demand_space(Path(passing), kept)
            kept.create()
            yield kept
        return
    folder = Path(store)
    kept = DrawStore(folder, plan, blocks)
    runs = "; ".join(scenario.name for scenario in plan.scenarios)
    _claim(folder, kept, {**stamp, "scenarios": runs, "blocks": str(blocks)})
    try:
        if not kept.is_complete():
            kept.create()
        yield kept
    except FileNotFoundError as gone:
        if Path(gone.filename or "") not in kept.paths:
            raise
        who = "another run with the same output has ended, or somebody removed it"
        raise refusal_of(folder.name, f"was removed while draws were made: {who}; run again") from None
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _claim(folder: Path, kept: DrawStore, wanted: dict[str, str]) -> None:
    """Make a folder of draws with its manifest, or find the same run's. Raises Refused.

    The manifest comes first, and whole: a folder that has one but not all of its files starts anew.
    """
    manifest, draft = folder / "manifest.json", folder / "manifest.new"
    if manifest.exists():
        _demand_same(folder, manifest, wanted)
        return
    if folder.exists() and (not folder.is_dir() or any(path != draft for path in folder.iterdir())):
        raise refusal_of(folder.name, "is no folder of draws: give another name")
    if not folder.absolute().parent.is_dir():
        raise refusal_of(folder.name, f"cannot be made: there is no folder {folder.parent}")
    _demand_space(folder.absolute().parent, kept)
    folder.mkdir(exist_ok=True)
    draft.write_text(json.dumps(wanted, indent=1), encoding="utf-8")
    draft.replace(manifest)


def _demand_same(folder: Path, manifest: Path, wanted: dict[str, str]) -> None:
    try:
        found = dict(json.loads(manifest.read_text(encoding="utf-8")).items())
    except (ValueError, AttributeError):
        told = f"its {manifest.name} is damaged: remove the folder, or give another name"
        raise refusal_of(folder.name, told) from None
    for name in sorted({*wanted, *found}):
        if found.get(name) != wanted.get(name):
            told = f"its {name} is {found.get(name)!r}, not {wanted.get(name)!r}"
            raise refusal_of(
                folder.name,
                f"holds the draws of another run: {told}; remove the folder, or run that one to its end",
            )


def _demand_space(folder: Path, kept: DrawStore) -> None:
    size, free = sum(kept.sizes[:2]), shutil.disk_usage(folder).free
    if size > free:
        told = f"the draws need {size / 1e9:,.1f} GB, {free / 1e9:,.1f} GB are free: ask for fewer draws"
        raise refusal_of(str(folder), told)
