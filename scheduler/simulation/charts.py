"""Line charts as SVG: small, the same for the same numbers, and legible without telling colours apart."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

# Okabe and Ito's colours, which colour-blind people can tell apart; each has dashes of its own beside.
_STYLES = (("#0072b2", ""), ("#d55e00", "9 3"), ("#009e73", "2 3"), ("#a0488a", "9 3 2 3"), ("#222222", "5 5"))
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 420, 260, 70, 14, 46, 44
_TICKS = 5


@dataclass(frozen=True)
class Chart:
    """Numbers over the days, a line for each name. All charts of a picture share days and names."""

    title: str
    unit: str
    lines: Mapping[str, Sequence[float]]


def draw(charts: Sequence[Chart], days: Sequence[float], columns: int) -> str:
    """Return a picture of the charts side by side, under one legend."""
    columns = min(columns, len(charts))
    width = columns * _WIDTH
    legend, top = _legend(list(charts[0].lines), width)
    height = top + math.ceil(len(charts) / columns) * _HEIGHT
    about = escape(", ".join(chart.title for chart in charts))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{about}">',
        "<style>text{font:12px sans-serif;fill:#222}.title{font-size:14px;font-weight:600}.unit{fill:#555}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *legend,
    ]
    for number, chart in enumerate(charts):
        row, column = divmod(number, columns)
        parts.append(f'<g transform="translate({column * _WIDTH} {top + row * _HEIGHT})">')
        parts += _chart(chart, days)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def ticks(lowest: float, highest: float) -> list[float]:
    """Return some round numbers, equally far apart: the first not above the lowest, the last not below the highest."""
    span = max(highest - lowest, 1e-9)
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10, 20) if span / (power * factor) <= _TICKS)
    first, last = math.floor(lowest / step + 1e-9), math.ceil(highest / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _legend(names: Sequence[str], width: int) -> tuple[list[str], int]:
    """Return the legend, in as many rows as it needs, and its height."""
    parts: list[str] = []
    x, y = _LEFT, 20
    for number, name in enumerate(names):
        takes = 66 + 7 * len(name)
        if x > _LEFT and x + takes > width:
            x, y = _LEFT, y + 20
        parts.append(f'<line x1="{x}" y1="{y}" x2="{x + 36}" y2="{y}" {_stroke(number)}/>')
        parts.append(f'<text x="{x + 42}" y="{y + 4}">{escape(name)}</text>')
        x += takes
    return parts, y + 14


def _stroke(number: int) -> str:
    colour, dashes = _STYLES[number % len(_STYLES)]
    return f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes or "none"}" fill="none"'


def _chart(chart: Chart, days: Sequence[float]) -> Iterator[str]:
    heights = ticks(0, max((max(line) for line in chart.lines.values()), default=0))
    times = ticks(days[0], days[-1])
    across = _Scale(days[0], max(days[-1], days[0] + 1e-9), _LEFT, _WIDTH - _RIGHT)
    up = _Scale(heights[0], heights[-1], _HEIGHT - _BOTTOM, _TOP)
    yield f'<text x="{_LEFT}" y="18" class="title">{escape(chart.title)}</text>'
    yield f'<text x="{_LEFT}" y="36" class="unit">{escape(chart.unit)}</text>'
    for value in heights:
        y = up.at(value)
        yield f'<line x1="{_LEFT}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_written(value)}</text>'
    for value in (one for one in times if days[0] <= one <= days[-1]):
        x = across.at(value)
        yield f'<line x1="{x}" y1="{_HEIGHT - _BOTTOM}" x2="{x}" y2="{_HEIGHT - _BOTTOM + 5}" stroke="#777"/>'
        yield f'<text x="{x}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{_written(value)}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle" class="unit">days</text>'
    for number, line in enumerate(chart.lines.values()):
        points = " ".join(f"{across.at(day)},{up.at(value)}" for day, value in zip(days, line, strict=True))
        yield f'<polyline points="{points}" {_stroke(number)}/>'


@dataclass(frozen=True)
class _Scale:
    lowest: float
    highest: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.lowest) / (self.highest - self.lowest)
        return round(self.begin + share * (self.end - self.begin), 1)


def _written(value: float) -> str:
    return f"{value:,.10g}"
