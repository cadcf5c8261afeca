"""Who sells what: each product's share of its segment's sales, on the axes of the table of companies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.model.ops import Array


@dataclass(frozen=True)
class Shares:
    """Shares of segments' sales (1, company, segment, product, 1), 0 where a company has no such product, and the labels."""

    companies: tuple[str, ...]
    segments: tuple[str, ...]
    products: tuple[str, ...]
    share: Array


def shares_of(a: Assumptions, each: Sequence[Any]) -> Shares:
    """The shares of the products, given in their order as numbers or as cells."""
    products = tuple(dict.fromkeys(p.product for p in a.products))
    companies, segments = a.companies, a.axes.segment.leaves
    numbers = all(isinstance(share, float) for share in each)
    found = np.zeros((len(companies), len(segments), len(products)), dtype=float if numbers else object)
    for product, segment, share in zip(a.products, a.segment_of, each, strict=True):
        found[companies.index(product.company), segment, products.index(product.product)] = share
    return Shares(companies, segments, products, found[np.newaxis, ..., np.newaxis])
