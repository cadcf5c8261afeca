"""Results as text: from what a command computed to what it prints, each text with the end of its last line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lm_xl.cli.text import Scale, as_json, lines, percent, scale_of, table
from lm_xl.model.labels import first_of_several

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from lm_xl.cli.summary import ScenarioSummary, Summary
    from lm_xl.forecasts.bridge import Bridge
    from lm_xl.forecasts.compare import Comparison
    from lm_xl.forecasts.diff import Difference, Edit
    from lm_xl.forecasts.tornado import Tornado
    from lm_xl.uncertainty.simulation import Simulation
    from lm_xl.workbook.verify import Verification

MOST_IDLE_ROWS = 5
MOST_NOTES = 10
MOST_CAUSES = 12
"""Inputs that the variance of a simulation is shown for."""


def summary(found: Summary) -> str:
    """A valid assumptions workbook on one screen."""
    a = found.assumptions
    axes, first, last = a.axes, a.axes.years[0], a.axes.years[-1]
    sizes = f"{len(axes.region)} regions, {len(axes.segment)} segments, {len(axes.subtype)} subtypes"
    cited = f", not cited: {first_of_several(found.uncited)}" if found.uncited else ", all cited"
    return lines(
        [
            f"{a.path.name}: no faults; fingerprint {a.fingerprint}",
            f"  {sizes}, {first}-{last}, scenarios {', '.join(axes.scenarios)}",
            f"  {evidence(found.tornado, found.statuses)}",
            *_notes(found),
            *_idle_rows(found),
            f"  {len(a.sources)} sources{cited}; {len(a.published)} published figures; {len(a.deltas)} scenario deltas",
            *_doubtful(found),
            *_judged(found),
            *(f"  {note}" for note in found.launches),
            *_scenarios(found, first, last),
        ]
    )


def evidence(found: Tornado, counts: Mapping[str, int]) -> str:
    """What the headline's swing rests on, then how many rows have each status, in one line without its end."""
    from lm_xl.forecasts.evidence import FIRST_INPUTS, evidence_weights, placeholder_inputs

    counted = ", ".join(f"{count} {status}" for status, count in counts.items())
    rows = f"{sum(counts.values())} assumption rows: {counted}"
    weights = evidence_weights(found)
    if not weights:
        return f"nothing moves the headline: no evidence to weigh; {rows}"
    weighed = ", ".join(f"{weight:.1%} {status}" for status, weight in weights.items())
    first = (
        f"{placeholder_inputs(found)} of the first {min(FIRST_INPUTS, len(found.swings))} inputs placeholders"
    )
    return f"the headline's swing rests on rows that are {weighed}; {first}; {rows}"


def _notes(found: Summary) -> list[str]:
    """What the reading left aside or doubts, each in its place."""
    notes = found.assumptions.notes
    texts = [f"  {n.sheet}{'!' if n.cell else ''}{n.cell}{': ' if n.sheet else ''}{n.message}" for n in notes]
    more = [f"  and {len(notes) - MOST_NOTES} more notes"] if len(notes) > MOST_NOTES else []
    return texts[:MOST_NOTES] + more


def _idle_rows(found: Summary) -> list[str]:
    return [
        f"  {row.place}: {row.quantity} of {row.keys} is never used: more specific rows cover all of it"
        for row in found.idle[:MOST_IDLE_ROWS]
    ]


def _judged(found: Summary) -> list[str]:
    """Each result beside its band; of several regions the least and the most, and those outside by name."""
    from lm_xl.assumptions.columns import BANDED

    if not found.judged:
        return []
    texts = [f"  plausible, {found.assumptions.axes.default} (being outside is told, not refused):"]
    for one in found.judged:
        band, values = one.band, sorted(one.values.values())
        shape = {"share": ".1%", "patients": ",.0f"}.get(BANDED[band.result], ".2f")
        shown = " to ".join(dict.fromkeys(f"{x:{shape}}" for x in (values[0], values[-1])))
        within = f" in {len(values)} regions" if len(values) > 1 else ""
        verdict = "inside"
        if one.outside:
            names = first_of_several([f"{region} {x:{shape}}" for region, x in one.outside.items()])
            verdict = f"OUTSIDE in {names}" if len(values) > 1 else "OUTSIDE"
        label = f"{band.result} of {band.region} x {band.subtype} {band.year}"
        ends = f"{band.low:{shape}} to {band.high:{shape}}"
        texts.append(f"    {label}: {shown}{within}, band {ends}: {verdict}")
    return texts


def _doubtful(found: Summary) -> list[str]:
    """The inputs that leave a band of their quantity."""
    bands = sum(band.year is None for band in found.assumptions.bands)
    if not bands:
        return []
    if not found.doubtful:
        return [f"  every input lies in the bands of its quantity, {bands} in all"]
    default, count = found.assumptions.axes.default, len(found.doubtful)
    shown = [
        f"    {one}{'' if one.scenario == default else f', in scenario {one.scenario!r}'}"
        for one in found.doubtful[:MOST_NOTES]
    ]
    more = [f"    and {count - MOST_NOTES} more"] if count > MOST_NOTES else []
    return [f"  OUTSIDE what evidence makes plausible, {count} (told, not refused):", *shown, *more]


def _scenarios(found: Summary, first: int, last: int) -> list[str]:
    texts = []
    for scenario in found.scenarios:
        growth = "n/a" if scenario.growth is None else f"{scenario.growth:.1%}"
        texts.append(
            f"  {scenario.name + ':':<28} {scenario.diagnosed:>10,.0f} diagnosed {first}   "
            f"risk-adjusted net revenue USD {scenario.first_revenue / 1e6:,.0f} m {first}, "
            f"{scenario.last_revenue / 1e6:,.0f} m {last}   CAGR {growth}{_promise(found, scenario)}"
        )
    return [f"  {found.assumptions.axes.headline}:", *texts] if texts else []


def _promise(found: Summary, scenario: ScenarioSummary) -> str:
    """What a scenario promises to do to the headline of the last year, and whether it does."""
    promise = found.assumptions.axes.promises.get(scenario.name)
    if promise is None:
        return ""
    base = found.scenarios[0].last_revenue
    kept = scenario.last_revenue > base if promise == "raises" else scenario.last_revenue < base
    return f"   {promise} it" if kept else f"   PROMISES that it {promise} the headline, and does not"


def verification(result: Verification) -> str:
    """Each comparison of a workbook with Python: its formulas and the worst error among them."""
    texts = []
    for case in result.cases:
        place = f"  {case.worst_cell}" if case.worst else ""
        texts.append(
            f"{case.name:<44} {case.formulas:>9,} formulas   worst relative error {case.worst:.1e}{place}"
        )
    written = result.written
    texts.append(f"{'words and numbers that no formula computes':<44} {written.cells:>9,} cells")
    return lines([*texts, *(f"NOT COMPARED  {line}" for line in written.not_compared)])


def frame(tidy: pd.DataFrame, form: str) -> str:
    """A tidy frame as CSV or JSON."""
    if form == "json":
        return as_json(tidy.to_dict("records"))
    from lm_xl.forecasts.export import as_csv

    return as_csv(tidy)


def forecast(tidy: pd.DataFrame, form: str, by: Sequence[str]) -> str:
    """A forecast: as a table with its years across, or as CSV or JSON."""
    if form != "table":
        return frame(tidy, form)
    scale = scale_of(tidy["unit"].iloc[0])
    title = f"{tidy['metric'].iloc[0]}, {scale.unit}{'' if 'year' in by else ', all years together'}"
    across = "year" in by and len(by) > 1
    lead = [column for column in ("scenario", *by) if not (across and column == "year")]
    narrow = tidy.set_index(lead)[["value"]]
    wide = tidy.pivot_table("value", lead, "year", sort=False) if across else narrow
    rows = []
    for labels, values in zip(wide.index, wide.to_numpy(), strict=True):
        words = labels if isinstance(labels, tuple) else (labels,)
        rows.append([*map(str, words), *map(scale.amount, values)])
    return table(title, lead, [str(column) for column in wide.columns], rows)


def products(found: pd.DataFrame, form: str) -> str:
    """The products: as a table without the sources and the note, or as CSV or JSON with all."""
    if form != "table":
        return frame(found, form)
    names = [c for c in found.columns if c not in ("share", "source", "status", "note")]
    rows = [
        [*(str(line[name]) for name in names), f"{line['share']:.0%}"] for line in found.to_dict("records")
    ]
    return table(
        "Products; share is of the segment's sales", [n.replace("_", " ") for n in names], ["share"], rows
    )


def comparison(found: Comparison, form: str, by: Sequence[str], **measured: str) -> str:
    """Two points beside each other, with the difference of what is measured."""
    tidy = found.frame(by, **measured)
    if form != "table":
        return frame(tidy, form)
    scale = scale_of(tidy["unit"].iloc[0])
    rows = []
    for line in tidy.to_dict("records"):
        amounts = [scale.amount(line[column]) for column in ("before", "after", "difference")]
        rows.append([*(str(line[name]) for name in by), *amounts, percent(line["change"])])
    title = f"{tidy['metric'].iloc[0]}, {scale.unit}"
    return table(title, by, [str(found.before), str(found.after), "difference", "change"], rows)


def bridge(found: Bridge, form: str, *, by_size: bool) -> str:
    """A difference split into the drivers of the market."""
    bars = found.frame(by_size=by_size)
    if form == "csv":
        return frame(bars, form)
    if form == "table":
        return _bridge_table(found, bars.to_dict("records"))
    return as_json(
        {
            "measure": str(found.measure),
            "unit": found.measure.unit,
            "from": str(found.start),
            "to": str(found.end),
            "before": found.before,
            "after": found.after,
            "difference": found.difference,
            "bars": bars.drop(columns="unit").to_dict("records"),
        }
    )


def _bridge_table(found: Bridge, bars: Sequence[Mapping[Any, Any]]) -> str:
    """The bars between the two ends that they connect, then the drivers in which nothing changed."""
    scale = scale_of(found.measure.unit)
    numbers = ("effect", "alone", "interaction")
    moved = [bar for bar in bars if bar["changed"]]
    rows = [[str(found.start), scale.amount(found.before)]]
    for bar in moved:
        amounts = [scale.amount(bar[column]) for column in numbers]
        rows.append([bar["driver"], *amounts, percent(bar["share"]), bar["changed"]])
    sums = [scale.amount(sum(bar[column] for bar in moved)) for column in numbers]
    rows += [["difference", *sums], [str(found.end), scale.amount(found.after)]]
    title = f"{found.measure}, {scale.unit}: {found.start} to {found.end}"
    shown = table(title, ["driver"], [*numbers, "share"], rows, after=["through"])
    idle = [bar["driver"] for bar in bars if not bar["changed"]]
    return shown + lines([f"No change in: {', '.join(idle)}"] if idle else [])


def tornado(found: Tornado, form: str, top: int) -> str:
    """The inputs by their swing: all of them as CSV or JSON, the first in a table."""
    inputs = found.frame()
    if form == "csv":
        return frame(inputs, form)
    if form == "table":
        return _tornado_table(found, inputs, top)
    return as_json(
        {
            "measure": str(found.measure),
            "unit": found.measure.unit,
            "at": str(found.at),
            "centre": found.centre,
            "inputs": inputs.drop(columns=["unit", "centre"]).to_dict("records"),
        }
    )


def _tornado_table(found: Tornado, inputs: pd.DataFrame, top: int) -> str:
    if not found.swings:
        return lines(["Nothing is uncertain: no row has a distribution with a low and a high apart."])
    scale = scale_of(found.measure.unit)
    rows = []
    for line in inputs.head(top).to_dict("records"):
        bounds = ["by row" if line[side] != line[side] else f"{line[side]:.4g}" for side in ("low", "high")]
        effects = [scale.amount(line[column]) for column in ("low_effect", "high_effect", "swing")]
        rows.append([line["input"], *bounds, *effects])
    title = f"{found.measure}, {found.at}, {scale.unit}: {scale.amount(found.centre)}"
    shown = table(title, ["input"], ["P10", "P90", "P10 effect", "P90 effect", "swing"], rows)
    notes = []
    moving = len(found.swings) - len(found.idle)
    if moving > top:
        notes.append(f"{moving - top} more inputs have a smaller swing: --top {moving} shows them.")
    if found.idle:
        notes.append(f"No effect on this output: {'; '.join(found.idle)}")
    return shown + lines(notes)


def differences(found: Difference, form: str, before: Path, after: Path) -> str:
    """The edits between two workbooks, and what each alone does."""
    edits = found.frame()
    if form == "csv":
        return frame(edits, form)
    if form == "text":
        return _edits_as_text(found, before, after)
    return as_json(
        {
            "measure": str(found.measure),
            "unit": found.measure.unit,
            "at": str(found.at),
            "apart": found.apart,
            "before": found.before,
            "after": found.after,
            "total": found.total,
            "interaction": found.interaction,
            "edits": edits.drop(columns="unit").to_dict("records"),
        }
    )


def _edits_as_text(found: Difference, before: Path, after: Path) -> str:
    scale = scale_of(found.measure.unit)
    old, new = found.assumptions
    values = f"{found.before / scale.factor:,.3f} -> {found.after / scale.factor:,.3f}"
    texts = [
        f"{before} {old.fingerprint} -> {after} {new.fingerprint}",
        f"{found.measure}, {found.at}, {scale.unit}: {values}",
        *(_edit(edit, scale) for edit in found.edits),
    ]
    total = f"{scale.signed(found.total):>12}  total"
    if found.apart:
        texts.append(f"{total}; the effect of single edits is not known, since {found.apart}")
    elif found.edits:
        texts += [f"{scale.signed(found.interaction or 0):>12}  interaction of the edits", total]
    else:
        texts.append("no difference")
    return lines(texts)


def _edit(edit: Edit, scale: Scale) -> str:
    """One line: the effect, what was done where, each column's value before and after, the source."""
    moves = []
    for column, old, new in zip(edit.columns, edit.before, edit.after, strict=True):
        if edit.kind == "changed":
            moves.append(f"{column} {old or '(blank)'} -> {new or '(blank)'}")
        else:
            moves.append(f"{column} {old or new}")
    effect = "" if edit.effect is None else scale.signed(edit.effect)
    place = f"{edit.sheet}!{edit.cell}" if edit.cell else edit.sheet
    what = f"{edit.what}: {'; '.join(moves)}" if moves else edit.what
    source = f" [{edit.source}]" if edit.source else ""
    return f"{effect:>12}  {edit.kind:<7}  {place}, {what}{source}"


def simulation(result: Simulation) -> str:
    """Each scenario's total revenue and what its variance comes from, then how it was simulated."""
    tidy, made = result.frame(), result.provenance
    of_the_market = (tidy["axis"] == "region") & (tidy["label"] == result.axes.region.total)
    revenue = tidy[of_the_market & (tidy["metric"] == "revenue")]
    texts = [
        _revenue(name, revenue[revenue["scenario"] == name]) + _causes(result, name) for name in result.runs
    ]
    how = f"{result.draws:,} draws, seed {result.seed}, {made['engine']}"
    book = f"assumptions {made['assumptions']} {made['fingerprint']}, spreads {made['uncertainty']}"
    return "".join(texts) + lines([f"{how}, {book}"])


def _revenue(name: str, revenue: pd.DataFrame) -> str:
    statistics = {"mean": "mean", "p10": "P10", "p50": "P50", "p90": "P90"}
    heads = ["deterministic", "weighed by success"]
    columns = ["deterministic", "by_success"]
    for column, head in statistics.items():
        heads += [head, "+-"]
        columns += [column, f"{column}_error"]
    rows = []
    for year, values in zip(revenue["year"], revenue[columns].to_numpy() / 1e6, strict=True):
        rows.append([str(year), *("n/a" if value != value else f"{value:,.1f}" for value in values)])
    title = f"{name}: revenue, USD million; P10 to P90 with Monte Carlo errors (+-)"
    return table(title, [], ["year", *heads], rows)


def _causes(result: Simulation, name: str) -> str:
    """The inputs that the last year's variance comes from, and what all of them leave."""
    from lm_xl.uncertainty.draws import BLOCK

    causes = result.variance(name)
    about = f"Share of the variance of {result.axes.years[-1]}"
    if causes["share"].isna().any():
        why = "nothing varies" if result.draws >= BLOCK else f"needs at least {BLOCK} draws"
        return lines([f"{about}: {why}"])
    *largest, rest = [
        f"  {share:6.1%}  {cause}" for cause, share in zip(causes["input"], causes["share"], strict=True)
    ]
    return lines([f"{about}, by regression of ranks:", *largest[:MOST_CAUSES], rest])
