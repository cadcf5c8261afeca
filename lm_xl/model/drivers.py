"""The forces on the market, each with the quantities that carry it."""

from __future__ import annotations

from dataclasses import dataclass

from lm_xl.model.quantities import UPTAKE_YEARS


@dataclass(frozen=True)
class Driver:
    """A force on the market as a bridge shows it: the quantities that carry it, and the stages in which time passes on its account."""

    name: str
    quantities: tuple[str, ...]
    clocks: tuple[str, ...] = ()


DRIVERS = (
    Driver(
        "Cancer incidence",
        ("incident_cases", "incidence_year", "incidence_growth", "subtype_share", "years_to_lm"),
        ("incidence",),
    ),
    Driver(
        "Longer survival",
        ("ever_metastatic_share", "survival_exposure_growth", "survival_with_lm"),
        ("survival_exposure",),
    ),
    Driver("Risk of LM", ("lm_risk", "lm_risk_growth"), ("lm_cases",)),
    Driver("Access to care", ("care_access", "treatment_rate")),
    Driver("Imaging and CSF tests", ("test_use", "sensitivity")),
    Driver("Tests per patient", ("suspected_per_case", "tests_per_patient")),
    Driver("Therapies in use", ("set_use", "lines_of_therapy", "base_share")),
    Driver("Efficacy and toxicity", ("months_on_therapy", "compliance")),
    Driver("Blood-brain barrier", ("cns_penetration",)),
    Driver("Tumour heterogeneity", ("heterogeneity_penalty",)),
    Driver(
        "New therapies",
        (
            "planned_launch",
            "peak_share",
            "order_of_entry_loss",
            "bass_innovation",
            "bass_imitation",
            "typed_uptake",
            *(f"uptake_gain_{k}" for k in UPTAKE_YEARS),
        ),
        ("years_on_market",),
    ),
    Driver("Precision medicine", ("biomarker_gated", "biomarker_testing")),
    Driver("Rarity and trials", ("trial_delay", "probability_of_success")),
    Driver("Accelerated approval", ("regulatory_acceleration", "regional_lag")),
    Driver(
        "Exclusivity",
        ("orphan_exclusivity", "patent_expiry", "exclusivity_erosion", "erosion_years"),
        ("years_unprotected",),
    ),
    Driver("Partnering", ("partnering", "partnering_time_saved", "partnering_success_gain")),
    Driver("Regional access and prices", ("market_access", "share_as_measured", "price_ratio")),
    Driver("Dose and delivery", ("dose_factor", "administration_price", "reservoir_use", "reservoir_price")),
    Driver(
        "Prices and rebates",
        ("list_price", "price_growth", "gross_to_net"),
        ("gross_price", "reservoir_cost"),
    ),
    Driver("Attribution", ("attribution",)),
)
"""The drivers of the market in the order of a bridge. Each quantity but those of the Timeline, and each stage that sees the year, has one."""

DRIVER_OF = {quantity: driver.name for driver in DRIVERS for quantity in driver.quantities}
"""The driver that carries each quantity."""
