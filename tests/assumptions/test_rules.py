"""Rules across rows, asked with other values than a workbook's."""

from __future__ import annotations

import numpy as np

import lm_xl
from lm_xl.assumptions.rules import late_launches


def test_a_patent_outlasts_the_launch_only_where_there_are_both(shipped: lm_xl.Assumptions) -> None:
    launch, expiry = (shipped.base[name][0, ..., 0] for name in ("planned_launch", "patent_expiry"))
    assert not list(late_launches(shipped, launch, expiry))
    both = (shipped.covers["planned_launch"] >= 0) & (shipped.covers["patent_expiry"] >= 0)
    assert both.any() and not both.all()

    late = list(late_launches(shipped, np.broadcast_to(expiry, both.shape), expiry))
    assert [at for at, _ in late] == list(map(tuple, np.argwhere(both).tolist()))
    (r, s, p), sentence = late[0]
    place = f"{shipped.axes.region.leaves[r]} x {shipped.axes.segment.leaves[s]}"
    year = f"{expiry[r, s, p]:g}"
    assert sentence == f"patent_expiry {year} of {place} is not after planned_launch {year}"
