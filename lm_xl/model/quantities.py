"""The vocabulary: one row per quantity. Names, dimensions, units, allowed ranges and meanings; no values."""

from __future__ import annotations

from dataclasses import dataclass

from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE

THERAPY = ("incumbent", "entrant", "rest")
CHOSEN = ("incumbent", "entrant")
ANY = (*THERAPY, "test")


@dataclass(frozen=True)
class Quantity:
    """An assumption: where it lives, what it varies by, its units, its allowed range, and which segments have it."""

    name: str
    sheet: str
    dims: tuple[int, ...]
    units: tuple[str, ...]
    least: float
    most: float
    meaning: str
    roles: tuple[str, ...] = ANY
    moves: bool = False
    can_be_never: bool = False
    absent: int = 0
    """The neutral 0 or 1 that stands where a segment has no such quantity."""
    is_count: bool = False
    """An absolute number of a region: each region has its own."""
    by_kind: bool = False
    """Whether no row may stand for products of different kinds."""


UPTAKE_YEARS = range(1, 7)
"""The years after launch of a typed uptake curve."""

R, S, P = REGION, SEGMENT, SUBTYPE
_CALENDAR = (1900.0, 2100.0)
_SHARE = (0.0, 1.0)
_GROWTH = (-0.3, 0.3)

QUANTITIES: dict[str, Quantity] = {
    q.name: q
    for q in (
        Quantity("first_year", "Timeline", (), ("year",), *_CALENDAR, "first year of the forecast"),
        Quantity("last_year", "Timeline", (), ("year",), *_CALENDAR, "last year of the forecast"),
        Quantity("index_year", "Timeline", (), ("year",), *_CALENDAR,
                 "year in which survival_exposure and the lm_risk trend are 1, and of which prices are"),
        # Epidemiology
        Quantity("incident_cases", "Epidemiology", (R, P), ("cases per year",), 0, 1e8,
                 "new cases of the whole cancer (the set of the subtype) in incidence_year", is_count=True),
        Quantity("incidence_year", "Epidemiology", (R, P), ("year",), *_CALENDAR, "year of incident_cases"),
        Quantity("incidence_growth", "Epidemiology", (R, P), ("per year",), *_GROWTH, "growth of new cases"),
        Quantity("subtype_share", "Epidemiology", (R, P), ("share",), *_SHARE,
                 "share of a cancer's new cases that is this subtype; sums to 1 within the cancer"),
        Quantity("ever_metastatic_share", "Epidemiology", (R, P), ("share",), *_SHARE,
                 "share of new cases that are metastatic at diagnosis or become so"),
        Quantity("survival_exposure_growth", "Epidemiology", (R, P), ("per year",), *_GROWTH,
                 "growth of survival_exposure: longer survival puts more patients at risk"),
        Quantity("lm_risk", "Epidemiology", (R, P), ("share",), *_SHARE,
                 "share of metastatic patients who develop leptomeningeal metastases, found or not"),
        Quantity("lm_risk_growth", "Epidemiology", (R, P), ("per year",), *_GROWTH, "trend of lm_risk"),
        Quantity("years_to_lm", "Epidemiology", (P,), ("years",), 0, 30,
                 "years from the diagnosis of the cancer to LM: today's LM comes from the new cases of so many years ago"),
        Quantity("survival_with_lm", "Epidemiology", (P,), ("years",), 0, 20,
                 "mean survival from the diagnosis of LM"),
        # Diagnosis
        Quantity("care_access", "Diagnosis", (R,), ("share",), *_SHARE,
                 "share of LM patients within reach of work-up, relative to the US", moves=True),
        Quantity("test_use", "Diagnosis", (R, S), ("share",), *_SHARE,
                 "share of suspected patients who get the test", ("test",), moves=True),
        Quantity("sensitivity", "Diagnosis", (S,), ("share",), *_SHARE,
                 "share of LM patients whom the test finds; never for a test that does not detect LM", ("test",), can_be_never=True),
        Quantity("suspected_per_case", "Diagnosis", (R,), ("patients per case",), 0.1, 20,
                 "patients worked up for suspected LM for each who has it"),
        Quantity("tests_per_patient", "Diagnosis", (S,), ("tests per patient",), 0, 50, "tests for each patient tested", ("test",)),
        # Treatment
        Quantity("treatment_rate", "Treatment", (R, P), ("share",), *_SHARE,
                 "share of the diagnosed who get LM-directed treatment", moves=True),
        Quantity("set_use", "Treatment", (R, S, P), ("share",), *_SHARE,
                 "share of the treated who get anything of a choice set; sets overlap, one value for all members of a set", THERAPY, moves=True),
        Quantity("lines_of_therapy", "Treatment", (S, P), ("lines",), 1, 5,
                 "regimens of its set that a treated patient gets, one after the other", THERAPY, absent=1),
        Quantity("base_share", "Treatment", (R, S, P), ("share",), *_SHARE,
                 "an incumbent's share of its choice set before testing, access and entrants", ("incumbent",), moves=True, can_be_never=True),
        Quantity("share_as_measured", "Treatment", (R, S, P), ("share",), *_SHARE,
                 "1 where base_share was measured in the region: it shows market_access and biomarker_testing already, which lower it no further",
                 ("incumbent",)),
        Quantity("peak_share", "Treatment", (R, S, P), ("share",), *_SHARE,
                 "an entrant's share of its choice set at full uptake, with full CNS penetration and access", ("entrant",), can_be_never=True),
        Quantity("cns_penetration", "Treatment", (S,), ("share",), *_SHARE,
                 "share of peak_share that the blood-brain barrier leaves an entrant", ("entrant",)),
        Quantity("market_access", "Treatment", (R, S), ("share",), *_SHARE,
                 "share of its demand that a therapy can meet: reimbursed and distributed", CHOSEN, moves=True),
        Quantity("biomarker_gated", "Treatment", (S,), ("share",), *_SHARE,
                 "share of a therapy's use that needs a biomarker test", CHOSEN),
        Quantity("biomarker_testing", "Treatment", (R, P), ("share",), *_SHARE,
                 "share of patients of a subtype whose tumour is profiled", moves=True),
        Quantity("months_on_therapy", "Treatment", (S, P), ("months", "courses"), 0, 60,
                 "months (or courses) of a therapy for each patient on it", THERAPY),
        Quantity("compliance", "Treatment", (S,), ("share",), *_SHARE, "share of the planned doses that are taken", THERAPY),
        Quantity("heterogeneity_penalty", "Treatment", (P,), ("share",), *_SHARE,
                 "share of the time on therapy lost to tumour heterogeneity", moves=True),
        # Launches
        Quantity("order_of_entry_loss", "Launches", (S,), ("share",), *_SHARE,
                 "share of its peak that an entrant loses for coming late in its class", ("entrant",)),
        Quantity("planned_launch", "Launches", (S,), ("year",), *_CALENDAR, "planned first launch, before delays and accelerations", ("entrant",)),
        Quantity("trial_delay", "Launches", (S,), ("years",), 0, 50, "delay because LM patients are few and hard to enrol", ("entrant",)),
        Quantity("regulatory_acceleration", "Launches", (S,), ("years",), 0, 10, "years gained by accelerated approval", ("entrant",)),
        Quantity("regional_lag", "Launches", (R, S), ("years",), 0, 50, "years from first launch to launch in the region", ("entrant",)),
        Quantity("partnering", "Launches", (S,), ("share",), *_SHARE, "strength of collaborations behind a product, 0 to 1", ("entrant",)),
        Quantity("partnering_time_saved", "Launches", (S,), ("years",), 0, 10, "years that full partnering saves", ("entrant",)),
        Quantity("partnering_success_gain", "Launches", (S,), ("share",), *_SHARE,
                 "share of the failure risk that full partnering removes", ("entrant",)),
        Quantity("bass_innovation", "Launches", (S,), ("per year",), 1e-6, 5, "coefficient p of the Bass uptake curve, which is read in the middle of a year's time on the market", ("entrant",), absent=1),
        Quantity("bass_imitation", "Launches", (S,), ("per year",), 0, 5, "coefficient q of the Bass uptake curve", ("entrant",)),
        Quantity("typed_uptake", "Launches", (S,), ("share",), *_SHARE,
                 "1 where uptake follows the curve typed in uptake_gain_1 to 6, 0 where it follows Bass; between them a mixture", ("entrant",)),
        *(
            Quantity(f"uptake_gain_{k}", "Launches", (S,), ("share",), *_SHARE,
                     f"share of the peak that the average of year {k} after launch gains on the year before, typed or of an analogue", ("entrant",))
            for k in UPTAKE_YEARS
        ),
        Quantity("probability_of_success", "Launches", (S,), ("share",), *_SHARE, "probability that the product reaches its market; 1 once marketed", ("entrant",), absent=1),
        Quantity("patent_expiry", "Launches", (R, S), ("year",), *_CALENDAR,
                 "year in which the last blocking patent ends, perhaps before launch; never where there is no exclusivity to lose and the price does not fall", THERAPY, can_be_never=True),
        Quantity("orphan_exclusivity", "Launches", (R, S), ("years",), 0, 20, "years of orphan exclusivity from launch; 0 where patent_expiry is never", ("entrant",)),
        Quantity("exclusivity_erosion", "Launches", (R, S), ("share",), *_SHARE, "share of the price lost in the end after loss of exclusivity", THERAPY),
        Quantity("erosion_years", "Launches", (R, S), ("years",), 0.1, 20, "years over which the price falls, in a straight line, after loss of exclusivity; a year has the year's average", THERAPY, absent=1),
        # Pricing
        Quantity("list_price", "Pricing", (S,), ("USD per month", "USD per course", "USD per test"), 0, 1e7, "US list price in index_year"),
        Quantity("dose_factor", "Pricing", (R, S), ("ratio",), 0.1, 10,
                 "dose given in LM over the dose that list_price pays for", THERAPY, absent=1),
        Quantity("administration_price", "Pricing", (S,), ("USD per month", "USD per course"), 0, 1e7,
                 "US price of giving a therapy, beside the product; never where nothing is charged apart", THERAPY, can_be_never=True),
        Quantity("reservoir_use", "Pricing", (S,), ("share",), *_SHARE,
                 "share of patients on a therapy who get a reservoir for it; never where none is placed", THERAPY, can_be_never=True),
        Quantity("reservoir_price", "Pricing", (S,), ("USD per patient",), 0, 1e6,
                 "US price of placing a reservoir, once; never where none is placed", THERAPY, can_be_never=True),
        Quantity("price_ratio", "Pricing", (R, S), ("ratio",), 0, 5, "price relative to the US", moves=True, by_kind=True),
        Quantity("price_growth", "Pricing", (R, S), ("per year",), *_GROWTH, "growth of prices, nominal USD", by_kind=True),
        Quantity("gross_to_net", "Pricing", (R, S), ("share",), *_SHARE, "share of the list price given away in rebates and discounts", moves=True),
        Quantity("attribution", "Pricing", (S, P), ("share",), *_SHARE,
                 "share of the use of a therapy or test that counts as LM revenue", moves=True),
    )
}  # fmt: skip
