"""Which number formats show dates."""

from __future__ import annotations

import pytest

from lm_xl.xlsx.styles import shows_date


@pytest.mark.parametrize("code", ["yyyy-mm-dd", "d", "h:mm", "[h]:mm", "[Red]yyyy", '"on" d'])
def test_a_date_is_shown(code: str) -> None:
    assert shows_date(code)


@pytest.mark.parametrize(
    "code", ["General", "0", "#,##0.0", '0" days"', r"0\d", "0_d", "0*d", "[Red]0", "[$USD-409]0", "0;yyyy"]
)
def test_no_date_is_shown(code: str) -> None:
    assert not shows_date(code)
