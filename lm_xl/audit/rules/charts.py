"""The rule for charts: what they tell, and what they point at."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from lm_xl.audit.book import Book, BookSheet, StoredCell
from lm_xl.audit.formulas import references, unquoted
from lm_xl.audit.rules.rule import Found, Steps, rule
from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import LAST_COLUMN, LAST_ROW, Area, area_of
from lm_xl.xlsx.sheets import YES

CHART_TAG = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
TEXT_TAG = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


@rule("W38")
def charts_tell_what_they_show(book: Book) -> Iterator[Found]:
    """Charts have a title, titles on their value axes, none of them over the plot, an alternative text, a source,
    every year in each series, and the values of the cells that they show."""
    steps = Steps("rows and cells that charts show", MOST_SHOWN)
    if not any(graphic.chart is not None for s in book.sheets for graphic in s.graphics):
        yield "", "", "there is no chart"
    for sheet in book.sheets:
        sourced = any(re.search(r"\bsources?\b", c.value, re.I) for c in sheet.texts)
        for graphic in sheet.graphics:
            if not graphic.description:
                message = f"{graphic.name or 'a picture'} has no alternative text"
                yield sheet.title, graphic.cell, message
            chart = graphic.chart
            if chart is None:
                continue
            name = graphic.name or "a chart"
            if not sourced and not re.search(r"\bsource", graphic.description, re.I):
                message = f"{name}: neither its alternative text nor the sheet tells the source"
                yield sheet.title, graphic.cell, message
            pointing = (*_series_faults(book, sheet, chart), *_reference_faults(book, chart))
            pointing = (*pointing, *_value_faults(book, chart, steps, sheet.title))
            for message in (*_title_faults(chart), *pointing):
                yield sheet.title, graphic.cell, f"{name}: {message}"


def _title_faults(chart: Element) -> Iterator[str]:
    """Whether the chart and the axes of its values have titles."""
    inner = chart.find(f"{CHART_TAG}chart")
    if inner is None or not _is_said(inner.find(f"{CHART_TAG}title")):
        yield "it has no title"
    for axis in chart.iter(f"{CHART_TAG}valAx"):
        deleted = axis.find(f"{CHART_TAG}delete")
        shown = deleted is None or deleted.get("val", "1") not in YES
        if shown and not _is_said(axis.find(f"{CHART_TAG}title")):
            yield "a value axis has no title, so no unit"
    for what in ("title", "legend"):
        for found in chart.iter(f"{CHART_TAG}{what}"):
            overlay = found.find(f"{CHART_TAG}overlay")
            if overlay is None or overlay.get("val", "1") in YES:
                yield f"a {what} lies over the plot"


def _is_said(title: Element | None) -> bool:
    """Whether a title has a text, or takes it from a cell."""
    if title is None:
        return False
    texts = (*title.iter(f"{TEXT_TAG}t"), *title.iter(f"{CHART_TAG}f"))
    return any((t.text or "").strip() for t in texts)


def _series_faults(book: Book, sheet: BookSheet, chart: Element) -> Iterator[str]:
    """The years that each series lacks."""
    for i, series in enumerate(chart.iter(f"{CHART_TAG}ser"), 1):
        values = (*series.iter(f"{CHART_TAG}val"), *series.iter(f"{CHART_TAG}yVal"))
        formulas = [f.text or "" for v in values for f in v.iter(f"{CHART_TAG}f")]
        for title, area in (reference for formula in formulas for reference in references(formula)):
            source = book.sheet(title) if title else sheet
            missing = _missing_years(source, area) if source else []
            if missing:
                yield f"series {i} lacks the years {', '.join(map(str, missing))}"


def _missing_years(sheet: BookSheet, area: Area) -> list[int]:
    """The years that a row of chart values leaves out, where it runs over years at all."""
    axis = sheet.axis
    if axis is None or area.top != area.bottom or area.left == area.right:
        return []
    charted = [c for c in axis.columns if area.left <= c <= area.right]
    cells = (sheet.cell(axis.row, c) for c in axis.columns if c not in charted)
    return [cell.year for cell in cells if cell and cell.year] if charted else []


def _value_faults(book: Book, chart: Element, steps: Steps, title: str) -> Iterator[str]:
    """What a chart does not keep of the cells of its series, or keeps otherwise: pictures are drawn from it."""
    for i, series in enumerate(chart.iter(f"{CHART_TAG}ser"), 1):
        for kept in series.iter():
            tag = kept.tag.removeprefix(CHART_TAG)
            if tag not in ("numRef", "strRef"):
                continue
            formula = kept.findtext(f"{CHART_TAG}f", "")
            points = {
                int(p.get("idx", "0")): p.findtext(f"{CHART_TAG}v", "") for p in kept.iter(f"{CHART_TAG}pt")
            }
            cells = _cells(book, formula, steps, title)
            if tag == "numRef" and any(c.text and c.formula is None for c in cells.values()):
                yield f"series {i} takes the words of {formula} for numbers"
            # what shows n/a in all of its cells has no number to keep
            elif not points and any(c.value and (tag == "strRef" or not c.text) for c in cells.values()):
                yield f"series {i} does not keep the values of {formula}"
            elif any(not _is_same(points.get(at, ""), c.value) for at, c in cells.items()):
                yield f"series {i} keeps other values than those of {formula}"


def _cells(book: Book, formula: str, steps: Steps, place: str) -> dict[int, StoredCell]:
    """The cells of a reference that hold something, by their place in it."""
    found = list(references(formula))
    if len(found) != 1 or not (sheet := book.sheet(found[0][0])):
        return {}
    area = found[0][1]
    wide = area.right - area.left + 1
    rows = range(area.top, min(area.bottom, sheet.row_numbers[-1] if sheet.rows else 0) + 1)
    steps.take(sum(1 + len(sheet.rows.get(row, ())) for row in rows[: steps.most]), place)
    return {
        (row - area.top) * wide + column - area.left: cell
        for row in rows
        for column, cell in sheet.rows.get(row, {}).items()
        if area.left <= column <= area.right and cell.value
    }


def _is_same(kept: str, value: str) -> bool:
    try:
        return math.isclose(float(kept), float(value), rel_tol=1e-9, abs_tol=1e-9)
    except ValueError:
        return kept == value or not kept


MOST_SHOWN = 2_000_000
"""Rows and cells that are compared with what charts keep of them."""

_PART = r"(?:('(?:[^']|'')+'|\[\d+\]|(?:\[\d+\])?[^\W\d][\w.]*)!)?([^!'(),\s]+)"
"""A reference of a chart: a title, quoted or plain, and an area or a defined name."""
THIS_FILE = "[0]"
"""How a chart says that a defined name is one of its own workbook."""


def _reference_faults(book: Book, chart: Element) -> Iterator[str]:
    """What a chart refers to (values, categories, titles, labels) and nobody can read, each once."""
    titles = {"", *(folded(s.title) for s in book.sheets)}
    names = {folded(name) for name, *_ in book.names}
    found = ((e.text or "").strip() for e in chart.iter() if e.tag.endswith("}f"))
    for text in dict.fromkeys(filter(None, found)):
        listed = text[1:-1] if text.startswith("(") and text.endswith(")") else text
        # Several areas stand in brackets, with commas between them.
        if not re.fullmatch(f"{_PART}(?:,{_PART})*", listed):
            yield f"the reference {text} cannot be read"
            continue
        parts = [(folded(unquoted(title)), place) for title, place in re.findall(_PART, listed)]
        if not all(_is_area(place) or folded(place) in names for _, place in parts):
            yield f"the reference {text} cannot be read"
        elif not all(title in titles or title == THIS_FILE for title, _ in parts):
            yield f"the reference {text} names a sheet that is not there"


def _is_area(place: str) -> bool:
    """Whether a text is the address of cells that a sheet has."""
    area = area_of(place)
    return area is not None and area.top > 0 and area.bottom <= LAST_ROW and area.right <= LAST_COLUMN
