"""The forecast as tidy files for other tools: CSV, Parquet and a data dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.files import not_over, replacing
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.results import Results
from lm_xl.model.outputs import BASES, OUTPUTS, PATIENT_STAGES

if TYPE_CHECKING:
    import pandas as pd

RISKY = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet that opens a CSV takes a cell that begins so for a formula."""

DICTIONARY = {
    "scenario": "the scenario of the assumptions workbook",
    "region": "a region, never a group: regions add up",
    "segment": "a therapy or a test, never a group",
    "subtype": "a subtype of the primary cancer, never a group",
    "year": "calendar year",
    "metric": "what the value is: a stage of the patient funnel, or sales in one of three bases",
    "unit": "patients a year, or nominal USD a year",
    "value": "the number; sums over regions, segments and subtypes are meaningful, sums over stages or bases are not",
}


def as_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV, its labels safe to open in a spreadsheet."""
    safe = frame.copy()
    for name in safe.columns:
        if safe[name].dtype.kind not in "if":
            safe[name] = [f"'{text}" if str(text).startswith(RISKY) else text for text in safe[name]]
    return safe.to_csv(index=False, lineterminator="\n")


def _dictionary(results: Results) -> pd.DataFrame:
    """What each column and each metric means, and where the numbers come from: kind, name, meaning."""
    import pandas as pd

    outputs = [OUTPUTS[name] for name in (*PATIENT_STAGES, *BASES.values())]
    meanings = [
        *(("column", name, meaning) for name, meaning in DICTIONARY.items()),
        *(("metric", o.name, f"{o.meaning}, {o.unit}") for o in outputs),
        *(("provenance", name, text) for name, text in results.provenance.items()),
    ]
    return pd.DataFrame(meanings, columns=["kind", "name", "meaning"])


def write_data(
    a: Assumptions, folder: Path, scenarios: Sequence[str], *, force: bool = False
) -> dict[Path, int]:
    """Write patients and revenue as CSV and Parquet, and the dictionary, each file all or nothing. Returns rows by file.

    Raises Refused where a file exists and `force` is not given, or is the one that was read, ImportError without pyarrow.
    """
    import pandas as pd
    import pyarrow  # noqa: F401

    results = forecast(a, scenarios)
    by = ("region", "subtype", "year")
    frames = {
        "patients": pd.concat([results.frame("patients", by, stage=stage) for stage in PATIENT_STAGES]),
        "revenue": pd.concat(
            [results.frame("revenue", basis=basis, scope=results.axes.scopes[-1]) for basis in BASES]
        ),
    }
    frames["data_dictionary"] = _dictionary(results)
    written = {}
    for name, frame in frames.items():
        for suffix in (".csv", ".parquet") if name != "data_dictionary" else (".csv",):
            path = folder / f"{name}{suffix}"
            not_over(a.path, path)
            with replacing(path, force=force) as draft:
                if suffix == ".csv":
                    draft.write_text(as_csv(frame), encoding="utf-8")
                else:
                    frame.to_parquet(draft, index=False)
            written[path] = len(frame)
    return written
