"""The styles of cells: which show dates, and what a reader sees of a cell."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple
from xml.etree.ElementTree import Element

from lm_xl.xlsx.sheets import YES

LONGEST_FORMAT = 255
"""Characters of a number format that a spreadsheet takes."""


class CellStyle(NamedTuple):
    """How the cells with a style look."""

    name: str = "Normal"
    number_format: str = "General"
    ink: str | None = None
    """Colours as RRGGBB; None where automatic or unknown."""
    paper: str | None = None
    scale: float = 1.0
    """Width of its digits, relative to those of the style Normal."""
    points: float = 11.0
    """Size of its text."""


def date_styles(root: Element) -> set[int]:
    """The numbers of the cell styles whose number format shows a date or a time."""
    codes = _codes(root)
    numbers = [int(xf.get("numFmtId", "0")) for xf in root.iterfind("{*}cellXfs/{*}xf")]
    return {i for i, number in enumerate(numbers) if _is_date(number, codes.get(number, ""))}


def cell_styles(root: Element) -> list[CellStyle]:
    """The cell styles, by number."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS

    codes = BUILTIN_FORMATS | _codes(root)
    fonts = [_font(font) for font in root.iterfind("{*}fonts/{*}font")] or [(None, 11.0, False)]
    papers = [_paper(fill) for fill in root.iterfind("{*}fills/{*}fill")]
    names = {int(e.get("xfId", "0")): e.get("name", "") for e in root.iterfind("{*}cellStyles/{*}cellStyle")}
    normal = root.find("{*}cellStyleXfs/{*}xf")
    at = int(normal.get("fontId", "0")) if normal is not None else 0
    size = fonts[at][1] if at < len(fonts) else 11.0
    styles = []
    for xf in root.iterfind("{*}cellXfs/{*}xf"):
        font, fill = int(xf.get("fontId", "0")), int(xf.get("fillId", "0"))
        ink, points, bold = fonts[font] if font < len(fonts) else (None, size, False)
        styles.append(
            CellStyle(
                names.get(int(xf.get("xfId", "0")), ""),
                codes.get(int(xf.get("numFmtId", "0")), "General"),
                ink,
                papers[fill] if fill < len(papers) else "FFFFFF",
                points / size * (1.08 if bold else 1.0),
                points,
            )
        )
    return styles or [CellStyle()]


def _codes(root: Element) -> dict[int, str]:
    """The number formats that the workbook defines, by number."""
    return {
        int(e.get("numFmtId") or "0"): e.get("formatCode", "")[:LONGEST_FORMAT]
        for e in root.iterfind("{*}numFmts/{*}numFmt")
    }


def _is_date(number: int, code: str) -> bool:
    """Whether a number format shows a date or a time: one of the built-in ones, or by its code."""
    if not code:
        return number in (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))
    return shows_date(code)


@cache
def shows_date(code: str) -> bool:
    """Whether the code of a number format has a letter of dates outside of quotes and brackets."""
    bare = re.sub(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:hh?|mm?|ss?)\])[^\]]*\]', "", code.split(";")[0]).casefold()
    return bare != "general" and bool(re.search("[dmyhs]", bare))


def _font(font: Element) -> tuple[str | None, float, bool]:
    size, bold = font.find("{*}sz"), font.find("{*}b")
    points = float(size.get("val", "11")) if size is not None else 11.0
    return _colour(font.find("{*}color")), points, bold is not None and bold.get("val", "1") in YES


def _paper(fill: Element) -> str | None:
    pattern = fill.find("{*}patternFill")
    if pattern is None:
        return None  # a gradient
    if pattern.get("patternType", "none") == "none":
        return "FFFFFF"
    return _colour(pattern.find("{*}fgColor"))


def _colour(colour: Element | None) -> str | None:
    """A colour as RRGGBB, where it can be known without the theme; the first theme colour is white."""
    if colour is None or float(colour.get("tint", "0")):
        return None
    if colour.get("rgb"):
        return colour.get("rgb", "")[-6:].upper()
    white = colour.get("theme") == "0" or colour.get("indexed") in ("1", "9")
    return "FFFFFF" if white else None
