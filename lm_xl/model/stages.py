"""The model, read like algebra: each stage is a pure function of assumptions and earlier stages, by name.

Every array has the axes (run, region, segment, subtype, year), size 1 where it does not vary. No number stands here but 0
and 1. What varies by what, and in which unit, is in `schema`; beside the quantities a stage may ask for the structure:
`year`, `rest_of` (each therapy's rest member), and the 0/1 masks `is_entrant`, `is_rest`, `is_protected`.

A year's number is the year's average: what a launch or a loss of exclusivity moves counts from its day on.
"""

from __future__ import annotations

from lm_xl.model.axes import SEGMENT
from lm_xl.model.ops import Array, any_of, exp, half, maximum, minimum, ratio, set_total, spread, where

# Epidemiology


def incidence(
    incident_cases: Array, subtype_share: Array, incidence_growth: Array, incidence_year: Array, year: Array
) -> Array:
    """New cases of each subtype: the registry's count of the cancer, split, and grown from the registry's year."""
    return incident_cases * subtype_share * (1 + incidence_growth) ** (year - incidence_year)


def survival_exposure(survival_exposure_growth: Array, year: Array, index_year: Array) -> Array:
    """Patients at risk as an index: longer survival with metastases leaves more time for LM."""
    return (1 + survival_exposure_growth) ** (year - index_year)


def metastatic(
    incidence: Array,
    incidence_growth: Array,
    years_to_lm: Array,
    ever_metastatic_share: Array,
    survival_exposure: Array,
) -> Array:
    """Patients whose cancer is metastatic by now, of the new cases of as many years ago as LM takes to come."""
    return incidence / (1 + incidence_growth) ** years_to_lm * ever_metastatic_share * survival_exposure


def lm_cases(
    metastatic: Array, lm_risk: Array, lm_risk_growth: Array, year: Array, index_year: Array
) -> Array:
    """True LM cases, found or not."""
    return metastatic * lm_risk * (1 + lm_risk_growth) ** (year - index_year)


# Diagnosis


def test_yield(test_use: Array, sensitivity: Array) -> Array:
    """Share of cases that a test finds: it is done, and sees them."""
    return test_use * sensitivity


def detection(test_yield: Array) -> Array:
    """Share of cases that at least one test finds, tests failing independently."""
    return any_of(test_yield, SEGMENT)


def diagnosed(lm_cases: Array, care_access: Array, detection: Array) -> Array:
    """Cases that reach work-up and are found there."""
    return lm_cases * care_access * detection


def prevalence(diagnosed: Array, survival_with_lm: Array) -> Array:
    """Patients living with diagnosed LM: those of a year times the years that they live."""
    return diagnosed * survival_with_lm


def suspected(lm_cases: Array, suspected_per_case: Array, care_access: Array) -> Array:
    """Patients worked up: tests follow the suspicion, not the diagnosis."""
    return lm_cases * suspected_per_case * care_access


def tests(suspected: Array, test_use: Array, tests_per_patient: Array) -> Array:
    """Tests done."""
    return suspected * test_use * tests_per_patient


# Treatment


def treated(diagnosed: Array, treatment_rate: Array) -> Array:
    """Diagnosed patients who get LM-directed treatment."""
    return diagnosed * treatment_rate


def launch(
    planned_launch: Array,
    trial_delay: Array,
    regulatory_acceleration: Array,
    partnering: Array,
    partnering_time_saved: Array,
    regional_lag: Array,
) -> Array:
    """Launch in each region, as a point in time: 2030.5 is the middle of 2030. A product may come after its patent."""
    return (
        planned_launch
        + trial_delay
        - regulatory_acceleration
        - partnering * partnering_time_saved
        + regional_lag
    )


def years_on_market(launch: Array, year: Array, is_entrant: Array) -> Array:
    """Years from launch to the end of the year, 0 until then."""
    return is_entrant * maximum(year + 1 - launch, 0)


def adoption(years_on_market: Array, bass_innovation: Array, bass_imitation: Array) -> Array:
    """The Bass curve's growth factor in the middle of a year's time on the market, 1 before launch."""
    middle = years_on_market - half(minimum(years_on_market, 1))
    return exp((bass_innovation + bass_imitation) * middle)


def bass_curve(
    adoption: Array, years_on_market: Array, bass_innovation: Array, bass_imitation: Array
) -> Array:
    """Bass (1969): share of the peak reached on the year's average, exactly 0 before launch.

    It is read in the middle of the time on the market and counts for that part of the year.
    """
    return minimum(years_on_market, 1) * (adoption - 1) / (adoption + bass_imitation / bass_innovation)


def years_after_third(years_on_market: Array) -> Array:
    """Years since the end of the third year on the market, 0 until then."""
    return maximum(years_on_market - 1 - 1 - 1, 0)


def typed_early(years_on_market: Array, uptake_gain_1: Array, uptake_gain_2: Array) -> Array:
    """Share of the peak that a typed curve gains in the first two years after launch.

    A gain is of a year's average on that of the year before. A calendar year takes its parts of both: with a launch in
    mid-year, half of each.
    """
    first, second = minimum(years_on_market, 1), minimum(maximum(years_on_market - 1, 0), 1)
    return uptake_gain_1 * first + uptake_gain_2 * second


def typed_middle(
    years_on_market: Array, years_after_third: Array, uptake_gain_3: Array, uptake_gain_4: Array
) -> Array:
    """Share of the peak that a typed curve gains in the third and the fourth year."""
    third, fourth = minimum(maximum(years_on_market - 1 - 1, 0), 1), minimum(years_after_third, 1)
    return uptake_gain_3 * third + uptake_gain_4 * fourth


def typed_late(years_after_third: Array, uptake_gain_5: Array, uptake_gain_6: Array) -> Array:
    """Share of the peak that a typed curve gains in the fifth and the sixth year, and none after it."""
    fifth = minimum(maximum(years_after_third - 1, 0), 1)
    sixth = minimum(maximum(years_after_third - 1 - 1, 0), 1)
    return uptake_gain_5 * fifth + uptake_gain_6 * sixth


def uptake(
    bass_curve: Array, typed_early: Array, typed_middle: Array, typed_late: Array, typed_uptake: Array
) -> Array:
    """Share of the peak reached on the year's average, exactly 0 before launch: on the curve of Bass, or as typed."""
    return bass_curve * (1 - typed_uptake) + (typed_early + typed_middle + typed_late) * typed_uptake


def success(probability_of_success: Array, partnering: Array, partnering_success_gain: Array) -> Array:
    """Probability of success, raised by partnering; 1 for what is on the market."""
    return probability_of_success + (1 - probability_of_success) * partnering * partnering_success_gain


def entrant_claim(
    peak_share: Array,
    order_of_entry_loss: Array,
    cns_penetration: Array,
    uptake: Array,
    market_access: Array,
    biomarker_gated: Array,
    biomarker_testing: Array,
) -> Array:
    """What an entrant takes of its set: its peak, as far as order of entry, barrier, uptake, access and testing let it."""
    return (
        peak_share
        * (1 - order_of_entry_loss)
        * cns_penetration
        * uptake
        * market_access
        * (1 - biomarker_gated * (1 - biomarker_testing))
    )


def entrant_total(entrant_claim: Array, rest_of: Array) -> Array:
    """What all entrants take of a set."""
    return set_total(entrant_claim, rest_of)


def expected_total(entrant_claim: Array, success: Array, rest_of: Array) -> Array:
    """What all entrants take of a set on average over their success and failure."""
    return set_total(entrant_claim, rest_of, success)


def incumbent_claim(
    base_share: Array,
    share_as_measured: Array,
    market_access: Array,
    biomarker_gated: Array,
    biomarker_testing: Array,
) -> Array:
    """What an incumbent would have without entrants: a share measured in the region shows access and testing already."""
    reach = market_access * (1 - biomarker_gated * (1 - biomarker_testing))
    return base_share * (1 - (1 - share_as_measured) * (1 - reach))


def incumbent_total(incumbent_claim: Array, rest_of: Array) -> Array:
    """What all incumbents would have; the rest member has what is left."""
    return set_total(incumbent_claim, rest_of)


def share(
    entrant_claim: Array,
    incumbent_claim: Array,
    entrant_total: Array,
    incumbent_total: Array,
    is_rest: Array,
    rest_of: Array,
) -> Array:
    """Shares within a set: incumbents and the rest member give way to entrants in proportion. They sum to 1."""
    settled = incumbent_claim + is_rest * (1 - spread(incumbent_total, rest_of))
    return entrant_claim + settled * (1 - spread(entrant_total, rest_of))


def expectation(expected_total: Array, entrant_total: Array) -> Array:
    """What the others of a set have on average over success and failure, for what they have if all entrants succeed.

    It is exact: each entrant's success moves the shares in a straight line.
    """
    return ratio(1 - expected_total, 1 - entrant_total)


def patients_on_therapy(treated: Array, set_use: Array, lines_of_therapy: Array, share: Array) -> Array:
    """Patients on each therapy, once for each line; sets overlap, so a patient may count in several."""
    return treated * set_use * lines_of_therapy * share


# Money


def treatment_months(months_on_therapy: Array, compliance: Array, heterogeneity_penalty: Array) -> Array:
    """Months or courses that a patient on a therapy takes."""
    return months_on_therapy * compliance * (1 - heterogeneity_penalty)


def loss_of_exclusivity(
    patent_expiry: Array, launch: Array, orphan_exclusivity: Array, is_protected: Array
) -> Array:
    """The later of patent expiry and the end of orphan exclusivity; 0 where there is no exclusivity to lose.

    It is never before launch: a product that comes after its patent, without orphan exclusivity, starts at its price and
    loses it from the first day.
    """
    return is_protected * maximum(patent_expiry, launch + orphan_exclusivity)


def exclusive_years(
    loss_of_exclusivity: Array, launch: Array, is_protected: Array, is_entrant: Array
) -> Array:
    """Years of exclusivity that a launch has before it; 0 where it comes after its patent. No later stage takes them."""
    return is_protected * is_entrant * (loss_of_exclusivity - launch)


def years_unprotected(loss_of_exclusivity: Array, year: Array, is_protected: Array) -> Array:
    """Years from loss of exclusivity to the end of the year, 0 until then."""
    return is_protected * maximum(year + 1 - loss_of_exclusivity, 0)


def falling(years_unprotected: Array, erosion_years: Array, is_protected: Array) -> Array:
    """Part of the year in which the price falls, in a straight line over `erosion_years`."""
    by_start = minimum(maximum(years_unprotected - 1, 0), erosion_years)
    return is_protected * (minimum(years_unprotected, erosion_years) - by_start)


def erosion(
    exclusivity_erosion: Array, years_unprotected: Array, falling: Array, erosion_years: Array
) -> Array:
    """Share of the price lost on the year's average, exactly: the fall at the middle of its part of the year, and all of it after."""
    middle = minimum(years_unprotected, erosion_years) - half(falling)
    fallen = minimum(years_unprotected, 1) - falling
    return exclusivity_erosion * (falling * middle / erosion_years + fallen)


def us_price(list_price: Array, dose_factor: Array, erosion: Array, administration_price: Array) -> Array:
    """Price in the US in index_year of a month, course or test: the product at the dose that is given, and giving it."""
    return list_price * dose_factor * (1 - erosion) + administration_price


def gross_price(
    us_price: Array, price_ratio: Array, price_growth: Array, year: Array, index_year: Array
) -> Array:
    """Price in the region before rebates."""
    return us_price * price_ratio * (1 + price_growth) ** (year - index_year)


def reservoir_cost(
    reservoir_use: Array,
    reservoir_price: Array,
    price_ratio: Array,
    price_growth: Array,
    year: Array,
    index_year: Array,
) -> Array:
    """Price in the region of a reservoir, for each patient on a therapy, once."""
    return reservoir_use * reservoir_price * price_ratio * (1 + price_growth) ** (year - index_year)


def net_price(gross_price: Array, gross_to_net: Array) -> Array:
    """Price after rebates and discounts."""
    return gross_price * (1 - gross_to_net)


def gross_sales(
    patients_on_therapy: Array,
    treatment_months: Array,
    gross_price: Array,
    reservoir_cost: Array,
    tests: Array,
    attribution: Array,
) -> Array:
    """Sales at list price of therapies and tests, as far as they count as LM revenue."""
    therapies = patients_on_therapy * (treatment_months * gross_price + reservoir_cost)
    return (therapies + tests * gross_price) * attribution


def net_sales(gross_sales: Array, gross_to_net: Array) -> Array:
    """Sales net of rebates and discounts."""
    return gross_sales * (1 - gross_to_net)


def risk_adjusted_sales(
    net_sales: Array, success: Array, expectation: Array, is_entrant: Array, rest_of: Array
) -> Array:
    """Net sales on average over success and failure: a product that fails leaves its patients to the others."""
    return net_sales * where(is_entrant, success, spread(expectation, rest_of, 1))
