"""The words of the deliverable: method, glossary, drivers, and what each sheet answers. No values: those live in the workbook."""

from __future__ import annotations

from dataclasses import dataclass

METHOD: tuple[tuple[str, str], ...] = (
    (
        "Purpose",
        "The model estimates how many people develop leptomeningeal metastases (LM), how many of them are found and treated, and what their "
        "therapies and tests are worth, by region, cancer subtype, segment and year. It shows every step from a cancer registry to a sale, so "
        "that each number can be questioned and changed.",
    ),
    (
        "Intended use, and what it is not for",
        "It supports portfolio, licensing and launch decisions: sizing the market, comparing scenarios, ranking what matters, and testing "
        "a client's own assumptions. It is most reliable for differences between scenarios. It is not a guide to treatment, a valuation of a "
        "company, a payer's budget impact model, or evidence of efficacy; a single therapy in a single region should not be quoted without its rows.",
    ),
    (
        "Funding",
        "To be filled by the team that delivers the workbook: who paid, who saw drafts, and who had the right to change them.",
    ),
    (
        "Scope and definitions",
        "LM is the spread of a solid cancer to the leptomeninges and the cerebrospinal fluid. Blood cancers, primary brain tumours and "
        "non-melanoma skin cancer are left out. Therapeutics are intrathecal, radiation and systemic treatments of patients treated for LM; "
        "diagnostics are the tests of patients suspected of it. Surgery, shunts, supportive drugs and hospital stays are not counted.",
    ),
    (
        "Structure: epidemiology",
        "New cases of each cancer come from a registry, are grown from the registry's year, and are split into subtypes. A share is or "
        "becomes metastatic; longer survival raises the number at risk. A share of the metastatic develops LM, whether or not it is ever "
        "found, with a trend of its own.",
    ),
    (
        "Structure: diagnosis",
        "A case is diagnosed when the patient is within reach of work-up and at least one test finds it; tests are taken to miss cases "
        "independently of each other. Tests are counted on everyone suspected of LM, not only on the confirmed, so demand for tests exceeds "
        "what the count of patients suggests.",
    ),
    (
        "Structure: treatment",
        "A share of the diagnosed is treated for LM. The treated use choice sets, therapies compete within each set, and patients on a "
        "therapy are the treated times the use of the set times the therapy's share. Time on therapy is in months or courses and is reduced "
        "for missed doses and for tumour heterogeneity.",
    ),
    (
        "Structure: launches",
        "A launch is the planned date, plus trial delay, less what accelerated approval and partnering save, plus the lag of the region. "
        "Uptake follows a Bass curve from launch, is read at the end of each year, and is exactly zero before launch. A product launched "
        "before the first year is already on its curve.",
    ),
    (
        "Structure: money",
        "Gross sales are patients times months or courses times the share counted as LM revenue times the list price, plus tests times "
        "their price. Net sales deduct rebates and discounts. Risk-adjusted sales multiply net sales by the probability of success, which "
        "is one for products on the market.",
    ),
    (
        "Choice sets and shares",
        "The sets are intrathecal treatment, radiotherapy and systemic treatment. They overlap: a patient may use several, so their use may "
        "add up to more than one and is never rescaled. Within a set shares sum to one: entrants take what barrier, uptake, access and "
        "testing allow, incumbents give way in proportion, and the rest member has what is left.",
    ),
    (
        "Data",
        "Each assumption has a unit, a source, a status and a note. Sourced means read in the source; derived means computed from cited "
        "figures or carried from a known publication; expert means judgement anchored on a source; placeholder means to be replaced. Most "
        "rows are judgement, because no registry of LM exists. Sources are graded A to C on the Sources sheet.",
    ),
    (
        "Calibration",
        "The true risk of LM is set so that the modelled number of diagnosed patients agrees with published probabilities of diagnosed LM, given what "
        "work-up finds. Nothing is calibrated to a published market size. Such figures are compared on Triangulation, each at its own regions, segments and year.",
    ),
    (
        "Uncertainty: what low and high mean",
        "Low and high are the tenth and the ninetieth percentile of belief about one input, unless the row's note says otherwise. They document "
        "uncertainty; the forecast uses the value itself. Lows of several inputs do not add up to a low of the total: percentiles are "
        "never summed. Scenarios are coherent stories, not percentiles, and carry no probability.",
    ),
    (
        "Validation done",
        "At build every formula is recalculated by an independent spreadsheet engine and compared with the same model run in Python. "
        "Verification repeats this for every scenario, and again with every input changed at once. The Checks sheet holds the "
        "identities as live formulas: stages only shrink, shares sum to one, totals agree however added, and inputs stay in range. "
        "Agreement shows that the formulas do what the model says, not that its inputs are right: for that, use Triangulation and the sources.",
    ),
    (
        "Currency, prices and inflation",
        "The model computes in nominal US dollars: prices grow from the index year at the rates on the Pricing sheet, without a separate inflation "
        "step and without discounting. Another currency chosen on the cover is converted at one rate for all years. Prices outside the US are "
        "ratios to the US price and reflect net levels, so gross sales there are notional.",
    ),
    (
        "Limits and weaknesses",
        "Rates outside the few countries with data are those countries' rates times an index of access. Treatment shares rest on older claims "
        "and single centres. Imaging weighs heavily in diagnostics, and its price abroad follows a drug price ratio that is probably too high. "
        "Each year stands alone: patients are not followed from one year to the next.",
    ),
    (
        "Pipeline and displacement",
        "A pipeline product takes its whole share of patients, while only its probability of success counts as revenue; what it displaces is not "
        "put back. Risk-adjusted totals are slightly low for it, and a scenario that slows the pipeline can raise them.",
    ),
    (
        "How to trace a number",
        "Start from any output cell and follow its formula: By_region adds up Region_x_segment, which refers to Calc_Totals, Calc_Sales and Calc_Patients in turn. "
        "Each chain ends on Inputs, where the column 'from' names the assumption's cell. That row has the source and the note; Sources has the citation.",
    ),
)

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("7MM", "The seven major markets: the US, Germany, France, the UK, Italy, Spain and Japan."),
    ("ADC", "Antibody-drug conjugate: an antibody that carries a cytotoxic drug to cells with its target."),
    ("Adoption (adoption)", "The exponential growth factor of the Bass curve, from which uptake is computed; one before launch."),
    ("ALK", "Anaplastic lymphoma kinase; its rearrangement defines a subtype of lung cancer that responds to ALK inhibitors."),
    ("Attribution (attribution)", "Share of a therapy's use in LM patients that counts as LM revenue rather than as revenue of the primary cancer."),
    ("Base share (base_share)", "An incumbent's share of its choice set before testing, access and entrants reduce it."),
    ("Bass curve (bass_innovation, bass_imitation)", "Model of adoption with two rates: adopters who act on their own, and adopters who follow others."),
    ("BBB", "Blood-brain barrier: the vessel wall that keeps most drugs out of the brain and the cerebrospinal fluid."),
    ("Biomarker gating (biomarker_gated)", "Share of a therapy's use that needs a positive biomarker test first."),
    ("Biomarker testing (biomarker_testing)", "Share of patients of a subtype whose tumour is profiled; limits the therapies that are gated."),
    ("CAGR", "Compound annual growth rate between the first and the last year of the forecast; n/a where the first year is zero."),
    ("Care access (care_access)", "Share of LM patients within reach of work-up, relative to the US."),
    ("Choice set (set_use)", "Therapies that compete for the same patient; set use is the share of the treated who get any of them. Sets overlap."),
    ("CNS", "Central nervous system: brain, spinal cord and the spaces around them."),
    ("CNS penetration (cns_penetration)", "Share of an entrant's peak share that remains once the blood-brain barrier is allowed for."),
    ("Compliance (compliance)", "Share of the planned doses that are taken; toxicity and frailty lower it."),
    ("CSF", "Cerebrospinal fluid: the fluid around the brain and spinal cord, sampled by lumbar puncture."),
    ("CSI", "Craniospinal irradiation: radiation of the whole brain and spinal canal, with protons or photons."),
    ("ctDNA", "Circulating tumour DNA: tumour fragments in blood or cerebrospinal fluid, read by a liquid biopsy."),
    ("Detection (detection)", "Share of LM cases that are worked up which at least one test finds."),
    ("Diagnosed (diagnosed)", "Patients whose LM is found: cases within reach of work-up times detection."),
    ("EGFR", "Epidermal growth factor receptor; its mutation defines a subtype of lung cancer that responds to EGFR inhibitors."),
    ("Entrant", "A therapy with a launch date and an uptake curve; it may have been launched before the forecast starts."),
    ("Entrant claim (entrant_claim, entrant_total)", "Share of a choice set that one entrant takes, and that all entrants take together."),
    ("Erosion (erosion, exclusivity_erosion, erosion_years)", "Share of the price lost since loss of exclusivity, its final size, and the years over which it builds up."),
    ("EU4+UK", "Germany, France, Italy, Spain and the United Kingdom."),
    ("Ever-metastatic share (ever_metastatic_share)", "Share of new cases that are metastatic at diagnosis or become so later."),
    ("Gross price (gross_price, list_price)", "List price in a region per month, course or test; built from the US list price, the price ratio, growth and erosion."),
    ("Gross sales (gross_sales)", "Sales at list price, before rebates and discounts."),
    ("GTN (gross_to_net)", "Gross to net: the share of the list price given away in rebates and discounts."),
    ("HER2", "Human epidermal growth factor receptor 2; a target in breast and other cancers."),
    ("Heterogeneity penalty (heterogeneity_penalty)", "Share of the time on therapy lost because parts of the tumour do not respond."),
    ("Incidence (incidence)", "New cases of a cancer subtype in a year: registry cases, split by subtype and grown."),
    ("Incumbent", "A therapy in use when the forecast starts; it gives way to entrants in proportion to its share."),
    ("Incumbent claim (incumbent_claim, incumbent_total)", "Share of a choice set that one incumbent would have without entrants, and that all but the rest member would have."),
    ("IT", "Intrathecal: given into the cerebrospinal fluid, by lumbar puncture or through a reservoir in a ventricle."),
    ("Launch (launch)", "Point in time at which a product reaches a region's market, after delays and accelerations."),
    ("LM", "Leptomeningeal metastases, also called leptomeningeal disease or carcinomatous meningitis."),
    ("LM cases (lm_cases)", "Patients who develop LM in a year, found or not."),
    ("LM risk (lm_risk)", "Share of metastatic patients who develop LM, found or not."),
    ("LOE (loss_of_exclusivity)", "Loss of exclusivity: the later of patent expiry and the end of orphan exclusivity."),
    ("Market access (market_access)", "Share of its demand that a therapy can meet: approved, reimbursed and distributed."),
    ("Metastatic (metastatic)", "Patients whose cancer is metastatic, at diagnosis or later, raised by longer survival."),
    ("Missed (missed)", "Share of LM cases that one test does not find, because it is not done or does not see them."),
    ("Months on therapy (months_on_therapy)", "Months, or courses, of a therapy planned for each patient on it."),
    ("MRI", "Magnetic resonance imaging; with contrast of brain and spine, the first test when LM is suspected."),
    ("Net price (net_price)", "Gross price less rebates and discounts."),
    ("Net sales (net_sales)", "Gross sales less rebates and discounts, before any adjustment for risk."),
    ("NSCLC", "Non-small cell lung cancer."),
    ("Orphan exclusivity (orphan_exclusivity)", "Years from launch in which no similar product for the same rare disease may be approved."),
    ("P10/P90", "The value with a one in ten chance of being undershot, and the value with a one in ten chance of being exceeded."),
    ("Partnering (partnering)", "Strength of the collaborations behind a product, from none to full; saves time and removes part of the risk of failure."),
    ("Patients on therapy (patients_on_therapy)", "The treated times the use of a choice set times a therapy's share; a patient may count in several sets."),
    ("Peak share (peak_share)", "An entrant's share of its choice set at full uptake, with full CNS penetration and access."),
    ("PoS (probability_of_success)", "Probability that a product in development reaches its market; one once it is marketed."),
    ("Price ratio (price_ratio)", "A region's price relative to the US price."),
    ("Rest member", "The therapy of a choice set that takes what the others leave, so that shares sum to one."),
    ("Risk-adjusted sales (risk_adjusted_sales)", "Net sales times the probability of success: the model's headline."),
    ("SCLC", "Small cell lung cancer."),
    ("Sensitivity (sensitivity)", "Share of LM patients, among those who get a test, whom it finds."),
    ("Share (share)", "A therapy's share of the patients who use its choice set; shares within a set sum to one."),
    ("Subtype share (subtype_share)", "Share of a cancer's new cases that belongs to a subtype; sums to one within the cancer."),
    ("Success (success)", "Probability of success after the gain from partnering; one for what is on the market."),
    ("Survival exposure (survival_exposure)", "Index of patients at risk: longer survival with metastases leaves more time for LM to develop."),
    ("Suspected (suspected, suspected_per_case)", "Patients worked up for suspected LM; several for each who has it."),
    ("Test use (test_use)", "Share of suspected patients who get a test."),
    ("Tests (tests, tests_per_patient)", "Number of tests done: suspected patients times test use times the tests for each patient tested."),
    ("TKI", "Tyrosine kinase inhibitor: a small-molecule drug, usually oral, against one or several signalling enzymes."),
    ("Treated (treated, treatment_rate)", "Diagnosed patients who get treatment directed at LM, and their share of the diagnosed."),
    ("Treatment months (treatment_months)", "Months or courses actually taken by each patient on a therapy, after compliance and heterogeneity."),
    ("Uptake (uptake)", "Share of its peak that an entrant has reached; exactly zero before launch."),
    ("WAC", "Wholesale acquisition cost: the US list price from manufacturer to wholesaler, before rebates."),
    ("Years on market (years_on_market)", "Years from launch to the end of a year; zero until launch."),
)  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """What is claimed of the market: the quantities that carry it, and what they move."""

    statement: str
    quantities: tuple[str, ...]
    """Names of `QUANTITIES`."""
    moves: str


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "More people are diagnosed each year with the cancers that lead to LM: breast, lung and melanoma.",
        ("incident_cases", "incidence_growth"),
        "Faster growth of new cases raises every later stage in proportion, more so the further the year.",
    ),
    Claim(
        "Better systemic treatment keeps metastatic patients alive for longer, and so exposed for longer to spread into the CNS.",
        ("survival_exposure_growth", "ever_metastatic_share"),
        "A steeper exposure index puts more metastatic patients at risk each year and raises LM cases in proportion.",
    ),
    Claim(
        "The risk of LM itself changes, most visibly in non-small cell lung cancer and HER2-positive breast cancer.",
        ("lm_risk", "lm_risk_growth"),
        "A rising trend of risk raises LM cases of the subtype it is keyed to; a falling one, as where a first-line drug protects the CNS, lowers them.",
    ),
    Claim(
        "Need is unmet: many cases are never found, and many found patients get no treatment directed at LM.",
        ("care_access", "treatment_rate"),
        "Wider access to work-up raises diagnosed and tested patients; a higher treatment rate raises treated patients and therapy sales.",
    ),
    Claim(
        "Intrathecal chemotherapy and radiotherapy work for a short time and are hard to tolerate.",
        ("months_on_therapy", "compliance", "set_use"),
        "Shorter treatment or more missed doses cut treatment months and sales; lower use of a set cuts the patients on its therapies.",
    ),
    Claim(
        "The blood-brain barrier keeps much of a systemic drug away from the leptomeninges.",
        ("cns_penetration",),
        "Better penetration raises an entrant's share of its set at the expense of the others; the shares of incumbents already reflect it.",
    ),
    Claim(
        "Tumour heterogeneity and the environment of the leptomeninges blunt and shorten responses.",
        ("heterogeneity_penalty",),
        "A larger penalty shortens the time on every therapy of the subtype and lowers its sales in proportion.",
    ),
    Claim(
        "Targeted small molecules that reach the CNS, such as EGFR and HER2 inhibitors, are used and studied in LM.",
        ("base_share", "planned_launch", "peak_share", "bass_innovation", "bass_imitation"),
        "Higher base or peak shares, earlier launches and faster curves move patients from low-priced to high-priced systemic drugs.",
    ),
    Claim(
        "Antibody-drug conjugates and immunotherapies attract investment as more selective and better tolerated options.",
        ("peak_share", "base_share", "compliance", "months_on_therapy"),
        "Higher shares take patients from chemotherapy; better tolerance raises treatment months and hence sales for each patient.",
    ),
    Claim(
        "Drugs first given for the primary cancer are often continued when LM appears.",
        ("attribution",),
        "Counting only treatment started or changed for LM lowers revenue in proportion and leaves patients as they are.",
    ),
    Claim(
        "Precision medicine: profiling of the primary tumour and of CNS disease selects patients for targeted drugs.",
        ("biomarker_testing", "biomarker_gated"),
        "More testing raises the shares of therapies that need a biomarker and lowers the rest member of their set.",
    ),
    Claim(
        "Advanced imaging and liquid biopsy of the cerebrospinal fluid find LM more often and earlier.",
        ("test_use", "sensitivity"),
        "Wider use or better sensitivity raises detection and diagnosed patients up to the limit of all who reach work-up; wider use also raises tests.",
    ),
    Claim(
        "The same tests follow the course of the disease once treatment has started.",
        ("tests_per_patient", "suspected_per_case"),
        "More tests for each patient, or more patients worked up for each case, raise diagnostics revenue without changing diagnosed patients.",
    ),
    Claim(
        "LM is rare and hard to study, so large trials are few, evidence comes slowly and programmes fail more often.",
        ("trial_delay", "probability_of_success"),
        "Longer delay postpones launches and uptake; a lower probability of success cuts risk-adjusted sales and leaves net sales as they are.",
    ),
    Claim(
        "Regulators encourage trials to admit LM patients, as cohorts of wider studies or in trials of their own.",
        ("trial_delay", "planned_launch", "probability_of_success"),
        "Wider inclusion shortens the delay, brings launches forward and raises the probability of success.",
    ),
    Claim(
        "High unmet need opens accelerated routes to approval.",
        ("regulatory_acceleration", "regional_lag"),
        "Each year gained moves the launch forward by a year in every region; a longer regional lag works against it outside the first market.",
    ),
    Claim(
        "Orphan designation protects a new product and rewards investment.",
        ("orphan_exclusivity", "patent_expiry", "exclusivity_erosion", "erosion_years"),
        "Exclusivity that outlasts the patent postpones the fall of the price; without it erosion starts at patent expiry.",
    ),
    Claim(
        "Companies and research groups pool patients, data and money in collaborations and consortia.",
        ("partnering", "partnering_success_gain"),
        "Stronger partnering removes part of the risk of failure and so raises risk-adjusted sales of the products it supports.",
    ),
    Claim(
        "Alliances between large companies and biotechs shorten development and sharpen competition for the same patients.",
        ("partnering", "partnering_time_saved", "peak_share", "bass_imitation"),
        "Time saved brings entrants forward; what they win within a set the others lose, so the total moves less than the product.",
    ),
    Claim(
        "Emerging markets gain access through prices and distribution made for them.",
        ("price_ratio", "market_access", "care_access", "regional_lag"),
        "Wider access and shorter lags raise patients there while lower price ratios cut revenue for each; the net effect is shown by the scenario for it.",
    ),
)

SHEET_NOTES: dict[str, str] = {
    "Cover": "What is this workbook, which scenario, basis and currency does it show, and do its checks pass?",
    "Contents": "Which sheets are there, of which kind, and what does each answer?",
    "Executive_summary": "What are the five key figures, and what do they say in six sentences?",
    "Charts": "What do the main results look like over the years?",
    "Funnel": "How many people remain at each step from new cancers to LM treatment?",
    "By_region": "How many patients and how much revenue does each region and group of regions have?",
    "By_cancer": "How many patients and how much revenue does each cancer subtype have?",
    "By_segment": "How many patients and how much revenue does each therapy and test have?",
    "Region_x_segment": "How much revenue does each segment earn in each region?",
    "Pricing_and_GTN": "What does each therapy and test cost in each region, before and after rebates?",
    "Launches_and_LOE": "When does each product launch and lose exclusivity, how fast is it taken up, and how likely is it to succeed?",
    "Diagnostics_tests": "How many tests are done, and what share of the cases worked up do they find?",
    "Drivers": "Which assumptions carry each force on the market, and what do they move?",
    "Scenarios_and_bridge": "How do the scenarios compare, what drives the market over the years, and what sets each scenario apart?",
    "Tornado": "Which uncertain inputs move the revenue of the last year most, one at a time?",
    "Uncertainty": "How sure are we: within which bounds do patients and revenue lie, by region, cancer and segment?",
    "Convergence": "Are there enough draws, and which inputs cause the spread?",
    "As_built": "Are the inputs still those that the analyses were made with?",
    "Triangulation": "How does the model compare with published figures at their own regions, segments and year?",
    "Scenarios": "What does each scenario change in the base case, by how much, and why?",
    "Correlations": "Which uncertain inputs go together in the draws, how strongly, and why?",
    "Published": "Which published sizes and counts is the model compared with?",
    "Sources": "What do the assumptions rest on, how good is it, and was it read?",
    "Currencies": "At which rates are US dollars converted for the report?",
    "Changes": "What changed between versions, and what did it do to world revenue in the last year?",
    "Method": "How does the model work, how was it validated, and where is it weak?",
    "Checks": "Do the identities hold, are all results numbers, and are all inputs in range?",
    "Glossary": "What do the terms and abbreviations mean?",
    "Data_long": "What are the results as one fact a line, ready for a pivot table?",
    "Axes": "Which regions, segments, subtypes and scenarios does the model have, and how are they grouped?",
    "Timeline": "Which years does the forecast cover, and of which year are prices and indices?",
    "Epidemiology": "What is assumed from new cancer cases to LM cases?",
    "Diagnosis": "What is assumed about access to work-up, the use of tests and what they find?",
    "Treatment": "What is assumed about who is treated, with what, and for how long?",
    "Launches": "What is assumed about launches, uptake, success and exclusivity?",
    "Pricing": "What is assumed about prices, rebates and what counts as LM revenue?",
    "Lists": "Which words do the drop-down lists of the other sheets allow?",
    "Inputs": "Which value does each assumption have in every year, under the chosen scenario?",
    "Calc_Epidemiology": "How are new cases, metastatic patients and LM cases computed?",
    "Calc_Diagnosis": "How are detected, diagnosed, suspected and treated patients and the tests computed?",
    "Calc_Launches": "How are launch dates and uptake computed?",
    "Calc_Share": "How do therapies share each choice set?",
    "Calc_Patients": "How are patients on each therapy and their treatment months computed?",
    "Calc_Prices": "How are prices, erosion and the probability of success computed?",
    "Calc_Sales": "How are gross, net and risk-adjusted sales computed?",
    "Calc_Totals": "What do sales add up to by region and segment and by region and subtype, and do shares sum to one?",
    "Calc_Triangulation": "Which parts of the model add up to the scope of each published figure?",
    "Calc_Text": "Which pieces make up the sentences of the executive summary?",
}
"""What each sheet answers."""

TEMPLATE_NOTES = {
    "Scenario": "A scenario of the sheet Scenarios, or one that you add there and on the sheet Axes.",
    "Region": "For revenue by segment and by cancer, and for patients by cancer.",
    "Segment": "For revenue by region and by cancer.",
    "Subtype": "For everything by region and by segment.",
    "Stage": "Which patients are counted.",
    "Basis": "What counts as revenue: gross, net of rebates, or net times the probability of success.",
    "Model": "Changes whenever an assumption or the scenario does, and with it all that depends on it.",
    "Faults": "Every fault of the assumption tables, by table, row and column; until they are mended the functions show errors.",
    "Slow": "Type the example into a cell to see it: it takes some seconds, and again whenever an assumption changes.",
    "Tables": "Groups overlap: 7MM and North America both hold the US. Growth is compound, over the years of the table.",
}
"""What stands beside the choices of the function-backed template."""

HOW_TO: tuple[tuple[str, str], ...] = (
    (
        "What this is",
        "A market model of leptomeningeal metastases whose numbers are Excel functions. The assumptions stand in the cream cells of this "
        "workbook; the functions read them, check them and compute. Change one and everything that depends on it follows.",
    ),
    (
        "Choose",
        "On the sheet Model choose a scenario, a region, a segment, a cancer, a stage and a basis. The tables and charts follow.",
    ),
    (
        "Use a function",
        "=LM_PATIENTS(region, year, Model) and =LM_REVENUE(segment, year, Model) work in any cell. A range of labels and a range of years "
        "give a whole block in one call, which is faster than a cell each. The sheet Functions has one live example of each.",
    ),
    (
        "A second scenario side by side",
        'In a free cell write the formula of the cell Model with another scenario\'s name as its last argument, such as "High", and give that '
        "cell to the functions in place of Model.",
    ),
    (
        "When a cell shows #VALUE!",
        "An argument is wrong, or the assumptions have a fault. Look at the faults on the sheet Model first. Then ask: =LM_WHY with the name "
        'of the function in quotes and the same arguments, for instance =LM_WHY("LM_PATIENTS", A6, B5, Model). It names the nearest right label.',
    ),
    (
        "When a cell shows #N/A",
        "The year is beyond the forecast, or the model is not in memory, as after opening the file: recalculate everything with Ctrl+Alt+F9.",
    ),
    (
        "When a cell shows #REF!",
        "There is no such assumption: a therapy that a subtype never gets, a price that nothing protects.",
    ),
    (
        "When a cell shows #NAME?",
        "The functions are not running. The numbers that the file was saved with stand on the sheet Stored_values, as built.",
    ),
    (
        "A new region, therapy or year",
        "Add it on the sheet Axes and in the rows that name it, and the functions know it. The tables of this workbook list the labels that "
        "it was built with: add a row with the functions you need, or build the template again from the workbook.",
    ),
)
"""How to use the function-backed template, in any host."""

HOW_TO_WINDOWS: tuple[tuple[str, str], ...] = (
    (
        "Excel on Windows: set up once",
        "Install Python 3.11 or newer and lm_xl. In a command window run lm-xl addin install, then lm-xl doctor, which says in words what is "
        "still missing. Start Excel again, open this file and allow its macros.",
    ),
    (
        "Where Python is",
        "The sheet xlwings.conf holds no path: it names the environment variable LM_XL_PYTHON, which lm-xl addin install sets for you.",
    ),
    (
        "Not tried in Excel",
        "This file was made and checked without Excel: its macros were read back, its functions were computed by another spreadsheet engine. "
        "If something in it does not work, lm-xl doctor and the sheet Stored_values are the way back.",
    ),
)
HOW_TO_LITE: tuple[tuple[str, str], ...] = (
    (
        "xlwings Lite: set up once",
        "In Excel for Windows, Mac or the web choose Home, Add-ins, search for xlwings Lite and add it. Open its pane: it finds the code that this "
        "workbook carries, installs lm_xl, and registers the functions.",
    ),
    (
        "Where lm_xl comes from",
        "It is not on the public package index: put the wheel of lm_xl where your browser can reach it, and write that address on the one line of "
        "requirements.txt in the pane before it installs.",
    ),
    (
        "Always name the model",
        "Here a function cannot see which workbook it stands in: give it the cell Model, as all cells of this workbook do.",
    ),
    (
        "Not tried in Excel",
        "This file was made and checked without Excel and without xlwings Lite: the structure of its parts was checked, and its functions "
        "were computed by another spreadsheet engine.",
    ),
)
