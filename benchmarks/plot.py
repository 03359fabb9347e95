"""The picture of a plan's seconds by size, drawn by hand: a line per command, both axes
logarithmic. It has a background of its own, light or dark as the reader's system is."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 250, 48, 52
_LABEL_GAP = 16
_STYLE = """
svg { font: 13px system-ui, sans-serif; --back: #ffffff; --text: #24292f; --faint: #6e7781;
  --grid: #d8dee4; --c0: #0550ae; --c1: #1a7f37; --c2: #bc4c00; --c3: #8250df; --c4: #6e7781 }
@media (prefers-color-scheme: dark) { svg { --back: #0d1117; --text: #e6edf3; --faint: #9198a1;
  --grid: #30363d; --c0: #79c0ff; --c1: #56d364; --c2: #ffa657; --c3: #d2a8ff; --c4: #9198a1 } }
"""

Points = Sequence[tuple[int, float]]


def drawn(title: str, lines: Mapping[str, Points]) -> str:
    """The SVG; each line has its name at its end. At most five lines, none of them empty."""
    scale = _Scale([point for points in lines.values() for point in points])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect fill="var(--back)" width="{_WIDTH}" height="{_HEIGHT}"/>',
        _text(_LEFT, 26, title, "text", "start"),
        *_grid(scale),
        *_lines(scale, lines),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Scale:
    """From sizes and seconds to places of the picture; the axes begin and end at powers of ten."""

    def __init__(self, points: Points) -> None:
        self.sizes = _decades([size for size, _ in points])
        self.seconds = _decades([seconds for _, seconds in points])

    def x(self, size: float) -> float:
        """Of a size."""
        return _LEFT + _share(size, self.sizes) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, seconds: float) -> float:
        """Of seconds; more is higher."""
        return _HEIGHT - _BOTTOM - _share(seconds, self.seconds) * (_HEIGHT - _TOP - _BOTTOM)


def _decades(values: Sequence[float]) -> range:
    """The powers of ten around all of them."""
    logs = [log10(value) for value in values]
    first = floor(min(logs))
    return range(first, max(ceil(max(logs)), first + 1) + 1)


def _share(value: float, decades: range) -> float:
    return (log10(value) - decades[0]) / (decades[-1] - decades[0])


def _grid(scale: _Scale) -> Iterator[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for power in scale.seconds:
        y = scale.y(10.0**power)
        yield f'<line stroke="var(--grid)" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
        yield _text(_LEFT - 8, y + 4, f"{10.0**power:g} s", "faint", "end")
    for power in scale.sizes:
        x = scale.x(10.0**power)
        yield f'<line stroke="var(--grid)" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}"/>'
        yield _text(x, bottom + 20, f"{10**power:,}", "faint", "middle")
    yield _text((_LEFT + right) / 2, bottom + 40, "opportunities or records", "faint", "middle")


def _lines(scale: _Scale, lines: Mapping[str, Points]) -> Iterator[str]:
    places = _apart({name: scale.y(points[-1][1]) for name, points in lines.items()})
    for number, (name, points) in enumerate(lines.items()):
        at = [(scale.x(size), scale.y(seconds)) for size, seconds in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        stroke = f'stroke="var(--c{number})" stroke-width="2.5"'
        yield f'<polyline fill="none" {stroke} points="{path}"/>'
        for x, y in at:
            yield f'<circle fill="var(--c{number})" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        seconds = points[-1][1]
        label = f"{name}, {seconds:.0f} s" if seconds >= 10 else f"{name}, {seconds:.2g} s"
        yield _text(at[-1][0] + 10, places[name] + 4, label, f"c{number}", "start")


def _apart(ends: Mapping[str, float]) -> dict[str, float]:
    """The ends moved so that no two names stand over each other."""
    places: dict[str, float] = {}
    lowest = float("-inf")
    for name, y in sorted(ends.items(), key=lambda item: item[1]):
        lowest = places[name] = max(y, lowest + _LABEL_GAP)
    return places


def _text(x: float, y: float, text: str, colour: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text fill="var(--{colour})" {place}>{escape(text)}</text>'
