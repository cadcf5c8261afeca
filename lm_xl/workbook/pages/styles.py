"""One visual language for every sheet: colours, fonts, sizes and number formats, which stand here and nowhere else."""

from __future__ import annotations

from typing import Any

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.named_styles import NamedStyle
from openpyxl.workbook import Workbook

from lm_xl.workbook.plan.report import MONEY
from lm_xl.workbook.words.prose import text

FACE = "Arial"
INK, WHITE = "1A1A1A", "FFFFFF"
NAVY, PALE_NAVY, SLATE = "1F3864", "CBD6EA", "5A6472"
INPUT_INK, INPUT_FILL = "0B3FBF", "FFF8E1"
HEAT = "9DB7DE"
TOTAL_FILL, RULE, AMBER = "EEF2F9", "B8C2D6", "F6C86B"
RED, CALM = "B3261E", "1E6B4A"
"""Of the master check: the fill where it fails, the ink where it passes."""

TAB = {
    "control": "1F3864",
    "inputs": "C79A1E",
    "calculations": "7F7F7F",
    "outputs": "2E7D6B",
    "data": "6A4C93",
}
"""Tab colour by a sheet's class."""

PALETTE = (
    "0072B2", "E69F00", "009E73", "F0E442", "CC79A7", "56B4E9", "D55E00", "999999",
    "004B76", "FFC95C", "00664A", "FFF7A3", "8C3F6E", "A9DBF7", "8A3D00", "CFCFCF",
    "332288", "DDCC77", "117733", "EEDDBB", "882255", "88CCEE", "661100", "E8E8E8",
)  # fmt: skip
"""Colours of series: Okabe and Ito's, told apart by colour-blind readers, in darker and lighter turns that differ in grey too."""
BLUE, SKY, VERMILION = PALETTE[0], PALETTE[5], PALETTE[6]
GRID = "DDDDDD"
DASHES = ("solid", "dash", "sysDot", "dashDot")
MARKERS = ("circle", "square", "triangle", "diamond", "x")

TABLE_STYLE = "TableStyleLight1"
"""Excel's name of the look of its tables."""

LINE = 12.5
"""Height of a line of text in points; neither engine fits rows to wrapped text by itself."""
LETTERS = 1.16
"""Letters of a text in the width of a digit, on average."""
TITLE_HEIGHT, FIGURE_HEIGHT = 24, 26
YEAR_WIDTH, RESULT_WIDTH = 13, 11
"""Of the columns of years in calculations and in results."""
COMMENT_SIZE = (280, 90)
"""Width and height of a comment in pixels."""
ZOOM = 90
SIDE_MARGIN, TOP_MARGIN, FOOTER_MARGIN = 0.4, 0.5, 0.25
"""Of a printed page, in inches."""
TEXT_SIZE, READABLE = 9, 8
"""Size of plain text, and the least on paper, in points."""
PAGE_WIDTH = (297 / 25.4 - 2 * SIDE_MARGIN) * 96 / 7
"""Of A4 between its margins: in digits of plain text, of which each takes 7 of 96 dots an inch."""
CHART_WIDTH, CHART_HEIGHT = 13.0, 8.4
"""Centimetres: two charts stand side by side on a page, and two above one another."""
CHART_TITLE, CHART_TEXT, LEGEND_TEXT = 900, 800, 650
"""Sizes in hundredths of a point; a legend may have two dozen lines."""
LINE_WEIGHT, EDGE_WEIGHT, MARKER_SIZE = 22000, 3000, 5
"""Of the lines of a chart and of the white edge around an area, in English metric units; of a marker in points."""

NUMBER_FORMATS = {
    "share": "0.0%",
    "ratio": "0.00",
    "index": "0.000",
    "factor": "0.00E+00",
    "per year": "0.0%",
    "year": "0",
    "years": "0.0",
    "months": "0.0",
    "courses": "0.0",
    "months or courses": "0.0",
    "patients": '[>=999950]#,##0.0,,"m";#,##0',
    "cases": "#,##0",
    "cases per year": "#,##0",
    "tests": "#,##0",
    "patients per case": "0.0",
    "tests per patient": "0.0",
    "USD": "#,##0",
    "dollars": "#,##0.0,,",
    "USD million": "#,##0.0",
    MONEY: "#,##0.0",
    "million": '[>=999.95]#,##0;[<0.05]"–";0.0',
    "change": "+#,##0.0;-#,##0.0;0.0",
    "units per USD": "0.0000",
    "0 or 1": "0",
    "number": "[>=1000]#,##0;[>=10]0.0;0.0##",
    "text": "",
    "USD per month": "#,##0",
    "USD per course": "#,##0",
    "USD per test": "#,##0",
    "residue": "0.0E+00",
    "tolerance": "0E+00",
    "bound": "General",
    "band of ratios": "0.0",
    "typed number": "0.00##",
    "weighed sum": "#,##0.000000",
    "weight": "0.000000000",
}
"""Number format by unit, and by what a number is for where it has no unit."""
TIME = "0.0"
"""Number format of a point in time, which the unit of a year does not show."""


def number_format(unit: str, quantity: str = "") -> str:
    """The number format of a unit; points in time show a tenth of a year."""
    return TIME if quantity in ("launch", "loss_of_exclusivity") else NUMBER_FORMATS.get(unit, "#,##0.00")


def axis_format(unit: str) -> str:
    """The number format of a chart's axis."""
    return "0%" if unit.startswith("share") else "#,##0"


def fill(colour: str) -> PatternFill:
    """A plain background."""
    return PatternFill("solid", start_color=colour, end_color=colour)


def amber_where(formula: str) -> Rule:
    """Amber where a formula holds; the word in the cell says so too."""
    return Rule(type="expression", formula=[formula], dxf=DifferentialStyle(fill=fill(AMBER)))


def styled_workbook(title: str) -> Workbook:
    """A workbook without sheets that has the named styles, a title, and the model for its author."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    workbook.properties.title, workbook.properties.creator = title, text("pages", "cover_title")
    add_styles(workbook)
    return workbook


def add_styles(workbook: Workbook) -> None:
    """The named styles, which an editor of the workbook can use too."""
    normal = workbook._named_styles["Normal"]  # type: ignore[attr-defined]
    normal.font = Font(FACE, TEXT_SIZE, color=INK)
    for name, (font, background, ruled, alignment) in _looks().items():
        style = NamedStyle(name=name, font=font, alignment=alignment)
        if background:
            style.fill = fill(background)
        if ruled:
            style.border = Border(bottom=Side(style="hair", color=RULE))
        workbook.add_named_style(style)


def _looks() -> dict[str, tuple[Font, str, bool, Alignment]]:
    """Font, background, whether a hair line stands under it, and alignment of each named style."""

    def font(size: float = TEXT_SIZE, colour: str = INK, **more: Any) -> Font:
        return Font(FACE, size, color=colour, **more)

    def bold(size: float = TEXT_SIZE, colour: str = INK) -> Font:
        return font(size, colour, bold=True)

    top, middle = Alignment(vertical="top"), Alignment(vertical="center")
    label = Alignment(vertical="top", indent=1)
    # without the word "left" Excel ignores an indent
    wrapped = Alignment(horizontal="left", vertical="top", wrap_text=True, indent=1)
    header = Alignment(horizontal="left", vertical="center", wrap_text=True, indent=1)
    year = Alignment(horizontal="right", vertical="center", wrap_text=True)
    figure = Alignment(horizontal="left", vertical="center")
    return {
        "lm title": (bold(14, NAVY), "", False, middle),
        "lm text": (font(), "", False, top),
        "lm wrapped": (font(), "", True, wrapped),
        "lm header": (bold(colour=WHITE), NAVY, False, header),
        "lm head": (bold(colour=WHITE), NAVY, False, middle),
        "lm band": (bold(colour=NAVY), PALE_NAVY, False, middle),
        "lm year": (bold(colour=WHITE), NAVY, False, year),
        "lm label": (font(), "", True, label),
        "lm input": (font(colour=INPUT_INK), INPUT_FILL, True, top),
        "lm calculation": (font(), "", True, top),
        "lm total": (bold(), TOTAL_FILL, True, top),
        "lm total words": (bold(), TOTAL_FILL, True, wrapped),
        "lm figure": (bold(18, NAVY), "", False, figure),
        "lm check": (bold(colour=NAVY), "", False, top),
        "lm choice": (bold(12, INPUT_INK), INPUT_FILL, True, middle),
        "lm sentence": (font(10), "", False, middle),
        "lm fill": (font(colour=INPUT_INK), INPUT_FILL, True, wrapped),
        "lm lead": (bold(10, NAVY), "", False, middle),
        "lm row": (font(), "", True, Alignment(vertical="center")),
        "lm figures": (font(), "", True, Alignment(vertical="center")),
        "lm when": (font(), "", True, Alignment(horizontal="right", vertical="center")),
        "lm class": (bold(), "", True, Alignment(vertical="center")),
        "lm sum": (bold(), "", True, Alignment(vertical="center")),
        "lm note": (font(9, SLATE), "", False, middle),
        "lm beside": (font(9, SLATE), "", False, Alignment(horizontal="left", vertical="center", indent=1)),
        "lm tile name": (font(9, SLATE), "", False, middle),
        "lm tile": (bold(15, NAVY), "", False, figure),
        "lm tile words": (bold(11, NAVY), "", False, figure),
        "lm tile note": (font(9, SLATE), "", False, middle),
        "lm link": (font(colour=NAVY, underline="single"), "", False, top),
    }
