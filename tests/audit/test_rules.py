"""The list of rules is derived from their functions; each looks at every sheet."""

from __future__ import annotations

import importlib
import pkgutil
import zipfile
from pathlib import Path

import pytest
from openpyxl.workbook import Workbook

from lm_xl.audit import rules
from lm_xl.audit.audit import CHECKS, RULES, SUBJECTS, audit
from lm_xl.audit.rules.rule import Rule


def test_every_rule_of_every_module_is_applied() -> None:
    modules = [
        importlib.import_module(f"{rules.__name__}.{m.name}") for m in pkgutil.iter_modules(rules.__path__)
    ]
    found = [r for module in modules for r in vars(module).values() if isinstance(r, Rule)]
    assert {m.__name__ for m in modules if "Rule" not in vars(m)} == {m.__name__ for m in SUBJECTS}
    assert len({r.name for r in found}) == len(found) == len(CHECKS)
    assert all(CHECKS[r.name] is r.breaches for r in found)


@pytest.mark.parametrize("name", list(CHECKS))
def test_a_rule_is_one_sentence(name: str) -> None:
    assert RULES[name].endswith(".") and "  " not in RULES[name] and "\n" not in RULES[name]


def test_sheets_of_one_title_are_both_audited(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].title = "Calc"
    book.create_sheet("Twin")["B2"] = "=A1*1.07"
    book.save(tmp_path / "twins.xlsx")
    twins = tmp_path / "same.xlsx"
    with zipfile.ZipFile(tmp_path / "twins.xlsx") as one, zipfile.ZipFile(twins, "w") as other:
        for part in one.namelist():
            other.writestr(part, one.read(part).replace(b'name="Twin"', b'name="Calc"'))
    assert ("W02", "B2") in {(b.rule, b.cell) for b in audit(twins)}
    assert "W32" in {b.rule for b in audit(twins)}
