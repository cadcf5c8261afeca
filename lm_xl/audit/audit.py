"""A workbook file against the workbook rules W01-W40: ours, a client's edit of it, or anybody's.

The package is read once, part by part, into plain cells; then each rule is one small function on them. What a rule looks at
is derived from the file: a sheet's class from the colour of its tab (`lm_xl.workbook.styles.TAB`), its axis from the first row
of years, its header from its Excel table, its axis or its first row of labels, its inputs from the cell style 'lm input' (or
Excel's own 'Input'), and a few sheets from their titles: Cover, Contents, Sources, Checks, Method, Change log. A sheet
without a class is held to the rules for calculations.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lm_xl.audit.reading import opened
from lm_xl.audit.rules import CHECKS

RULES = {
    "W01": "Each sheet has one class, shown by its tab colour and by the sheet Contents: control, inputs, calculations, outputs or data.",
    "W02": "A formula of calculations or outputs holds no number but 0, 1, -1, 12, 100 and 1000.",
    "W03": "A row has one formula, the same in relative terms in every year.",
    "W04": "The years are whole numbers without a gap, in the same columns on every sheet that has them.",
    "W05": "Each row of numbers has a unit, and where units are money the workbook says whether it is nominal or real.",
    "W06": "One style marks inputs: all typed numbers of input sheets and nothing else have it, and the cover explains it.",
    "W07": "Nothing is hidden: no sheet, row, column or text in the colour of its background.",
    "W08": "No merged cells, and no blank row or column inside a table.",
    "W09": "A calculated sheet with years is frozen at its first year column, under the row of years; a sheet of inputs is not, its keys are too wide.",
    "W10": "The sheet Checks lists id, what, value, tolerance and pass; all pass; a master check stands there and above every table.",
    "W11": "Each check compares with its tolerance and uses IFERROR, so that an error fails it.",
    "W12": "No cell holds an error value.",
    "W13": "No volatile function: OFFSET, INDIRECT, NOW, TODAY, RAND, RANDBETWEEN, RANDARRAY.",
    "W14": "No NPV or XNPV: discount factors have a row of their own.",
    "W15": "A formula is one line of at most 120 characters without an IF inside an IF; IFERROR stands on Checks only.",
    "W16": "Formulas use the functions of Excel 2007 only (and LM_ functions), which every Excel and LibreOffice compute.",
    "W17": "No link to another file, no data connection, no macro or embedded part.",
    "W18": "Calculation is automatic, without iteration, and no formula refers to itself in a circle (through cells, ranges and names).",
    "W19": "Calculations are not rounded: number formats round.",
    "W20": "No two rows of calculations hold the same formula: calculate once, then refer.",
    "W21": "At most 20 defined names, each for one cell or constant, of workbook scope, neither broken nor hidden.",
    "W22": "Each assumption has quantity, label, unit, low, value, high, distribution, source, status and note, with low <= value <= high.",
    "W23": "Each source that is named is on the sheet Sources with citation, year, reading and grade, and each one there is named.",
    "W24": "A change log tells version, date, who, what and effect.",
    "W25": "The cover tells the engine and version, the scenario, the fingerprint of the inputs and the master check.",
    "W26": "The sheet Method has purpose, intended use, funder, structure, data, validation and limits.",
    "W27": "A sheet of data is made of named Excel tables with unique headers and without totals.",
    "W28": "The checks compare tables with the long data, the world with the sum of regions, and shares with 100 %.",
    "W29": "A growth rate (CAGR) names its two years, and is n/a where it starts from zero.",
    "W30": "No blank where a number is due: in a year of a calculated row, in an input, in a column of values.",
    "W31": "Labels are text without control characters; none of them became a formula.",
    "W32": "Sheet titles are legal, of at most 31 characters, and unique whatever the case.",
    "W33": "Each input has a data validation with a message; a list comes from cells or has at most 255 characters.",
    "W34": "Each formula has a stored value.",
    "W35": "A cell with an LM_ function has a stored value, and a text of the workbook tells of the add-in.",
    "W36": "Years have the number format 0, and no number from 1900 to 2100 is formatted as a date.",
    "W37": "Each sheet prints in landscape, one page wide, with its header repeated, and version and page in its footer.",
    "W38": "Charts have a title, titles on their value axes, an alternative text, a source, and every year in each series.",
    "W39": "Two builds from the same inputs differ only in their times. (Not checked: it needs two files.)",
    "W40": "The file opens on cell A1 of the first sheet, the cover; it is below 5 MB; no column is too narrow for its numbers.",
}
"""Each rule in one sentence, in the order in which they are applied."""

MOST_SHOWN = 50
"""Breaches of a rule that are shown; all are counted."""


@dataclass(frozen=True)
class Breach:
    """One thing that breaks a rule: where, and what."""

    rule: str
    sheet: str
    cell: str
    message: str

    def __str__(self) -> str:
        place = f"{self.sheet}!{self.cell}" if self.cell else self.sheet
        return f"{self.rule} {place}{': ' if place else ''}{self.message}"


def audit(path: str | Path) -> list[Breach]:
    """Every breach of the workbook rules in a file, rule by rule. Raises Refused where the file cannot be read."""
    book = opened(Path(path))
    return [Breach(rule, *found) for rule, check in CHECKS.items() for found in check(book)]


def summary(breaches: Sequence[Breach]) -> list[str]:
    """The breaches as lines: each rule that is broken, how often, and its first breaches."""
    counts = Counter(b.rule for b in breaches)
    lines = []
    for rule, text in RULES.items():
        if counts[rule]:
            lines.append(f"{rule} {text} {_times(counts[rule])}")
            lines += [f"  {str(b).removeprefix(rule).lstrip()}" for b in breaches if b.rule == rule][
                :MOST_SHOWN
            ]
            if counts[rule] > MOST_SHOWN:
                lines.append(f"  and {counts[rule] - MOST_SHOWN:,} more")
    kept = len(CHECKS) - len(counts)
    lines.append(
        f"{len(breaches):,} breaches of {len(counts)} rules; {kept} of the {len(CHECKS)} rules that were checked are kept"
    )
    return lines


def as_json(breaches: Sequence[Breach]) -> str:
    """The breaches as JSON: for each rule its sentence, the count, and its first breaches."""
    counts = Counter(b.rule for b in breaches)
    rules = [
        {
            "rule": rule,
            "text": text,
            "checked": rule in CHECKS,
            "count": counts[rule],
            "breaches": [asdict(b) for b in breaches if b.rule == rule][:MOST_SHOWN],
        }
        for rule, text in RULES.items()
    ]
    return json.dumps({"count": len(breaches), "rules": rules}, indent=2, ensure_ascii=False)


def _times(count: int) -> str:
    return "(once)" if count == 1 else f"({count:,} times)"
