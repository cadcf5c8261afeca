"""Files that were saved before are read, whatever the code calls their parts by now."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import lm_xl

AXES = [
    ["region", ["US", "Japan"], {"Global": [0, 1]}, ["", ""], ["", ""], ["", ""]],
    ["segment", ["Pill", "Scan"], {"Total market": [0, 1]}, ["Pills", ""], ["rest", "test"], ["", ""]],
    ["subtype", ["Skin"], {"All cancers": [0]}, ["Melanoma"], [""], [""]],
    [2025, 2026],
    ["Base"],
]
LABELS = [
    ["revenue", "region", "US", [0]],
    ["revenue", "region", "Japan", [1]],
    ["revenue", "region", "Global", [0, 1]],
]


def test_a_file_in_the_layout_of_the_first_version_is_read(tmp_path: Path) -> None:
    shape = 1, len(LABELS), 2
    numbers = np.arange(6.0).reshape(shape)
    words = {
        "runs": ["Base"],
        "inputs": ["lm_risk | Skin"],
        "seed": "340282366920938463463374607431768211455",
        "draws": 600,
        "reached": True,
        "provenance": {"engine": "lm_xl 1"},
        "labels": LABELS,
        "axes": AXES,
    }
    statistics = ("mean", "mean_error", "deviation", "deterministic", "by_success")
    np.savez_compressed(
        tmp_path / "old.npz",
        words=np.array(json.dumps(words)),
        points=np.array([512, 600]),
        convergence=np.zeros((1, 2, 4, 2)),
        contributions=np.full((1, 1, len(LABELS)), 0.25),
        percentiles=numbers[..., np.newaxis] + np.linspace(0, 1, 99),
        percentile_errors=np.zeros((*shape, 99)),
        **dict.fromkeys(statistics, numbers),
    )
    found = lm_xl.load_simulation(tmp_path / "old.npz")
    assert found.seed == 2**128 - 1 and found.labels[2].members == (0, 1)
    assert found.expected(2026, region="Japan") == 3 and found.expected(2025) == 4
    assert found.percentile(0.99, 2026) == 6
    assert found.variance()["share"].tolist() == [0.25, 0.75]
    found.save(tmp_path / "new.npz")
    with np.load(tmp_path / "old.npz") as old, np.load(tmp_path / "new.npz") as new:
        assert set(old.files) == set(new.files)
        was, now = (json.loads(str(file["words"])) for file in (old, new))
        # kinds and scopes came later: revenue of before is that of the whole market
        assert now.pop("scope") == "Total market" and now["axes"].pop() == ["Total market"]
        now["axes"][:3] = [side[:-1] for side in now["axes"][:3]]
        assert was == now
