"""What the stages compute: their names, what they vary by, their units; the revenue bases and the funnel."""

from __future__ import annotations

from dataclasses import dataclass

from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, YEAR


@dataclass(frozen=True)
class Output:
    """A stage's output: its calculation sheet, what it varies by and its unit.

    One without a sheet has no cells of its own: it stands inside the formulas of later stages.
    """

    name: str
    sheet: str
    dims: tuple[int, ...]
    unit: str
    meaning: str


R, S, P = REGION, SEGMENT, SUBTYPE
RY, RPY, RSY, RSPY = (R, YEAR), (R, P, YEAR), (R, S, YEAR), (R, S, P, YEAR)

OUTPUTS: dict[str, Output] = {
    o.name: o
    for o in (
        Output("incidence", "Calc_Epidemiology", RPY, "cases", "new cases of the subtype"),
        Output("survival_exposure", "Calc_Epidemiology", RPY, "index", "patients at risk, index_year = 1"),
        Output("metastatic", "Calc_Epidemiology", RPY, "patients", "patients with metastatic disease"),
        Output("lm_cases", "Calc_Epidemiology", RPY, "patients", "patients with leptomeningeal metastases, found or not"),
        Output("test_yield", "Calc_Diagnosis", RSY, "share", "share of worked-up LM cases that one test finds"),
        Output("detection", "Calc_Diagnosis", RY, "share", "share of worked-up LM cases that any test finds"),
        Output("diagnosed", "Calc_Diagnosis", RPY, "patients", "patients diagnosed with LM"),
        Output("prevalence", "", RPY, "patients", "patients living with diagnosed LM"),
        Output("suspected", "Calc_Diagnosis", RPY, "patients", "patients worked up for suspected LM"),
        Output("tests", "Calc_Diagnosis", RSPY, "tests", "tests done"),
        Output("treated", "Calc_Diagnosis", RPY, "patients", "patients on LM-directed treatment"),
        Output("launch", "Calc_Launches", (R, S), "year", "launch after delays and accelerations"),
        Output("years_on_market", "Calc_Launches", RSY, "years", "years from launch to the end of the year"),
        Output("adoption", "Calc_Launches", RSY, "factor", "growth factor of the Bass curve in the middle of the year's time on the market"),
        Output("bass_curve", "Calc_Launches", RSY, "share", "share of peak reached on the Bass curve, the year's average"),
        Output("years_after_third", "Calc_Launches", RSY, "years", "years since the end of the third year on the market"),
        Output("typed_early", "Calc_Launches", RSY, "share", "share of peak gained on the typed curve in years 1 and 2"),
        Output("typed_middle", "Calc_Launches", RSY, "share", "share of peak gained on the typed curve in years 3 and 4"),
        Output("typed_late", "Calc_Launches", RSY, "share", "share of peak gained on the typed curve in years 5 and 6"),
        Output("uptake", "Calc_Launches", RSY, "share", "share of peak reached, the year's average; exactly 0 before launch"),
        Output("success", "Calc_Launches", (S,), "share", "probability of success with partnering"),
        Output("entrant_claim", "Calc_Share", RSPY, "share", "share of its set that an entrant takes"),
        Output("entrant_total", "Calc_Share", RSPY, "share", "what all entrants take of a set"),
        Output("expected_total", "", RSPY, "share", "what all entrants take of a set on average over success and failure"),
        Output("incumbent_claim", "Calc_Share", RSPY, "share", "share of its set that an incumbent would have without entrants"),
        Output("incumbent_total", "", RSPY, "share", "what all incumbents but the rest member would have"),
        Output("share", "Calc_Share", RSPY, "share", "share of the choice set; sums to 1 within it"),
        Output("expectation", "Calc_Share", RSPY, "factor", "what the others of a set have on average over success and failure, for what they have if all entrants succeed"),
        Output("patients_on_therapy", "Calc_Patients", RSPY, "patients", "patients on a therapy, once for each line"),
        Output("treatment_months", "Calc_Patients", (S, P, YEAR), "months or courses", "therapy taken by each patient on it"),
        Output("loss_of_exclusivity", "Calc_Prices", (R, S), "year", "the later of patent expiry and orphan exclusivity, never before launch"),
        Output("exclusive_years", "Calc_Prices", (R, S), "years", "years of exclusivity from launch; 0 where the launch comes after its patent"),
        Output("years_unprotected", "Calc_Prices", RSY, "years", "years from loss of exclusivity to the end of the year"),
        Output("falling", "Calc_Prices", RSY, "share", "part of the year in which the price falls"),
        Output("erosion", "Calc_Prices", RSY, "share", "share of the price lost since loss of exclusivity, the year's average"),
        Output("us_price", "Calc_Prices", RSY, "USD", "US price of a month, course or test, with what is given beside the product"),
        Output("gross_price", "Calc_Prices", RSY, "USD", "price in the region of a month, course or test before rebates"),
        Output("net_price", "", RSY, "USD", "gross price less rebates and discounts"),
        Output("reservoir_cost", "Calc_Prices", RSY, "USD", "price of a reservoir for each patient on a therapy, once"),
        Output("gross_sales", "Calc_Sales", RSPY, "USD", "sales at list price"),
        Output("net_sales", "", RSPY, "USD", "sales net of rebates and discounts"),
        Output("risk_adjusted_sales", "Calc_Sales", RSPY, "USD", "net sales on average over success and failure of the pipeline: the headline"),
    )
}  # fmt: skip

PATIENT_STAGES = ("incidence", "metastatic", "lm_cases", "suspected", "diagnosed", "treated", "prevalence")
"""Counts of people by region and subtype, for `Results.patients`."""

SHRINKING_PATIENTS = (
    ("incidence", "metastatic"),
    ("metastatic", "lm_cases"),
    ("lm_cases", "diagnosed"),
    ("diagnosed", "treated"),
)
"""Each second output counts some of the patients of the first."""

SHRINKING = (
    *SHRINKING_PATIENTS,
    ("gross_price", "net_price"),
    ("gross_sales", "net_sales"),
    ("entrant_total", "expected_total"),
)
"""What can only shrink: no second output is above the first, in any run, region, segment, subtype and year."""

BASES = {"gross": "gross_sales", "net": "net_sales", "risk_adjusted": "risk_adjusted_sales"}
"""The revenue bases and the outputs they name."""

ADDED_UP = {*PATIENT_STAGES, "tests", "patients_on_therapy", *BASES.values()}
"""What is added up over regions, segments or subtypes, so that each of these has its own."""

BASIS_NAMES = {"risk_adjusted": "Risk-adjusted net", "net": "Net", "gross": "Gross"}
"""The revenue bases as the cover lists them, the headline first."""
