"""One edit of each kind of cell on each sheet: what it moves says which of the digests move, and no store mixes what they tell apart."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import small

import lm_xl
from lm_xl.assumptions.columns import WANTED
from lm_xl.faults import Refused
from lm_xl.functions.models import Model
from lm_xl.functions.tables import read_grids

Grids = dict[str, list[list[Any]]]
Edit = Callable[[Grids], None]
NUMBERS, SPREADS, WORDS = "numbers", "spreads", "words"
"""What an edit moves: the forecast; the draws around it; what is told of either."""


def correlated(records: dict[str, list[dict[str, Any]]]) -> None:
    small.distinct(records)
    records["Sources"].append({**records["Sources"][0], "id": "TEST2"})
    records["Correlations"] = [
        {
            "quantity": "list_price", "segment": "Ray", "other_quantity": "lm_risk", "other_subtype": "Skin",
            "rank_correlation": 0.3, "source": "TEST", "status": "placeholder", "note": "made up",
        },
    ]  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.workbook(tmp_path_factory.mktemp("edited") / "whole.xlsx", small.DISTINCT, correlated)


@pytest.fixture(scope="module")
def whole(path: Path) -> Grids:
    """Each sheet as its rows from the header on."""
    book, grids = openpyxl.load_workbook(path, read_only=True), {}
    for sheet in WANTED:
        rows = [list(row) for row in book[sheet].iter_rows(min_row=5, values_only=True)]
        grids[sheet] = [rows[0], *(row for row in rows[1:] if any(x is not None for x in row))]
    return grids


def read(grids: Grids) -> lm_xl.Assumptions:
    return read_grids(list(grids.values()))


def put(sheet: str, column: str, value: Any, /, **keys: Any) -> Edit:
    """A value in a column of the first row with some keys; a function of the value that stands there."""

    def edit(grids: Grids) -> None:
        header, *rows = grids[sheet]
        row = next(r for r in rows if all(r[header.index(k)] == x for k, x in keys.items()))
        at = header.index(column)
        new = value(row[at]) if callable(value) else value
        assert new != row[at], "an edit that changes nothing"
        row[at] = new

    return edit


def more(x: float) -> float:
    return x * 1.01


def renamed(old: str, new: str) -> Edit:
    """A label by another name, wherever it stands."""

    def edit(grids: Grids) -> None:
        for rows in grids.values():
            for row in rows:
                row[:] = [new if x == old else x for x in row]

    return edit


def exchange(sheet: str, one: int, other: int) -> Edit:
    def edit(grids: Grids) -> None:
        rows = grids[sheet]
        rows[one], rows[other] = rows[other], rows[one]

    return edit


def all_years(grids: Grids) -> None:
    """A line over the years given as a number for each."""
    header, *rows = grids["Diagnosis"]
    row = next(r for r in rows if r[header.index("fill")] == "linear")
    first, last = header.index("2025"), header.index("2030")
    row[header.index("fill")] = "yearly"
    for at in range(first, last + 1):
        row[at] = row[first] if at < last else row[last]


def another_row(sheet: str, **changed: Any) -> Edit:
    def edit(grids: Grids) -> None:
        header, *rows = grids[sheet]
        row = list(rows[-1])
        for column, value in changed.items():
            row[header.index(column)] = value
        grids[sheet].append(row)

    return edit


EDITS: dict[str, tuple[str, Edit]] = {
    "a label": (NUMBERS, renamed("Ray", "Pure ray")),
    "a group": (NUMBERS, put("Axes", "groups", "Global; West", label="France")),
    "a kind": (NUMBERS, put("Axes", "groups", "Therapeutics; Total market", label="New drug")),
    "a note of a label": (WORDS, put("Axes", "note", "the United States", label="US")),
    "a year": (NUMBERS, put("Timeline", "value", 2024, quantity="index_year")),
    "a value": (NUMBERS, put("Epidemiology", "value", more, quantity="survival_exposure_growth")),
    "a late digit of a value": (NUMBERS, put("Epidemiology", "value", lambda x: x * (1 + 1e-13), quantity="lm_risk_growth")),
    "a value of a region": (NUMBERS, put("Epidemiology", "value", more, quantity="incidence_growth", region="Germany")),
    "a year's value": (NUMBERS, put("Treatment", "2027", more, quantity="treatment_rate", fill="yearly")),
    "an end of a line": (NUMBERS, put("Diagnosis", "2030", lambda x: x * 0.99, quantity="care_access", fill="linear")),
    "a fill": (NUMBERS, all_years),
    "never": (NUMBERS, put("Treatment", "value", 0.2, quantity="base_share", value="never")),
    "a launch": (NUMBERS, put("Launches", "value", 2026.5, quantity="planned_launch")),
    "a price": (NUMBERS, put("Pricing", "value", more, quantity="list_price", segment="Ray")),
    "a low": (SPREADS, put("Pricing", "low", lambda x: x * 0.99, quantity="list_price", segment="Ray")),
    "a high": (SPREADS, put("Pricing", "high", more, quantity="list_price", segment="Ray")),
    "a distribution": (SPREADS, put("Pricing", "distribution", "pert", quantity="list_price", segment="Ray")),
    "a source": (WORDS, put("Pricing", "source", "TEST; TEST2", quantity="list_price", segment="Ray")),
    "a status": (WORDS, put("Pricing", "status", "expert", quantity="list_price", segment="Ray")),
    "a note": (WORDS, put("Pricing", "note", "measured", quantity="list_price", segment="Ray")),
    "a product's company": (NUMBERS, put("Products", "company", "Acme", product="New drug one")),
    "a product's share": (NUMBERS, lambda grids: [put("Products", "share", x, product=p)(grids) for p, x in (("Old drug one", 0.4), ("Younger pill", 0.6))] and None),
    "a product's phase": (WORDS, put("Products", "phase", "Phase 3", product="Younger pill")),
    "a delta's amount": (NUMBERS, put("Scenarios", "amount", 1.31, operation="multiply")),
    "a delta's operation": (NUMBERS, put("Scenarios", "operation", "multiply", operation="set")),
    "a delta's scope": (NUMBERS, put("Scenarios", "region", "Germany", operation="set")),
    "a delta's reason": (WORDS, put("Scenarios", "reason", "to see it stand", operation="set")),
    "the order of deltas": (NUMBERS, exchange("Scenarios", 2, 3)),
    "one delta more": (NUMBERS, another_row("Scenarios", quantity="price_ratio", region="Germany", segment="Brands", operation="set", amount=0.5)),
    "a correlation": (SPREADS, put("Correlations", "rank_correlation", 0.31)),
    "what is correlated": (SPREADS, put("Correlations", "other_subtype", "Other lung")),
    "a published value": (WORDS, put("Published", "value", more, what="Lung")),
    "a published year": (WORDS, put("Published", "year", 2027, what="Lung")),
    "a published region": (WORDS, put("Published", "region", "Germany", what="Lung")),
    "a band": (WORDS, put("Bands", "high", 999)),
    "a rate": (NUMBERS, put("Currencies", "rate", 0.81, currency="EUR")),
    "the date of a rate": (WORDS, put("Currencies", "date", "2025-02-01", currency="EUR")),
    "a change": (WORDS, put("Changes", "effect", "some")),
    "a citation": (WORDS, put("Sources", "citation", "Numbers made up for another test", id="TEST")),
    "a grade": (WORDS, put("Sources", "grade", "B", id="TEST")),
}  # fmt: skip


def test_every_sheet_is_edited() -> None:
    import inspect

    text = inspect.getsource(inspect.getmodule(test_every_sheet_is_edited))  # type: ignore[arg-type]
    assert [s for s in WANTED if f'("{s}", ' not in text] == []


def digests(a: lm_xl.Assumptions) -> dict[str, str]:
    return {"fingerprint": a.fingerprint, "uncertainty": a.uncertainty, "handle": Model(a, "Base").handle}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_moves_the_digests_that_it_must(edit: str, whole: Grids) -> None:
    grids, (moves, change) = copy.deepcopy(whole), EDITS[edit]
    before = digests(read(grids))
    change(grids)
    after = digests(read(grids))
    assert after["handle"] != before["handle"]
    assert (after["fingerprint"] != before["fingerprint"]) == (moves == NUMBERS)
    if moves == SPREADS:
        assert after["uncertainty"] != before["uncertainty"]
    if moves == WORDS:
        assert after["uncertainty"] == before["uncertainty"]


@pytest.mark.parametrize("sheet", ["Epidemiology", "Pricing", "Published", "Currencies"])
def test_the_order_of_rows_moves_none(sheet: str, whole: Grids) -> None:
    grids = copy.deepcopy(whole)
    exchange(sheet, 1, 2)(grids)
    assert digests(read(grids)) == digests(read(whole))


def test_what_moves_a_number_moves_the_fingerprint(whole: Grids) -> None:
    """The order of deltas that reach the same cells decides their result, and so it counts."""
    grids = copy.deepcopy(whole)
    exchange("Scenarios", 2, 3)(grids)
    one, other = (lm_xl.forecast(read(x), "High").patients("US", 2030) for x in (whole, grids))
    assert one != other


# Draws that a run left behind


MIXED: dict[str, Edit] = {
    "an input": EDITS["a price"][1],
    "a spread": EDITS["a low"][1],
    "a correlation": EDITS["a correlation"][1],
    "the order of deltas": EDITS["the order of deltas"][1],
    "the order of regions": exchange("Axes", 1, 3),
    "the order of subtypes": exchange("Axes", 10, 12),
    "the order of therapies": exchange("Axes", 5, 8),
}


class Stopped(Exception):
    """A run is cut short."""


def interrupted(a: lm_xl.Assumptions, folder: Path) -> None:
    def stop(*_: Any) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        lm_xl.simulate(a, 1_024, 1, store=folder, progress=stop)


@pytest.mark.parametrize("edit", MIXED)
def test_a_resumed_simulation_does_not_mix_draws(edit: str, whole: Grids, tmp_path: Path) -> None:
    a, grids = read(whole), copy.deepcopy(whole)
    interrupted(a, tmp_path / "draws")
    MIXED[edit](grids)
    with pytest.raises(Refused, match="holds the draws of another run"):
        lm_xl.simulate(read(grids), 1_024, 1, store=tmp_path / "draws")


def test_a_simulation_is_resumed_of_the_same_inputs(whole: Grids, tmp_path: Path) -> None:
    a = read(whole)
    interrupted(a, tmp_path / "draws")
    resumed, fresh = lm_xl.simulate(a, 1_024, 1, store=tmp_path / "draws"), lm_xl.simulate(a, 1_024, 1)
    assert (resumed.percentiles == fresh.percentiles).all()
