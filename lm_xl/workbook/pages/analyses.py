"""What is computed at the time of building, because no formula can: scenarios side by side, bridges, the tornado, the simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.forecasts.bridge import Bridge, bridge
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.results import Results
from lm_xl.forecasts.tornado import Tornado, tornado
from lm_xl.model.ops import Array
from lm_xl.uncertainty.limits import MOST_DRAWS, whole_number
from lm_xl.workbook.pages.charts import fan, point_lines, swing_bars, waterfall
from lm_xl.workbook.pages.pen import LINE, Pen, heading, lines_of, page, table
from lm_xl.workbook.pages.styles import TAB, number_format
from lm_xl.workbook.plan.plan import CONSTANT, Plan
from lm_xl.workbook.plan.records import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.plan.staleness import (
    BANNER_ROW,
    BUILT,
    FIRST_SUM,
    SAY_CHANGED,
    SAY_SAME,
    SEEN,
    SMALL,
    TOLERANCE,
    WEIGHT,
    weights,
)
from lm_xl.workbook.words.prose import SHEET_NOTES
from lm_xl.xlsx.addresses import column_letters
from lm_xl.xlsx.stored import DIGITS

if TYPE_CHECKING:
    from lm_xl.uncertainty.simulation import Simulation

MILLION = 1e6
SHOWN = 25
"""Inputs that the tornado draws; the table has all that move the number."""
FANS = {"revenue": FIRST_ROW + 2, "diagnosed": FIRST_ROW + 11}
"""The totals that are drawn as fans, and the first of the six rows of each."""


@dataclass(frozen=True)
class Analyses:
    """The analyses of some assumptions, of the first scenario unless they compare: money in nominal USD, risk-adjusted."""

    results: Results
    over_time: Bridge
    between: tuple[Bridge, ...]
    """From the first scenario to each of the others, in the last year."""
    tornado: Tornado
    simulation: Simulation


def analyse(
    a: Assumptions, draws: int, seed: int, progress: Callable[[str], None] = lambda _: None
) -> Analyses:
    """Compute every analysis. Raises what the analyses raise, and Refused for fewer draws than a block, which the pages need."""
    from lm_xl.uncertainty.draws import BLOCK
    from lm_xl.uncertainty.simulate import simulate

    draws = whole_number("draws", draws, BLOCK, MOST_DRAWS)
    first, *others = a.axes.scenarios
    progress("bridges")
    over_time = bridge(a)
    between = tuple(bridge(a, first, other) for other in others)
    progress("tornado")
    swings = tornado(a)
    progress(f"{draws:,} draws")
    return Analyses(forecast(a, a.axes.scenarios), over_time, between, swings, simulate(a, draws, seed))


def _start(ws: Worksheet, *lines: str) -> None:
    ws.sheet_properties.tabColor = TAB["data"]
    heading(ws, ws.title, SHEET_NOTES[ws.title], *lines)


def _stamp(n: Analyses) -> str:
    told = n.results.provenance
    return f"Computed by {told['engine']} from {told['assumptions']} {told['fingerprint']}: values, not formulas."


def _table(
    ws: Worksheet,
    pen: Pen,
    row: int,
    name: str,
    title: str,
    columns: Sequence[tuple[str, str]],
    lines: Sequence[Sequence[Any]],
    total: Sequence[int] = (),
) -> int:
    """A titled table of columns (name, unit); lines whose position is in `total` are bold. Returns the first row of the lines."""
    pen.text(ws, row, 1, title, "lm band")
    for column in range(2, len(columns) + 1):
        pen.write(ws, row, column, None, "lm band")
    for column, (header, unit) in enumerate(columns, 1):
        pen.text(ws, row + 1, column, header, "lm header" if unit == "text" else "lm year")
    ws.row_dimensions[row + 1].height = 2 * LINE + 3
    forms = ["patients" if "patients" in line else "" for line in lines]
    for i, line in enumerate(lines):
        strong = i in total
        for column, ((_, unit), value) in enumerate(zip(columns, line, strict=True), 1):
            style = "lm total" if strong else "lm wrapped" if unit == "text" else "lm calculation"
            form = "" if unit == "text" else number_format(forms[i] or unit)
            if isinstance(value, str):
                pen.text(ws, row + 2 + i, column, value, style, form)
            else:
                pen.write(ws, row + 2 + i, column, value, style, form)
        words = [
            lines_of(value, ws.column_dimensions[column_letters(c)].width)
            for c, value in enumerate(line, 1)
            if isinstance(value, str)
        ]
        ws.row_dimensions[row + 2 + i].height = LINE * max([1, *words])
    table(ws, name, row + 1, row + 1 + len(lines), len(columns))
    return row + 2


def _widths(ws: Worksheet, widths: Sequence[float]) -> None:
    for i, width in enumerate(widths, 1):
        ws.column_dimensions[column_letters(i)].width = width


def scenarios_and_bridge(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """Every scenario's headline, what drives the market over the years, and what sets each scenario apart."""
    _start(ws)
    _widths(ws, (34, 15, 15, 15, 15, 15, 15, 15, 60))
    results, axes = n.results, n.results.axes
    first, last = axes.years[0], axes.years[-1]
    lines = []
    for scenario in axes.scenarios:
        revenue = results.series("risk_adjusted_sales", run=scenario) / MILLION
        people = results.series("diagnosed", run=scenario)
        base = results.series("risk_adjusted_sales", run=axes.scenarios[0]) / MILLION
        growth = results.cagr(revenue)
        reasons = [d.reason for d in results.assumptions.deltas if d.scenario == scenario]
        shown = (
            f"{reasons[0]}{f' (and {len(reasons) - 1} more deltas)' if len(reasons) > 1 else ''}"
            if reasons
            else "as the rows say"
        )
        lines.append(
            (
                scenario,
                people[0],
                people[-1],
                revenue[0],
                revenue[-1],
                "n/a" if growth is None else growth,
                revenue[-1] - base[-1],
                results.share(revenue, base)[-1] - 1,
                shown,
            )
        )
    columns = [
        ("scenario", "text"), (f"diagnosed {first}", "patients"), (f"diagnosed {last}", "patients"), (f"revenue {first}, USD million", "USD million"),
        (f"revenue {last}, USD million", "USD million"), (f"CAGR {first}-{last}", "per year"), (f"{last} less {axes.scenarios[0]}, USD million", "USD million"),
        ("the same, relative", "share"), ("first reason", "text"),
    ]  # fmt: skip
    row = (
        _table(
            ws,
            pen,
            FIRST_ROW,
            "scenario_headlines",
            f"Scenarios side by side, risk-adjusted net. {_stamp(n)}",
            columns,
            lines,
            (0,),
        )
        + len(lines)
        + 1
    )
    row = _waterfall(
        ws,
        pen,
        row,
        n.over_time,
        f"What drives {first} to {last} in {n.over_time.start.scenario}, USD million",
    )
    names = [b.end.scenario for b in n.between]
    if names:
        matrix: list[tuple[Any, ...]] = [
            (bar.driver, *(b.bars[i].effect / MILLION for b in n.between))
            for i, bar in enumerate(n.between[0].bars)
            if any(b.bars[i].effect for b in n.between)
        ]
        columns = [("driver", "text"), *((name, "USD million") for name in names)]
        _table(
            ws,
            pen,
            row,
            "bridges_to_scenarios",
            f"What sets each scenario apart from {axes.scenarios[0]} in {last}, USD million",
            columns,
            matrix,
        )
    ws.freeze_panes = f"B{FIRST_ROW}"
    page(ws, HEADER_ROW)


def _waterfall(ws: Worksheet, pen: Pen, row: int, found: Bridge, title: str) -> int:
    """A bridge as a table and a chart. Returns the next free row."""
    level = found.before / MILLION
    lines: list[tuple[Any, ...]] = []
    lines.append((str(found.start), level, "", "", "", 0.0, level, 0.0, "where it starts"))
    for bar in found.bars:
        effect = bar.effect / MILLION
        if not bar.changed:
            continue
        share = bar.effect / found.difference if found.difference else "n/a"
        low = min(level, level + effect)
        lines.append(
            (
                bar.driver,
                effect,
                share,
                bar.alone / MILLION,
                bar.interaction / MILLION,
                low,
                max(effect, 0.0),
                max(-effect, 0.0),
                ", ".join(bar.changed),
            )
        )
        level += effect
    lines.append(
        (str(found.end), found.after / MILLION, "", "", "", 0.0, found.after / MILLION, 0.0, "where it ends")
    )
    columns = [
        ("driver", "text"), ("effect, USD million", "USD million"), ("share of the difference", "share"), ("alone, USD million", "USD million"),
        ("with the others, USD million", "USD million"), ("drawn from", "USD million"), ("rise", "USD million"), ("fall", "USD million"),
        ("what moved", "text"),
    ]  # fmt: skip
    at = _table(ws, pen, row, "bridge_over_time", title, columns, lines, (0, len(lines) - 1))
    chart: Any = ws
    chart.add_chart(waterfall(ws, at, at + len(lines) - 1, 1, 6, title, "USD million"), f"K{row}")
    note = at + len(lines)
    pen.text(
        ws,
        note,
        1,
        "Each effect is averaged over all orders in which the drivers can move (Shapley value): the effects sum to the difference and no order is preferred.",
        "lm text",
    )
    return note + 2


def tornado_page(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """Each uncertain input alone at its low and high, the largest swing first; then those without effect."""
    _start(ws)
    _widths(ws, (50, 16, 11, 11, 14, 14, 14, 14, 14))
    found = n.tornado
    moving = [s for s in found.swings if s.swing > 0]
    frame: Any = found.frame().set_index("input")

    def own(name: str, side: str) -> float | str:
        value = float(frame.at[name, side])
        return value if value == value else "differs"

    lines = [
        (
            s.input,
            str(frame.at[s.input, "rows"]).split("; ")[0],
            own(s.input, "low"),
            own(s.input, "high"),
            s.at_low / MILLION,
            s.at_high / MILLION,
            s.low_effect / MILLION,
            s.high_effect / MILLION,
            s.swing / MILLION,
        )
        for s in moving
    ]
    columns = [
        ("input", "text"), ("first row", "text"), ("its low", "number"), ("its high", "number"), ("revenue at low, USD million", "USD million"),
        ("revenue at high, USD million", "USD million"), ("low less centre", "USD million"), ("high less centre", "USD million"), ("swing", "USD million"),
    ]  # fmt: skip
    title = f"Revenue of {found.at} risk-adjusted net: {found.centre / MILLION:,.1f} USD million at the centre. {_stamp(n)}"
    at = _table(ws, pen, FIRST_ROW, "tornado", title, columns, lines)
    if moving:
        chart: Any = ws
        chart.add_chart(
            swing_bars(
                ws,
                at,
                at + min(SHOWN, len(moving)) - 1,
                1,
                (7, 8),
                f"One input at a time, {found.at}: difference from the centre",
                "USD million",
            ),
            f"K{FIRST_ROW}",
        )
    row = at + len(lines) + 1
    idle = [(name,) for name in found.idle]
    if idle:
        _table(
            ws,
            pen,
            row,
            "inputs_without_effect",
            f"Inputs without effect on the revenue of {found.at}",
            [("input", "text")],
            idle,
        )
    ws.freeze_panes = f"B{FIRST_ROW}"
    page(ws, HEADER_ROW)


def uncertainty(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """Fans of the totals, then mean and percentiles of every label; each label's percentiles are its own, never sums."""
    _start(ws)
    simulated, axes = n.simulation, n.results.axes
    years = [str(y) for y in axes.years]
    _widths(ws, (14, 21, 33, 23, 14, 16, 14, *(12 for _ in years)))
    keys = [
        ("metric", "text"),
        ("region", "text"),
        ("segment", "text"),
        ("subtype", "text"),
        ("unit", "text"),
        ("statistic", "text"),
        (f"error {years[-1]}", "USD million"),
    ]
    columns = [*keys, *((y, "USD million") for y in years)]
    row = FIRST_ROW
    for metric in FANS:
        at = simulated.at(metric)
        p10, p50, p90 = (simulated.percentiles[0, at, :, p - 1] for p in (10, 50, 90))
        errors = simulated.percentile_errors[0, at, -1]
        stated = (
            ("P10", p10, errors[9]),
            ("P10 to P50", p50 - p10, None),
            ("P50 to P90", p90 - p50, None),
            ("P50", p50, errors[49]),
            ("mean", simulated.mean[0, at], simulated.mean_error[0, at, -1]),
            ("deterministic", simulated.deterministic[0, at], 0.0),
        )
        lines = [_line(simulated, at, *line) for line in stated]
        top = _table(
            ws,
            pen,
            row,
            f"fan_of_{metric}",
            f"{metric.capitalize()} of the world, {simulated.runs[0]}. {_drawn(n)}",
            columns,
            lines,
        )
        row = top + len(lines) + 1
    lines = []
    for i in range(len(simulated.labels)):
        x, errors = simulated.percentiles[0, i], simulated.percentile_errors[0, i, -1]
        lines.append(_line(simulated, i, "deterministic", simulated.deterministic[0, i], 0.0))
        lines.append(_line(simulated, i, "mean", simulated.mean[0, i], simulated.mean_error[0, i, -1]))
        lines += [_line(simulated, i, f"P{p}", x[:, p - 1], errors[p - 1]) for p in (10, 50, 90)]
    _table(
        ws,
        pen,
        row,
        "percentiles",
        "Each label by itself: a group's percentiles are those of its own draws and are no sums",
        columns,
        lines,
    )
    ws.freeze_panes = f"{column_letters(CONSTANT + 1)}{FIRST_ROW + 2}"
    page(ws, HEADER_ROW)


def fans(ws: Worksheet, page_of_charts: Any, years: int) -> None:
    """The fans of the totals, after the other charts of a page."""
    for metric, top in FANS.items():
        title = f"{metric.capitalize()}: P10 to P90, median, mean and the deterministic forecast"
        i = len(page_of_charts._charts)
        chart = fan(
            ws,
            top,
            CONSTANT + 1,
            CONSTANT + years,
            title,
            "USD million" if metric == "revenue" else "patients",
        )
        page_of_charts.add_chart(chart, f"{'AK'[i % 2]}{6 + 20 * (i // 2)}")


def _drawn(n: Analyses) -> str:
    return f"{n.simulation.draws:,} draws of seed {n.simulation.seed}. {_stamp(n)}"


def _line(
    simulated: Simulation, at: int, statistic: str, values: Array, error: float | None
) -> tuple[Any, ...]:
    """A line of percentiles, money in USD million; what is between two percentiles has no error."""
    label = simulated.labels[at]
    scale, unit = (MILLION, "USD million") if label.metric == "revenue" else (1.0, "patients")
    keys = {name: label.label if label.axis == name else "" for name in ("region", "segment", "subtype")}
    return (
        label.metric,
        *keys.values(),
        unit,
        statistic,
        error if error is None else _short(error / scale),
        *(_short(x / scale) for x in values),
    )


def _short(x: float) -> float | str:
    """A number with as many digits as a stored value has."""
    return float(f"{x:.{DIGITS}g}") if x == x else "n/a"


def convergence(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """The mean against the deterministic forecast, how the headline settles with more draws, and what causes the spread."""
    _start(ws)
    _widths(ws, (50, 16, 16, 16, 16, 16, 16, 16, 16))
    simulated, last = n.simulation, n.results.axes.years[-1]
    at = simulated.at()
    lines: list[tuple[Any, ...]] = [
        (
            "deterministic, net sales times the probability of success",
            _short(simulated.deterministic[0, at, -1] / MILLION),
        ),
        (
            "deterministic, weighed over what may succeed or fail",
            _short(simulated.by_success[0, at, -1] / MILLION),
        ),
        ("mean of the draws", _short(simulated.mean[0, at, -1] / MILLION)),
        ("Monte Carlo error of that mean", _short(simulated.mean_error[0, at, -1] / MILLION)),
    ]
    row = _table(
        ws,
        pen,
        FIRST_ROW,
        "mean_and_forecast",
        f"Revenue {last}, USD million. {_drawn(n)}",
        [("what", "text"), ("revenue, USD million", "USD million")],
        lines,
    ) + len(lines)
    note = "A product that fails gives its share back to the others, which the deterministic forecast does not; curved relations move the mean of the draws further."
    pen.text(ws, row, 1, note, "lm text")
    statistics = ("mean", "P10", "P50", "P90")
    columns = [
        ("draws", "patients"),
        *((name, "USD million") for s in statistics for name in (s, f"error of {s}")),
    ]
    settled = [
        (float(k), *(_short(x / MILLION) for x in found.reshape(-1)))
        for k, found in zip(simulated.points, simulated.convergence[0], strict=True)
    ]
    top = _table(
        ws,
        pen,
        row + 2,
        "convergence",
        f"Revenue {last} by the number of draws, USD million",
        columns,
        settled,
    )
    chart: Any = ws
    drawn = point_lines(
        ws,
        top,
        top + len(settled) - 1,
        1,
        (2, 4, 6, 8),
        f"Revenue {last} by the number of draws",
        "USD million",
        "draws",
    )
    chart.add_chart(drawn, f"K{FIRST_ROW}")
    row = top + len(settled) + 1
    if not simulated.deviation[0, at, -1]:
        pen.text(
            ws,
            row,
            1,
            f"Nothing varies in the revenue of {last}: there is no variance to share out.",
            "lm text",
        )
    else:
        _causes(ws, n, pen, row)
    ws.freeze_panes = f"B{FIRST_ROW}"
    page(ws, HEADER_ROW)


def _causes(ws: Worksheet, n: Analyses, pen: Pen, row: int) -> None:
    """What causes the spread of the last year's revenue, as a table and a chart."""
    last = n.results.axes.years[-1]
    causes = [(str(name), _short(share)) for name, share in n.simulation.variance().itertuples(index=False)]
    shown = [*causes[:SHOWN], *causes[-1:]] if len(causes) > SHOWN else causes
    title = f"Share of the variance of ranks of revenue {last}, by a regression of ranks on all inputs: the {SHOWN} largest and the rest"
    top = _table(
        ws, pen, row, "causes_of_variance", title, [("input", "text"), ("share of variance", "share")], shown
    )
    chart: Any = ws
    chart.add_chart(
        swing_bars(
            ws,
            top,
            top + len(shown) - 1,
            1,
            (2,),
            f"What causes the spread of revenue {last}",
            "share of variance",
        ),
        f"K{FIRST_ROW + 22}",
    )


def as_built(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """The banner, and under it the weighed sums of the inputs' columns now and at the time of building."""
    ws.sheet_properties.tabColor = TAB["control"]
    heading(ws, ws.title, SHEET_NOTES[ws.title], SEEN)
    columns = (
        ("column", 30),
        ("weighed sum now", 54),
        ("weighed sum as built", 54),
        ("tolerance", 54),
        ("same", 12),
        ("weight of row", 14),
    )
    for i, (name, width) in enumerate(columns, 1):
        pen.write(ws, HEADER_ROW, i, name, "lm header" if i == 1 else "lm year")
        ws.column_dimensions[column_letters(i)].width = width
    for row, (place, built) in enumerate(traced.built.items(), FIRST_SUM):
        pen.text(ws, row, 1, ", ".join(place), "lm label")
        pen.write(ws, row, BUILT, built, "lm calculation", "#,##0.000000")
        pen.write(ws, row, TOLERANCE, SMALL, "lm calculation", "0E+00")
    for row, weight in weights(traced).items():
        pen.write(ws, row, WEIGHT, weight, "lm calculation", "0.000000000")
    pen.text(ws, BANNER_ROW, 1, "What the analyses say", "lm label")
    pen.text(ws, BANNER_ROW, BUILT, SAY_SAME, "lm label")
    pen.text(ws, BANNER_ROW, TOLERANCE, SAY_CHANGED, "lm label")
    for line in traced.sheets[ws.title].lines:
        if line.array != "master":
            for column, formula in line.formulas():
                style, form = (
                    ("lm calculation", "#,##0.000000") if line.row >= FIRST_SUM else ("lm label", "")
                )
                pen.write(ws, line.row, column, f"={formula}", style, form)
    page(ws, HEADER_ROW)


PAGES: dict[str, Callable[[Worksheet, Analyses, Pen], None]] = {
    "Scenarios_and_bridge": scenarios_and_bridge,
    "Tornado": tornado_page,
    "Uncertainty": uncertainty,
    "Convergence": convergence,
}
"""The sheets of analyses in order, and what writes each."""
