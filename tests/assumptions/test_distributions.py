"""A distribution is one record: what each must hold, and that nothing else knows their names."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import lm_xl
from lm_xl.assumptions.distributions import DISTRIBUTIONS, FARTHEST, QUANTILE_FUNCTIONS, SPREADS, is_certain
from lm_xl.workbook.pages.lists import FIXED_LISTS

PACKAGE = Path(lm_xl.__file__).parent
ROWS = {
    "beta": (0.3, 0.2, 0.45),
    "dirichlet": (0.3, 0.2, 0.45),
    "gamma": (4.0, 2.0, 7.0),
    "lognormal": (9_000.0, 6_000.0, 15_000.0),
    "normal": (0.02, 0.01, 0.03),
    "pert": (3.0, 1.0, 7.0),
}
"""A mean, low and high for each; a new distribution needs one."""


def drawn(name: str, z: np.ndarray) -> np.ndarray:
    spread, (mean, low, high) = SPREADS[name], ROWS[name]
    function, *parameters = spread.quantile(mean, low, high, mean)
    return spread.amount(QUANTILE_FUNCTIONS[function].at(z, *parameters), mean, low, high)


@pytest.mark.parametrize("name", SPREADS)
def test_draws_have_the_stated_mean_and_stay_within_reach(name: str) -> None:
    from scipy.special import ndtri

    mean, low, high = ROWS[name]
    stated = (low + 4 * mean + high) / 6 if name == "pert" else mean
    steps = (np.arange(200_000) + 0.5) / 200_000
    assert drawn(name, ndtri(steps)).mean() == pytest.approx(stated, rel=1e-4)
    least, most = drawn(name, np.array([-FARTHEST, FARTHEST]))
    reach = SPREADS[name].reach(mean, low, high)
    assert reach[0] <= low < high <= reach[1]
    near = 1e-7 * (high - low)
    assert reach[0] - near <= least < most <= reach[1] + near
    assert drawn(name, np.array([-1.0, 0.0, 1.0])).tolist() == sorted(drawn(name, np.array([-1.0, 0.0, 1.0])))


@pytest.mark.parametrize("name", SPREADS)
@pytest.mark.parametrize("floor", [None, 0.0])
def test_a_path_ends_where_its_end_is_drawn_and_rests_where_that_is(name: str, floor: float | None) -> None:
    mean, _, high = ROWS[name]
    path, spread = mean * np.array([0.8, 0.9, 1.0]), SPREADS[name]
    assert spread.carry(path, np.array(mean), np.array(mean), floor) == pytest.approx(path, rel=1e-12)
    carried = spread.carry(path, np.array(high), np.array(mean), floor)
    assert carried[-1] == pytest.approx(high, rel=1e-12) and (carried > path).all()
    if spread.in_range:
        ends = np.array([[0.0], [1e-300], [1 - 1e-16], [1.0]])
        carried = spread.carry(np.array([0.0, 1e-9, 0.5, 1.0]), ends, np.array(mean), floor)
        assert ((carried >= 0) & (carried <= 1)).all()


@pytest.mark.parametrize("name", [n for n, d in SPREADS.items() if d.sharing])
def test_shares_that_are_drawn_together_never_pass_what_is_left(name: str) -> None:
    sharing = SPREADS[name].sharing
    assert sharing is not None
    # Members of a whole set take all that is left; of other shares something must be left for the rest member.
    left = 0.9 if SPREADS[name].whole_sets else 1.0
    means, errors = np.array([0.2, 0.3, 0.4]), np.array([0.02, 0.05, 0.08])
    assert sharing.crowded_share(means, errors, left) is None
    assert sharing.crowded_share(means, 20 * errors, left) is not None
    members = list(sharing.members(means, errors, left, means[:, np.newaxis], np.array([left])))
    z = np.random.default_rng(1).normal(size=(len(members), 20_000))
    numbers = [QUANTILE_FUNCTIONS[f].at(x, *p) for x, (_, (f, *p), _) in zip(z, members, strict=True)]
    parts = np.array([part for _, _, part in members])
    shares = np.array([*sharing.shares(np.array(numbers), np.array([left]), parts)])[:, 0]
    assert shares.mean(axis=1) == pytest.approx(means, rel=0.01)
    assert (shares >= 0).all() and (shares.sum(axis=0) <= left * (1 + 1e-12)).all()


def test_no_other_module_compares_with_the_name_of_a_distribution() -> None:
    found = []
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(PACKAGE).as_posix()
        # An audited workbook is anybody's: there the word fixed is a word, not a distribution of ours.
        names = set(SPREADS) if place.startswith("audit/") else set(DISTRIBUTIONS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare | ast.Match):
                told = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
                found += [f"{place}:{node.lineno}"] if told & names else []
    assert not found


def test_the_words_of_a_cell_are_those_of_the_table() -> None:
    assert FIXED_LISTS["distribution"] == DISTRIBUTIONS
    assert [word for word in DISTRIBUTIONS if is_certain(word)] == ["fixed"]
    for page in ("assumptions.md", "uncertainty.md"):
        text = (PACKAGE.parent / "docs" / page).read_text(encoding="utf-8")
        assert not [word for word in SPREADS if word not in text], page
    assert ROWS.keys() == SPREADS.keys()
