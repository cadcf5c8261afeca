"""A workbook file -> a Book: read once, part by part."""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from openpyxl.styles.numbers import BUILTIN_FORMATS

from lm_xl.assumptions.tables import read_tables
from lm_xl.audit.book import CHART_TAG, YES, Book, BookSheet, Drawing, StoredCell, Style, Validation
from lm_xl.audit.formulas import moved
from lm_xl.faults import Fault, Refused
from lm_xl.workbook.pages.styles import TAB
from lm_xl.xlsx.addresses import area_of, column_letters, column_number
from lm_xl.xlsx.package import Damaged

MOST_CELLS = 2_000_000
"""Cells that are read of one file."""


_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"


def opened(path: Path) -> Book:
    """Read a workbook file. Raises Refused."""
    read_tables(path, {}, [])  # refuses what is no workbook, is encrypted, damaged or too large
    try:
        with zipfile.ZipFile(path) as package:
            return _Package(package).book(path)
    except Damaged as reason:
        message = str(reason)
    except ElementTree.ParseError as error:
        message = f"holds broken XML ({error}): save it again from Excel"
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        LookupError,
        ValueError,
        ArithmeticError,
    ) as error:
        message = f"is damaged ({error}): save it again from Excel"
    raise Refused([Fault(path.name, "", "", message)])


class _Package:
    """The parts of a workbook file, read one after another."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self.package = package
        self.names = package.namelist()
        self.known = set(self.names)
        self.cells = 0
        self.texts: list[str] = []

    def events(self, part: str) -> Iterator[ElementTree.Element]:
        """Each element of a part as it ends; whoever takes rows clears them."""
        if part not in self.known:
            raise Damaged(f"lacks the part {part}: save it again from Excel")
        with self.package.open(part) as opened:
            if b"<!DOCTYPE" in opened.read(4096):
                raise Damaged(f"declares XML entities in {part}, which no workbook needs: it is not read")
        with self.package.open(part) as opened:
            for _, element in ElementTree.iterparse(opened):
                yield element

    def tree(self, part: str) -> ElementTree.Element:
        """A part as a whole: its root."""
        root = None
        for root in self.events(part):  # noqa: B007
            pass
        if root is None:
            raise Damaged(f"has nothing in the part {part}: save it again from Excel")
        return root

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to inside the package: id to the last word of the kind, and the part's name."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels not in self.known:
            return {}
        return {
            r.get("Id", ""): (
                r.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, r.get("Target", ""))).lstrip("/"),
            )
            for r in self.tree(rels)
            if r.get("TargetMode") != "External"
        }

    def book(self, path: Path) -> Book:
        main = next(part for kind, part in self.relations("").values() if kind == "officeDocument")
        related = self.relations(main)
        kinds = dict(related.values())
        root = self.tree(main)
        styles = self.styles(kinds["styles"]) if "styles" in kinds else [Style()]
        if "sharedStrings" in kinds:
            self.texts = [_joined(item) for item in self.tree(kinds["sharedStrings"]).iter(f"{_MAIN}si")]
        sheets = []
        for entry in root.iter(f"{_MAIN}sheet"):
            kind, part = related.get(entry.get(_ID, ""), ("", ""))
            if kind == "worksheet":
                sheets.append(self.sheet(part, entry.get("name", ""), entry.get("state", "visible")))
        titles = [e.get("name", "") for e in root.iter(f"{_MAIN}sheet")]
        names = []
        for entry in root.iter(f"{_MAIN}definedName"):
            name, at, text = entry.get("name", ""), entry.get("localSheetId"), entry.text or ""
            title = titles[int(at)] if at is not None and int(at) < len(titles) else ""
            if not name.startswith("_xlnm."):
                names.append((name, text, title, entry.get("hidden") in YES))
            elif name == "_xlnm.Print_Titles":
                for sheet in sheets:
                    sheet.repeated |= sheet.title == title and bool(re.search(r"\$?\d+:\$?\d+", text))
        view = next(root.iter(f"{_MAIN}workbookView"), None)
        calculation = next((dict(e.attrib) for e in root.iter(f"{_MAIN}calcPr")), {})
        shown = int(view.get("activeTab", "0")) if view is not None else 0
        return Book(path, sheets, styles, names, self.names, self.outside(), calculation, shown)

    def outside(self) -> list[tuple[str, str]]:
        """Where the package refers out of itself, but for hyperlinks."""
        return [
            (part, r.get("Target", ""))
            for part in self.names
            if part.endswith(".rels")
            for r in self.tree(part)
            if r.get("TargetMode") == "External" and not r.get("Type", "").endswith("/hyperlink")
        ]

    def styles(self, part: str) -> list[Style]:
        """The cell styles by number."""
        root = self.tree(part)
        codes = dict(BUILTIN_FORMATS) | {
            int(e.get("numFmtId", "0")): e.get("formatCode", "") for e in root.iter(f"{_MAIN}numFmt")
        }
        fonts = [_font(e) for e in root.findall(f"{_MAIN}fonts/{_MAIN}font")] or [(None, 11.0, False)]
        fills = [_paper(e) for e in root.findall(f"{_MAIN}fills/{_MAIN}fill")]
        named = {int(e.get("xfId", "0")): e.get("name", "") for e in root.iter(f"{_MAIN}cellStyle")}
        bases = root.findall(f"{_MAIN}cellStyleXfs/{_MAIN}xf")
        normal = int(bases[0].get("fontId", "0")) if bases else 0
        size = fonts[normal][1] if normal < len(fonts) else 11.0
        styles = []
        for xf in root.findall(f"{_MAIN}cellXfs/{_MAIN}xf"):
            font, fill = int(xf.get("fontId", "0")), int(xf.get("fillId", "0"))
            ink, points, bold = fonts[font] if font < len(fonts) else (None, size, False)
            styles.append(
                Style(
                    named.get(int(xf.get("xfId", "0")), ""),
                    codes.get(int(xf.get("numFmtId", "0")), "General"),
                    ink,
                    fills[fill] if fill < len(fills) else "FFFFFF",
                    points / size * (1.08 if bold else 1.0),
                )
            )
        return styles or [Style()]

    def sheet(self, part: str, title: str, state: str) -> BookSheet:
        sheet = BookSheet(title, state)
        shared: dict[str, tuple[str, int, int]] = {}
        colours = {colour: kind for kind, colour in TAB.items()}
        row = 0
        for e in self.events(part):
            tag = e.tag.rpartition("}")[2]
            if tag == "row":
                row = int(e.get("r", row + 1))
                if e.get("hidden") in YES or e.get("ht") == "0":
                    sheet.hidden_rows.append(row)
                self.cells += len(e)
                if self.cells > MOST_CELLS:
                    raise Damaged(f"has more than {MOST_CELLS:,} cells: more than is read")
                cells = sheet.rows.setdefault(row, {})
                column = 0
                for c in e:
                    cell = self.cell(c, row, column + 1, shared, sheet)
                    column = cell.column
                    cells[column] = cell
                e.clear()
            elif tag == "tabColor":
                sheet.colour = (e.get("rgb") or "")[-6:].upper() or "of a theme"
                sheet.kind = colours.get(sheet.colour, "")
            elif tag == "pageSetUpPr":
                sheet.fits_page = e.get("fitToPage") in YES
            elif tag == "sheetView":
                sheet.top_left = e.get("topLeftCell", "A1")
            elif tag == "pane" and e.get("state") in ("frozen", "frozenSplit"):
                sheet.frozen = int(float(e.get("ySplit", "0"))), int(float(e.get("xSplit", "0")))
            elif tag == "selection":
                sheet.active = e.get("activeCell", "A1")
            elif tag == "sheetFormatPr":
                sheet.default_width = float(
                    e.get("defaultColWidth", float(e.get("baseColWidth", "8")) + 0.43)
                )
                if e.get("zeroHeight") in YES:
                    sheet.hidden_columns.append("every row without a height")
            elif tag == "col":
                _set_width(sheet, e)
            elif tag == "mergeCell":
                sheet.merged.append(e.get("ref", ""))
            elif tag == "dataValidation":
                sheet.validations.append(_validation(e))
            elif tag == "pageSetup":
                sheet.page = dict(e.attrib)
            elif tag in ("oddFooter", "evenFooter", "firstFooter"):
                sheet.footer += e.text or ""
        for kind, target in self.relations(part).values():
            if kind == "table":
                root = self.tree(target)
                area = area_of(root.get("ref", ""))
                if area:
                    sheet.tables.append(
                        (root.get("displayName", ""), area, root.get("totalsRowCount", "0") not in ("0", ""))
                    )
            elif kind == "drawing":
                sheet.drawings += self.charts(target)
        return sheet

    def cell(
        self,
        c: ElementTree.Element,
        row: int,
        column: int,
        shared: dict[str, tuple[str, int, int]],
        sheet: BookSheet,
    ) -> StoredCell:
        reference = c.get("r")
        if reference:
            letters = reference.rstrip("0123456789")
            column = column_number(letters)
        kind, value, formula = c.get("t", "n"), "", None
        for child in c:
            tag = child.tag
            if tag == f"{_MAIN}v":
                value = child.text or ""
            elif tag == f"{_MAIN}f":
                formula = child.text or ""
                if len(child.attrib):
                    formula = _expanded(child, formula, row, column, shared)
                    area = area_of(child.get("ref", "")) if child.get("t") == "array" else None
                    if area:
                        sheet.blocks.append((area, formula))
                if c.get("cm"):
                    sheet.dynamic.append(reference or f"{column_letters(column)}{row}")
            elif tag == f"{_MAIN}is":
                value = _joined(child)
        for area, whole in sheet.blocks if formula is None else ():
            if area.top <= row <= area.bottom and area.left <= column <= area.right:
                formula = moved(
                    whole, row - area.top, column - area.left
                )  # every cell of a block has its formula
        if kind == "s":
            at = int(value) if value else -1
            if not 0 <= at < len(self.texts):
                raise Damaged(
                    f"refers to the shared text {value}, which is not there: save it again from Excel"
                )
            value = self.texts[at]
        elif kind == "inlineStr" or (kind == "str" and formula is None):
            kind = "s"
        return StoredCell(row, column, int(c.get("s", "0")), kind, formula, value)

    def charts(self, part: str) -> list[Drawing]:
        """The charts and pictures of a drawing."""
        related = self.relations(part)
        charts = []
        for anchor in self.tree(part):
            corner = anchor.find(f"{_DRAWING}from")
            place = (
                [int(corner.findtext(f"{_DRAWING}{k}", "0")) for k in ("row", "col")]
                if corner is not None
                else [0, 0]
            )
            cell = f"{column_letters(place[1] + 1)}{place[0] + 1}"
            for shape in (*anchor.iter(f"{_DRAWING}graphicFrame"), *anchor.iter(f"{_DRAWING}pic")):
                about = next(shape.iter(f"{_DRAWING}cNvPr"), None)
                chart = next(shape.iter(f"{CHART_TAG}chart"), None)
                target = related.get(chart.get(_ID, ""), ("", ""))[1] if chart is not None else ""
                xml = self.tree(target) if target else None
                name, text = (
                    (about.get("name", ""), about.get("descr", "")) if about is not None else ("", "")
                )
                charts.append(Drawing(cell, name, text.strip(), xml))
        return charts


def _joined(item: ElementTree.Element) -> str:
    """A text of one or several runs, without phonetic hints; control characters stand as _x000D_."""
    hints = {id(t) for hint in item.iter(f"{_MAIN}rPh") for t in hint}
    text = "".join(t.text or "" for t in item.iter(f"{_MAIN}t") if id(t) not in hints)
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text) if "_x" in text else text


def _expanded(
    f: ElementTree.Element, formula: str, row: int, column: int, shared: dict[str, tuple[str, int, int]]
) -> str:
    """The formula of a cell that shares it with others, or a table's."""
    if f.get("t") == "dataTable":
        return "TABLE()"
    if f.get("t") != "shared":
        return formula
    key = f.get("si", "")
    if formula:
        shared[key] = formula, row, column
        return formula
    first, top, left = shared.get(key, ("", row, column))
    return moved(first, row - top, column - left)


def _font(font: ElementTree.Element) -> tuple[str | None, float, bool]:
    size, bold = font.find(f"{_MAIN}sz"), font.find(f"{_MAIN}b")
    colour = font.find(f"{_MAIN}color")
    return (
        _colour(colour),
        float(size.get("val", "11")) if size is not None else 11.0,
        bold is not None and bold.get("val", "1") in YES,
    )


def _paper(fill: ElementTree.Element) -> str | None:
    pattern = fill.find(f"{_MAIN}patternFill")
    if pattern is None:
        return None  # a gradient
    if pattern.get("patternType", "none") == "none":
        return "FFFFFF"
    return _colour(pattern.find(f"{_MAIN}fgColor"))


def _colour(colour: ElementTree.Element | None) -> str | None:
    """A colour as RRGGBB, where it can be known without the theme; the first theme colour is white."""
    if colour is None or float(colour.get("tint", "0")):
        return None
    if colour.get("rgb"):
        return colour.get("rgb", "")[-6:].upper()
    white = colour.get("theme") == "0" or colour.get("indexed") in ("1", "9")
    return "FFFFFF" if white else None


def _set_width(sheet: BookSheet, col: ElementTree.Element) -> None:
    first, last = int(col.get("min", "1")), min(int(col.get("max", "1")), 16_384)
    width = float(col.get("width", sheet.default_width))
    if col.get("hidden") in YES or width == 0:
        sheet.hidden_columns.append(f"{column_letters(first)}:{column_letters(max(first, last))}")
    for column in range(first, last + 1):
        sheet.widths[column] = width


def _validation(rule: ElementTree.Element) -> Validation:
    """A data validation, as Excel 2007 or as its successors write it."""
    texts = {e.tag.rpartition("}")[2]: "".join(e.itertext()) for e in rule}
    areas = tuple(a for a in map(area_of, (rule.get("sqref") or texts.get("sqref", "")).split()) if a)
    says = (rule.get("showErrorMessage") in YES and bool(rule.get("error"))) or (
        rule.get("showInputMessage") in YES and bool(rule.get("prompt"))
    )
    return Validation(areas, rule.get("type", "none"), texts.get("formula1", "").strip(), says)
