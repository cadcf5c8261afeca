"""The identities that hold in every run, region, segment, subtype and year of a forecast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from lm_xl.faults import IdentityError
from lm_xl.forecasts.results import Results
from lm_xl.model.axes import REGION, RUN, SEGMENT, SUBTYPE, YEAR
from lm_xl.model.ops import Array, spread, where
from lm_xl.model.outputs import BASES, SHRINKING

IDENTITY_TOLERANCE = 1e-9
"""Relative tolerance of the identities."""
LABELLED = (REGION, SEGMENT, SUBTYPE)


Identity = tuple[str, Array, Mapping[str, Array]]
"""What must hold, where it does (run, region, segment, subtype, year), and the numbers to show where it does not."""


def check_identities(results: Results) -> None:
    """Raise IdentityError for the first identity that does not hold in every run, region, segment, subtype and year."""
    for identity, holds, numbers in _identities(results):
        if not holds.all():
            raise IdentityError(_failure(results, identity, holds, numbers))


def _identities(results: Results) -> Iterator[Identity]:
    o = results.outputs
    # what all of them take in success cannot be scaled to what they leave in failure
    total = o["entrant_total"]
    yield "entrants leave some of their set to the others", total < 1, {"entrant_total": total}
    for name, x in o.items():
        yield f"{name} is finite and not negative", np.isfinite(x) & (x >= 0), {name: x}
    for more, less in SHRINKING:
        holds = o[more] * (1 + IDENTITY_TOLERANCE) >= o[less]
        yield f"{more} >= {less}", holds, {more: o[more], less: o[less]}
    yield from _shares_sum_to_1(results)
    launched = o["years_on_market"] > 0
    yield "uptake is 0 before launch", launched | (o["uptake"] == 0), {"uptake": o["uptake"]}
    for basis in BASES.values():
        # The same total, added up over each axis first.
        ways = [o[basis].sum(axis=a, keepdims=True).sum(axis=LABELLED) for a in LABELLED]
        agree = np.ptp(ways, axis=0) <= IDENTITY_TOLERANCE * np.abs(ways[0])
        holds = agree.reshape(agree.shape[0], 1, 1, 1, -1)
        yield f"{basis} over regions, segments and subtypes agree", holds, {}


def _shares_sum_to_1(results: Results) -> Iterator[Identity]:
    structure, o = results.assumptions.structure(), results.outputs
    rest_of = structure["rest_of"]
    expected = where(structure["is_entrant"], o["success"], spread(o["expectation"], rest_of, 1))
    for rest in sorted(set(rest_of.tolist()) - {-1}):
        for name, shares in (("share", o["share"]), ("expected share", o["share"] * expected)):
            total = shares[:, :, rest_of == rest].sum(axis=SEGMENT, keepdims=True)
            holds = np.abs(total - 1) <= IDENTITY_TOLERANCE
            yield f"{name} within {results.axes.segment.sets[rest]!r} sums to 1", holds, {name: total}


def _failure(results: Results, identity: str, holds: Array, numbers: Mapping[str, Array]) -> str:
    """The first place where an identity fails, in words, with the numbers there."""
    at, axes = np.argwhere(~holds)[0], results.axes
    labels = [results.runs[at[RUN]]]
    labels += [axes.axis(d).leaves[at[d]] for d in LABELLED if holds.shape[d] > 1]
    labels += [str(axes.years[at[YEAR]])] if holds.shape[YEAR] > 1 else []
    shown = []
    for name, x in numbers.items():
        clipped = tuple(min(p, n - 1) for p, n in zip(at, x.shape, strict=True))
        shown.append(f"{name} = {x[clipped]:.10g}")
    where = f"{' x '.join(labels)}{': ' if shown else ''}{', '.join(shown)}"
    return f"{results.assumptions.path.name}: the identity '{identity}' fails for {where}"
