"""The sheets of an assumptions workbook, their columns, and the words that those take. No values."""

from __future__ import annotations

SHEETS = ("Timeline", "Epidemiology", "Diagnosis", "Treatment", "Launches", "Pricing")
"""The sheets of assumption rows, beside Axes, Scenarios, Published and Sources."""

KEYS = ("region", "segment", "subtype")

COLUMNS = (
    "quantity", *KEYS, "unit", "fill", "value", "years", "low", "high", "distribution", "source", "status", "note",
)  # fmt: skip
"""Columns of an assumption sheet; `years` stands for one column a year. They may come in any order."""

FILLS = ("constant", "linear", "yearly")
"""How a row covers the years: `value` in all of them; a straight line from the first year's cell to the last's; every year typed."""

STATUSES = ("sourced", "derived", "expert", "placeholder")

OPERATIONS = ("multiply", "add", "set")

MOVING_SHEETS = ("Diagnosis", "Treatment", "Pricing")
"""The sheets with quantities that move: they have a column for each year."""

DOLLAR = "USD"
"""The currency of the model; the report may show another."""

PUBLISHED_METRICS = {"revenue": "USD", "patients": "patients"}
"""What a published figure counts, and its unit."""

SCOPES = ("same", "adjacent")
"""Whether a published figure is of this market, or of one beside it."""

NEVER = "never"
"""What stands in `value` where a quantity does not exist: a therapy that a subtype never gets, a price that nothing protects."""

SCHEMA = 2
"""The form of an assumptions workbook, which a row of Axes tells: 'schema', 'version 2'."""
UPGRADES = {
    2: "give the role 'default' to the scenario that is meant where none is named, and the sheet Bands, if any, a column 'segment'",
}
"""What a workbook of the form before needs to be of this one."""

AXES_COLUMNS = ("axis", "label", "set", "role", "kind", "groups", "note")

PRODUCT_COLUMNS = (
    "segment", "product", "company", "share", "mechanism", "phase", "trials", "designations", "next_readout", "first_approval", "lm_data",
    "source", "status", "note",
)  # fmt: skip

MARKETED = "Marketed"

PHASES = (MARKETED, "Registration", "Phase 3", "Phase 2/3", "Phase 2", "Phase 1/2", "Phase 1", "Preclinical")
"""How far a product has come; a service that is in use is marketed."""

SCENARIO_COLUMNS = (
    "scenario",
    "quantity",
    "region",
    "segment",
    "subtype",
    "operation",
    "amount",
    "source",
    "status",
    "reason",
)

CORRELATION_COLUMNS = (
    "quantity", "segment", "subtype", "other_quantity", "other_segment", "other_subtype", "rank_correlation", "source", "status", "note",
)  # fmt: skip

PUBLISHED_COLUMNS = (
    "publisher",
    "what",
    "metric",
    "scope",
    "region",
    "segment",
    "subtype",
    "year",
    "value",
    "unit",
    "source",
    "note",
)

BAND_COLUMNS = ("result", "region", "segment", "subtype", "year", "low", "high", "source", "status", "note")
BANDED = {"diagnosed": "patients", "diagnosed_share": "share", "suspected_per_diagnosed": "patients per case"}
"""The results that a band may be of, and the unit of each; it may be of a quantity too."""

CURRENCY_COLUMNS = ("currency", "rate", "date", "source", "status", "note")

CHANGE_COLUMNS = ("version", "date", "who", "what", "effect")

SOURCE_COLUMNS = ("id", "citation", "year", "address", "read", "grade", "note")

ROW_COLUMNS = tuple(c for c in COLUMNS if c != "years")

WANTED = {
    "Axes": AXES_COLUMNS,
    **dict.fromkeys(SHEETS, ROW_COLUMNS),
    "Products": PRODUCT_COLUMNS,
    "Scenarios": SCENARIO_COLUMNS,
    "Correlations": CORRELATION_COLUMNS,
    "Published": PUBLISHED_COLUMNS,
    "Bands": BAND_COLUMNS,
    "Currencies": CURRENCY_COLUMNS,
    "Sources": SOURCE_COLUMNS,
    "Changes": CHANGE_COLUMNS,
}
"""Every sheet of an assumptions workbook and its columns, beside one column a year on the sheets of rows."""
OPTIONAL = ("Bands",)
"""Sheets that a workbook may lack."""
