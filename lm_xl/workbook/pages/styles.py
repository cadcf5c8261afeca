"""One visual language for every sheet."""

from __future__ import annotations

from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.named_styles import NamedStyle
from openpyxl.workbook import Workbook

from lm_xl.workbook.plan.report import MONEY

FACE = "Arial"
INK, NAVY, BAND, PALE, INPUT_FILL, INPUT_INK, RULE, AMBER = (
    "1A1A1A",
    "1F3864",
    "CBD6EA",
    "EEF2F9",
    "FFF8E1",
    "0B3FBF",
    "B8C2D6",
    "F6C86B",
)

TAB = {
    "control": "1F3864",
    "inputs": "C79A1E",
    "calculations": "7F7F7F",
    "outputs": "2E7D6B",
    "data": "6A4C93",
}
"""Tab colour by a sheet's class."""

FORMATS = {
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
    "patients": "#,##0",
    "cases": "#,##0",
    "cases per year": "#,##0",
    "tests": "#,##0",
    "patients per case": "0.0",
    "tests per patient": "0.0",
    "USD": "#,##0",
    "USD million": "#,##0.0",
    MONEY: "#,##0.0",
    "units per USD": "0.0000",
    "0 or 1": "0",
    "number": "#,##0.0##",
    "text": "",
    "USD per month": "#,##0",
    "USD per course": "#,##0",
    "USD per test": "#,##0",
}
"""Number format by unit. A launch is a point in time, so its own lines use `TIME`."""
TIME = "0.0"


def number_format(unit: str, quantity: str = "") -> str:
    """The number format of a unit; points in time show a tenth of a year."""
    return TIME if quantity in ("launch", "loss_of_exclusivity") else FORMATS.get(unit, "#,##0.00")


def fill(colour: str) -> PatternFill:
    """A plain background."""
    return PatternFill("solid", start_color=colour, end_color=colour)


def add_styles(workbook: Workbook) -> None:
    """The named styles, which an editor of the workbook can use too."""
    thin = Side(style="hair", color=RULE)
    under = Border(bottom=thin)
    top, middle, label = (
        Alignment(vertical="top"),
        Alignment(vertical="center"),
        Alignment(vertical="top", indent=1),
    )
    wrap = Alignment(vertical="top", wrap_text=True, indent=1)
    styles = {
        "lm title": (Font(FACE, 14, bold=True, color=NAVY), None, None, middle),
        "lm text": (Font(FACE, 9, color=INK), None, None, top),
        "lm wrapped": (Font(FACE, 9, color=INK), None, under, wrap),
        "lm header": (
            Font(FACE, 9, bold=True, color="FFFFFF"),
            fill(NAVY),
            None,
            Alignment(vertical="center", wrap_text=True, indent=1),
        ),
        "lm band": (Font(FACE, 9, bold=True, color=NAVY), fill(BAND), None, middle),
        "lm year": (
            Font(FACE, 9, bold=True, color="FFFFFF"),
            fill(NAVY),
            None,
            Alignment(horizontal="right", vertical="center", wrap_text=True),
        ),
        "lm label": (Font(FACE, 9, color=INK), None, under, label),
        "lm input": (Font(FACE, 9, color=INPUT_INK), fill(INPUT_FILL), under, top),
        "lm calculation": (Font(FACE, 9, color=INK), None, under, top),
        "lm total": (Font(FACE, 9, bold=True, color=INK), fill(PALE), under, top),
        "lm figure": (
            Font(FACE, 18, bold=True, color=NAVY),
            None,
            None,
            Alignment(horizontal="left", vertical="center"),
        ),
        "lm check": (Font(FACE, 9, bold=True, color=NAVY), None, None, top),
        "lm choice": (Font(FACE, 12, bold=True, color=INPUT_INK), fill(INPUT_FILL), under, middle),
        "lm sentence": (Font(FACE, 11, color=INK), None, None, middle),
        "lm link": (Font(FACE, 9, color=NAVY, underline="single"), None, None, top),
    }
    normal = workbook._named_styles["Normal"]  # type: ignore[attr-defined]
    normal.font = Font(FACE, 9, color=INK)
    for name, (font, background, border, alignment) in styles.items():
        style = NamedStyle(name=name, font=font, alignment=alignment)
        if background:
            style.fill = background
        if border:
            style.border = border
        workbook.add_named_style(style)
