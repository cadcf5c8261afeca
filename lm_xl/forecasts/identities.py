"""The identities that hold in every run, region, segment, subtype and year of a forecast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lm_xl.faults import IdentityError
from lm_xl.forecasts.results import Results
from lm_xl.model.axes import SEGMENT
from lm_xl.model.ops import Array
from lm_xl.model.outputs import SHRINKING

IDENTITY_TOLERANCE = 1e-9
"""Relative tolerance of the identities."""


def check_identities(results: Results) -> None:
    """Raise IdentityError for the first identity that does not hold in every run, region, segment, subtype and year."""
    o = results.outputs
    for name, x in o.items():
        _demand(results, f"{name} is finite and not negative", np.isfinite(x) & (x >= 0), {name: x})
    for more, less in SHRINKING:
        _demand(
            results,
            f"{more} >= {less}",
            o[more] * (1 + IDENTITY_TOLERANCE) >= o[less],
            {more: o[more], less: o[less]},
        )
    rest_of = results.assumptions.structure()["rest_of"]
    for rest in sorted(set(rest_of.tolist()) - {-1}):
        total = o["share"][:, :, rest_of == rest].sum(axis=SEGMENT, keepdims=True)
        label = results.axes.segment.sets[rest]
        _demand(
            results,
            f"shares within {label!r} sum to 1",
            np.abs(total - 1) <= IDENTITY_TOLERANCE,
            {"share": total},
        )
    _demand(
        results,
        "uptake is 0 before launch",
        (o["years_on_market"] > 0) | (o["uptake"] == 0),
        {"uptake": o["uptake"]},
    )
    for basis in ("gross_sales", "net_sales", "risk_adjusted_sales"):
        x = o[basis]
        ways = [x.sum(axis=a, keepdims=True).sum(axis=(1, 2, 3)) for a in (1, 2, 3)]
        agree = np.ptp(ways, axis=0) <= IDENTITY_TOLERANCE * np.abs(ways[0])
        _demand(
            results,
            f"{basis} over regions, segments and subtypes agree",
            agree.reshape(agree.shape[0], 1, 1, 1, -1),
            {},
        )


def _demand(results: Results, identity: str, holds: Array, numbers: Mapping[str, Array]) -> None:
    if holds.all():
        return
    at = np.argwhere(~holds)[0]
    axes: Any = results.axes
    labels = [results.runs[at[0]] if holds.shape[0] > 1 else results.runs[0]]
    labels += [axes.axis(d).leaves[at[d]] for d in (1, 2, 3) if holds.shape[d] > 1]
    labels += [str(axes.years[at[4]])] if holds.shape[4] > 1 else []
    shown = ", ".join(
        f"{name} = {x[tuple(min(p, n - 1) for p, n in zip(at, x.shape, strict=True))]:.10g}"
        for name, x in numbers.items()
    )
    raise IdentityError(
        f"{results.assumptions.path.name}: the identity '{identity}' fails for {' x '.join(labels)}{': ' if shown else ''}{shown}"
    )
