"""Each Excel function declared once: its arguments, what it returns, an example. Hosts, help and reference are made from this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from inspect import Parameter, Signature

from lm_xl.model.outputs import BASES, PATIENT_STAGES

VALUE, NA, REF = "#VALUE!", "#N/A", "#REF!"
ERRORS = {
    VALUE: "an argument is wrong: a label that is not there, a blank, a number where a label is due, tables with a fault",
    NA: "there is no such number: a year beyond the horizon, a model that is not in memory, growth from a base of 0",
    REF: "the assumption does not exist: a therapy that a subtype never gets, a quantity that a segment does not have",
}
"""What each error value means. They are true errors: SUM passes them on and ISERROR sees them."""
PASSED_ON = ("#NULL!", "#DIV/0!", "#NAME?", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA", VALUE, NA, REF)
"""The errors that a cell may hold: an argument that is one is passed on as it is."""

CATEGORY = "lm_xl"
METRICS = {
    "patients": "diagnosed",
    "revenue": BASES["risk_adjusted"],
    **{s: s for s in PATIENT_STAGES},
    **BASES,
}
"""What functions with a metric count, and the output behind it."""
PRICE_BASES = {"net": "net_price", "gross": "gross_price"}
PERCENTILE_METRICS = {
    "revenue": "revenue",
    "patients": "diagnosed",
    "diagnosed": "diagnosed",
    "treated": "treated",
}
"""What draws are kept of, by the words of LM_PERCENTILE."""
UNITS = {"one": 1, "thousand": 1000, "million": 1000 * 1000}
"""What numbers may be counted in."""
FORECAST_BY = ("region", "segment", "subtype", "year", "company", "product")
"""What LM_FORECAST splits by."""
COMPARE_BY = ("region", "segment", "subtype")
"""What LM_COMPARE splits by."""
LISTABLE = (
    "region", "segment", "subtype", "year", "scenario", "company", "stage", "basis", "metric", "quantity", "currency", "unit",
)  # fmt: skip
"""What LM_LIST lists."""


@dataclass(frozen=True)
class Argument:
    """An argument: what kind of thing it takes, and what it is when left out. `rest` takes all that follow."""

    name: str
    kind: str
    help: str
    default: str | None = None
    """In words; None where the argument is required."""
    choices: tuple[str, ...] = ()
    rest: bool = False

    @property
    def required(self) -> bool:
        return self.default is None and not self.rest


@dataclass(frozen=True)
class Function:
    """A function: its name in every host, its arguments in order, what it returns with the unit, and an example."""

    name: str
    arguments: tuple[Argument, ...]
    meaning: str
    returns: str
    example: str
    headed: bool = False
    """Whether it returns a table whose first row names its columns."""

    @property
    def signature(self) -> str:
        """As Excel shows it: optional arguments in brackets."""
        names = [
            f"{a.name}..." if a.rest else a.name if a.required else f"[{a.name}]" for a in self.arguments
        ]
        return f"{self.name}({', '.join(names)})"

    def parameters(self, omitted: object, name_of: Callable[[Argument], str] = lambda a: a.name) -> Signature:
        """As a Python function has it: `omitted` stands for an argument left out, `name_of` names an argument as a host can."""
        found = []
        for a in self.arguments:
            kind = Parameter.VAR_POSITIONAL if a.rest else Parameter.POSITIONAL_OR_KEYWORD
            default = Parameter.empty if a.required or a.rest else omitted
            found.append(Parameter(name_of(a), kind, default=default))
        return Signature(found)


def _label(axis: str, default: str | None = None, note: str = "") -> Argument:
    words = {
        "region": "A region or a group of regions",
        "segment": "A therapy, a test or a group of them",
        "subtype": "A subtype or a group of them",
    }
    return Argument(axis, axis, f"{words[axis]}{note}; a range gives a block.", default)


THE_MODEL = Argument(
    "model", "model", "The cell with the handle that LM_MODEL returns.", "the model of this workbook"
)
A_REGION, A_SEGMENT = _label("region"), _label("segment")
A_YEAR = Argument("year", "year", "A year of the forecast; a range gives a block.")
IN_REGION, IN_SUBTYPE = _label("region", "all regions"), _label("subtype", "all cancers")
IN_SEGMENT = _label("segment", "the headline: the first scope of Axes")
A_COMPANY = Argument(
    "company",
    "company",
    "A company, or an alliance as the sheet Products writes it; a range gives a block.",
)
THE_BASIS = Argument(
    "basis",
    "basis",
    "What revenue counts: gross, net, or net on average over success and failure of the pipeline.",
    "risk_adjusted",
    tuple(BASES),
)
_COUNTED = "What to count: a stage of patients, or a basis of revenue."
THE_METRIC = Argument("metric", "metric", _COUNTED, choices=tuple(METRICS))
A_METRIC = Argument("metric", "metric", _COUNTED, "revenue", tuple(METRICS))
A_LABEL = Argument(
    "label", "label", "A label of any axis, a leaf or a group, or a company; a range gives a block."
)
A_QUANTITY = Argument(
    "quantity", "quantity", "The name of an assumption, as in the first column of its sheet."
)
OF_REGION, OF_SEGMENT, OF_SUBTYPE = (
    _label(axis, "none: the quantity does not vary by it", ", one leaf where the quantity varies by it")
    for axis in ("region", "segment", "subtype")
)


def _by(words: tuple[str, ...]) -> str:
    return f"What to split by: some of {', '.join(words)}, as text with commas or as a range."


FROM_MODEL = Argument("model", "model", "The cell with a handle: of LM_MODEL, LM_SCENARIO or LM_WHATIF.")
OTHER_MODEL = Argument(
    "other", "handle", "The cell with the handle of a second model, of the same tables.", "the same model"
)
FIRST_OF_TWO = Argument(
    "first",
    "year",
    "The year in which the first model is read.",
    "the same as last, or the first year where there is no second model",
)
LAST_OF_TWO = Argument(
    "last", "year", "The year in which the second model, or the only one, is read.", "the last year"
)
ONE_REGION, ONE_SUBTYPE = (
    replace(_label(axis, default), help=f"{words}, one.")
    for axis, default, words in (
        ("region", "all regions", "A region or a group of regions"),
        ("subtype", "all cancers", "A subtype or a group of them"),
    )
)
ONE_SEGMENT = Argument(
    "segment",
    "segment",
    "A therapy, a test or a group of them, such as a scope; one. Patients have none.",
    "the headline: the first scope of Axes",
)
IN_CURRENCY = Argument(
    "currency", "currency", "A currency of the sheet Currencies, for money, as EUR.", "USD"
)
IN_UNIT = Argument("unit", "unit", "What numbers are counted in.", "one", tuple(UNITS))
SHOWN = (IN_CURRENCY, IN_UNIT)

FUNCTIONS: dict[str, Function] = {
    f.name: f
    for f in (
        Function(
            "LM_MODEL",
            (
                Argument(
                    "tables",
                    "tables",
                    "The tables of assumptions with their headers, in any order; last, if wanted, a scenario's name.",
                    rest=True,
                ),
            ),
            "Validates the workbook's assumptions and makes a model of them for the other functions.",
            "a handle: text that names the content of the assumptions and the scenario",
            '=LM_MODEL(tbl_Axes[#All], tbl_Timeline[#All], ..., "Base")',
        ),
        Function(
            "LM_SCENARIO",
            (FROM_MODEL, Argument("scenario", "scenario", "The name of a scenario of the workbook.")),
            "The same model in another scenario; what-ifs of the model stay.",
            "a handle, the same as that of LM_MODEL with the scenario",
            '=LM_SCENARIO(Model, "High")',
        ),
        Function(
            "LM_WHATIF",
            (
                FROM_MODEL,
                A_QUANTITY,
                Argument("factor", "number", "What the assumption is multiplied by, as 1.2 for 20 % more."),
                *(
                    replace(_label(axis, "all"), help=f"{words}, where the quantity varies by it; one.")
                    for axis, words in (
                        ("region", "A region or a group of regions"),
                        ("segment", "A therapy, a test or a group of them"),
                        ("subtype", "A subtype or a group of them"),
                    )
                ),
            ),
            "The same model with one assumption multiplied, after what its scenario does to it; the sheet stays as it is.",
            "a handle, for all functions that take one, for another what-if too",
            '=LM_WHATIF(Model, "lm_risk", 1.2, , , "Breast")',
        ),
        Function(
            "LM_PATIENTS",
            (
                A_REGION,
                A_YEAR,
                THE_MODEL,
                Argument("stage", "stage", "A stage of the patient funnel.", "diagnosed", PATIENT_STAGES),
                IN_SUBTYPE,
            ),
            "Patients of a region in a year, at a stage of the funnel.",
            "patients",
            '=LM_PATIENTS("Europe", 2030, Model)',
        ),
        Function(
            "LM_REVENUE",
            (A_SEGMENT, A_YEAR, THE_MODEL, IN_REGION, IN_SUBTYPE, THE_BASIS, *SHOWN),
            "Revenue of a segment in a year.",
            "nominal USD, or the currency and unit asked for",
            '=LM_REVENUE("Therapeutics", 2035, Model, "7MM")',
        ),
        Function(
            "LM_COMPANY_REVENUE",
            (A_COMPANY, A_YEAR, THE_MODEL, IN_REGION, IN_SEGMENT, THE_BASIS, *SHOWN),
            "Revenue of a company in a year: its products' shares of the sales of their segments.",
            "nominal USD, or the currency and unit asked for",
            '=LM_COMPANY_REVENUE("AstraZeneca", 2035, Model, "7MM", "Therapeutics")',
        ),
        Function(
            "LM_TABLE",
            (
                THE_METRIC,
                Argument(
                    "rows",
                    "label",
                    "Labels of any axis, or companies, one a row; a range or a single label.",
                ),
                Argument("years", "year", "Years, one a column; a range or a single year."),
                THE_MODEL,
                *SHOWN,
            ),
            "A block of one metric: a row for each label, a column for each year.",
            "a block of patients, or of nominal USD or the currency asked for",
            '=LM_TABLE("revenue", A6:A12, B5:L5, Model)',
        ),
        Function(
            "LM_SHARE",
            (
                THE_METRIC,
                A_LABEL,
                A_YEAR,
                THE_MODEL,
                Argument(
                    "of",
                    "label",
                    "The label whose total is 1, a total or a group that holds the first label.",
                    "the total of all",
                ),
            ),
            "A label's share of a metric in a year.",
            "share",
            '=LM_SHARE("revenue", "Antibody-drug conjugates", 2035, Model, "Therapeutics")',
        ),
        Function(
            "LM_CAGR",
            (
                THE_METRIC,
                A_LABEL,
                THE_MODEL,
                Argument("first", "year", "The year that growth starts from.", "the first year"),
                Argument("last", "year", "The year that growth ends in.", "the last year"),
            ),
            "Compound annual growth of a metric between two years.",
            "growth per year",
            '=LM_CAGR("revenue", "Global", Model)',
        ),
        Function(
            "LM_GROWTH",
            (THE_METRIC, A_LABEL, A_YEAR, THE_MODEL),
            "Growth of a metric on the year before.",
            "growth on the year before",
            '=LM_GROWTH("revenue", "Therapeutics", 2030, Model)',
        ),
        Function(
            "LM_PRICE",
            (
                _label("segment", note=" (one therapy or test: prices are not summed)"),
                _label("region", note=" (one region)"),
                A_YEAR,
                THE_MODEL,
                Argument(
                    "basis",
                    "price_basis",
                    "The price before or after rebates and discounts.",
                    "net",
                    tuple(PRICE_BASES),
                ),
                *SHOWN,
            ),
            "Price of a therapy or test in a region and year.",
            "nominal USD, or the currency and unit asked for, per month, course or test",
            '=LM_PRICE("Osimertinib", "US", 2030, Model)',
        ),
        Function(
            "LM_PERCENTILE",
            (
                Argument(
                    "p",
                    "percentile",
                    'The percentile in whole percents: 0.1, or "P10", is exceeded by 90 % of the draws.',
                ),
                Argument("label", "label", "A label of any axis, a leaf or a group; a range gives a block."),
                A_YEAR,
                THE_MODEL,
                Argument(
                    "metric",
                    "percentile_metric",
                    "What draws are kept of. Revenue of a region or a subtype is that of the headline.",
                    "revenue",
                    tuple(PERCENTILE_METRICS),
                ),
                *SHOWN,
            ),
            "Percentile of revenue or patients in a year over the draws of a simulation; the first call for a model takes some seconds.",
            "patients, or net sales of the products that succeed in nominal USD or the currency asked for",
            '=LM_PERCENTILE(0.9, "Therapeutics", 2035, Model)',
        ),
        Function(
            "LM_FORECAST",
            (
                THE_METRIC,
                Argument("by", "by", f"{_by(FORECAST_BY)} What is not named is added up, years too."),
                THE_MODEL,
                ONE_REGION,
                ONE_SEGMENT,
                ONE_SUBTYPE,
                Argument("year", "year", "A year of the forecast, or a range of them.", "all years"),
                *SHOWN,
            ),
            "The forecast as a table for pivots and charts, one number a row: leaves within the labels given.",
            "a table with headers: scenario, what it is split by, metric, unit, value",
            '=LM_FORECAST("revenue", "region,year", Model, "Europe", "Therapeutics")',
            headed=True,
        ),
        Function(
            "LM_COMPARE",
            (
                FROM_MODEL,
                OTHER_MODEL,
                Argument("by", "by", _by(COMPARE_BY), "region"),
                A_METRIC,
                FIRST_OF_TWO,
                LAST_OF_TWO,
                ONE_REGION,
                ONE_SEGMENT,
                ONE_SUBTYPE,
                *SHOWN,
            ),
            "Two models, or two years of one, beside each other: every leaf and group within the labels given. Only leaves add up.",
            "a table with headers: labels, kind, metric, unit, before, after, difference, change",
            '=LM_COMPARE(Model, LM_SCENARIO(Model, "High"), "segment")',
            headed=True,
        ),
        Function(
            "LM_BRIDGE",
            (
                FROM_MODEL,
                OTHER_MODEL,
                A_METRIC,
                FIRST_OF_TWO,
                LAST_OF_TWO,
                ONE_REGION,
                ONE_SEGMENT,
                ONE_SUBTYPE,
                *SHOWN,
            ),
            "What drives the difference between two models, or between two years: a row for each driver, whose effects sum to it.",
            "a table with headers: driver, changed, before, effect, after, share, alone, interaction, unit",
            '=LM_BRIDGE(Model, LM_SCENARIO(Model, "High"))',
            headed=True,
        ),
        Function(
            "LM_TORNADO",
            (
                Argument("n", "count", "How many of the uncertain inputs to show, those that move it most."),
                THE_MODEL,
                A_METRIC,
                Argument("year", "year", "A year of the forecast.", "the last year"),
                ONE_REGION,
                ONE_SEGMENT,
                ONE_SUBTYPE,
                *SHOWN,
            ),
            "How far each uncertain input alone moves a number, from its P10 to its P90; the first call for a model takes a second or two.",
            "a table with headers: input, low, high, at_low, centre, at_high, low_effect, high_effect, swing, unit",
            "=LM_TORNADO(10, Model)",
            headed=True,
        ),
        Function(
            "LM_ASSUMPTION",
            (A_QUANTITY, A_YEAR, THE_MODEL, OF_REGION, OF_SEGMENT, OF_SUBTYPE),
            "The value of an assumption in the model's scenario.",
            "a number in the unit of the assumption",
            '=LM_ASSUMPTION("treatment_rate", 2030, Model, "Germany", , "Melanoma (cutaneous)")',
        ),
        Function(
            "LM_SOURCE",
            (A_QUANTITY, THE_MODEL, OF_REGION, OF_SEGMENT, OF_SUBTYPE),
            "Where an assumption comes from: its row, status and sources, and what the scenario does to it.",
            "text",
            '=LM_SOURCE("list_price", Model, , "Osimertinib")',
        ),
        Function(
            "LM_LIST",
            (Argument("axis", "axis", "What to list.", choices=LISTABLE), THE_MODEL),
            "The labels of an axis, leaves before groups, or the words that other arguments take.",
            "a column of text, or of years",
            '=LM_LIST("region", Model)',
        ),
        Function(
            "LM_WHY",
            (
                Argument("function", "function", "The name of the function, as text."),
                Argument(
                    "arguments", "any", "The same arguments as the cell that shows the error.", rest=True
                ),
            ),
            "What is wrong with a call, in words, and the nearest right one; or a note of inputs outside their plausible band"
            " and of launches after the patent's end or the horizon.",
            "text; blank where nothing is wrong or odd",
            '=LM_WHY("LM_PATIENTS", "Eurpe", 2030, Model)',
        ),
        Function(
            "LM_VERSION", (), "The version of lm_xl and the host that answers.", "text", "=LM_VERSION()"
        ),
    )
}

MODEL_AT = {f.name: i for f in FUNCTIONS.values() for i, a in enumerate(f.arguments) if a.kind == "model"}
"""The place of the model among the arguments of each function that takes one."""


assert all(
    not a.required
    for f in FUNCTIONS.values()
    for i, a in enumerate(f.arguments)
    if any(not b.required for b in f.arguments[:i])
)
