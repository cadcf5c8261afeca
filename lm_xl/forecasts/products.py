"""Sales by product and by company, and the products as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.columns import PRODUCT_COLUMNS
from lm_xl.model.axes import SEGMENT
from lm_xl.model.ops import Array

if TYPE_CHECKING:
    import pandas as pd

BY_PRODUCT = ("company", "product")
"""What sales can be split by beside the axes."""


def by_products(
    a: Assumptions, x: Array, by: Sequence[str], segments: Sequence[int]
) -> tuple[Array, list[tuple[str, ...]]]:
    """Sales of some segments as those of their products, added up by some of segment, company and product.

    Instead of segments the axis then has the combinations that there are, in the order of the sheet Products.
    """
    inside = [(i, p) for i, p in zip(a.segment_of, a.products, strict=True) if i in set(segments)]
    shares = np.array([p.share for _, p in inside]).reshape(1, 1, -1, 1, 1)
    sales = np.take(x, [i for i, _ in inside], axis=SEGMENT) * shares
    names = [tuple(str(getattr(p, name)) for name in by) for _, p in inside]
    combinations = list(dict.fromkeys(names))
    holds = np.array([[float(name == combination) for name in names] for combination in combinations])
    return np.moveaxis(np.tensordot(holds, sales, axes=(1, SEGMENT)), 0, SEGMENT), combinations


def product_table(a: Assumptions) -> pd.DataFrame:
    """The products as the sheet Products has them, one a row: product and company first, lists split by semicolons."""
    import pandas as pd

    columns = ["product", "company", *(c for c in PRODUCT_COLUMNS if c not in ("product", "company"))]
    rows = [{**vars(p), "trials": "; ".join(p.trials), "source": "; ".join(p.sources)} for p in a.products]
    return pd.DataFrame(rows, columns=columns)
