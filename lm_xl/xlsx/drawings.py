"""The drawings of sheets: their charts and pictures, and a description of each chart for readers who do not see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

from lm_xl.xlsx.addresses import address_of
from lm_xl.xlsx.package import Package

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"


class Graphic(NamedTuple):
    """A chart or picture: the cell of its first corner, its name, its alternative text, and the root of a chart's XML."""

    cell: str
    name: str
    description: str
    chart: Element | None


def graphics(package: Package, drawing: str) -> Iterator[Graphic]:
    """The charts and pictures of a drawing."""
    related = package.relations(drawing)
    for anchor in package.tree(drawing):
        row, column = (int(anchor.findtext(f"{{*}}from/{{*}}{side}", "0")) for side in ("row", "col"))
        for shape in (*anchor.iterfind(".//{*}graphicFrame"), *anchor.iterfind(".//{*}pic")):
            said, chart = shape.find(".//{*}cNvPr"), shape.find(f".//{CHART}")
            name, text = (said.get("name", ""), said.get("descr", "")) if said is not None else ("", "")
            relation = related.get(relation_id(chart)) if chart is not None else None
            tree = package.tree(relation.target) if relation else None
            yield Graphic(address_of(row + 1, column + 1), name, text.strip(), tree)


def relation_id(element: Element) -> str:
    """By which id an element refers to another part."""
    return next((value for key, value in element.items() if key.endswith("}id")), "")


def described_drawings(package: Package) -> dict[str, bytes]:
    """The drawings of a workbook that openpyxl wrote, each chart described by its title and its axes."""
    drawings = [part for part in package.parts if re.fullmatch(r"xl/drawings/drawing\d+\.xml", part)]
    return {drawing: _described_drawing(package, drawing).encode() for drawing in drawings}


def _described_drawing(package: Package, drawing: str) -> str:
    from xml.sax.saxutils import quoteattr  # which loads the code of the web, and readers never need it

    related = package.relations(drawing)

    def described(match: re.Match[str]) -> str:
        texts = package.tree(related[match[3]].target).iterfind(".//{*}t")
        words = ". ".join(t.text for t in texts if t.text and t.text.strip())
        return f"{match[1]} descr={quoteattr(words)}{match[2]}"

    return re.sub(
        r'(<(?:xdr:)?cNvPr id="\d+" name="Chart \d+")(\s*/?>.*?r:id="([^"]+)")',
        described,
        package.read(drawing).decode(),
        flags=re.DOTALL,
    )
