"""What a page of a PDF is made of: fonts, bands, charts. Drawn straight on ReportLab's canvas, in points, from the lower left corner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import matplotlib
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from api.reports.charts import Drawn
from api.reports.words import indian

WIDTH, HEIGHT = landscape(A4)
MARGIN = 28.0
NAVY, BLUE, PALE, AMBER, GREY, INK, WHITE = (
    HexColor(c) for c in ("#1F3A5F", "#3B75AF", "#EEF3F8", "#E9A23B", "#7A8794", "#22303C", "#FFFFFF")
)
LINES = (NAVY, AMBER, BLUE, GREY)
"""Colours of a chart's lines in their order."""

Canvas = Any


def _register() -> None:
    """DejaVu, which comes with matplotlib: the base fonts have no ₹."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in ("DejaVuSans", "DejaVuSans-Bold"):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, folder / f"{name}.ttf"))


def font(text: str, *, bold: bool = False) -> str:
    """A base font where it has every character: it is drawn faster and need not be embedded."""
    if text.isascii():
        return "Helvetica-Bold" if bold else "Helvetica"
    _register()
    return "DejaVuSans-Bold" if bold else "DejaVuSans"


def width(text: str, size: float, *, bold: bool = False) -> float:
    return float(pdfmetrics.stringWidth(text, font(text, bold=bold), size))


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, cut with … where it is wider than the room."""
    if width(text, size, bold=bold) <= room + 0.01:  # what was measured to fit must not be cut for the last bit of a sum
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(text[:middle] + "…", size, bold=bold) <= room else (low, middle - 1)
    return text[:low] + "…"


def wrapped(text: str, room: float, size: float, *, bold: bool = False) -> list[str]:
    """Lines no wider than the room; a single word may be cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, bold=bold) <= room:
            lines[-1] = longer
        else:
            lines.append(fitted(word, room, size, bold=bold))
    return lines or [""]


def put(canvas: Canvas, x: float, y: float, text: str, size: float, colour: Any = INK, *, bold: bool = False, align: str = "left") -> None:
    canvas.setFillColor(colour)
    canvas.setFont(font(text, bold=bold), size)
    {"left": canvas.drawString, "right": canvas.drawRightString, "centre": canvas.drawCentredString}[align](x, y, text)


def figure(value: float, unit: str = "") -> str:
    """A figure at a bar or an axis: three digits of it, and all before the point."""
    size = abs(value)
    decimals = 0 if size >= 100 or value == int(value) else min(2 - math.floor(math.log10(size)), 9)
    return indian(value, decimals) + (f" {unit}" if unit else "")


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round figures that cover low..high."""
    span = (high - low) or abs(high) or 1.0
    raw = span / wanted
    step = 10.0 ** math.floor(math.log10(raw))
    step *= next(m for m in (1, 2, 5, 10) if raw <= m * step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [n * step for n in range(first, max(last, first + 1) + 1)]


def chart(canvas: Canvas, x: float, y: float, room: float, height: float, drawn: Drawn) -> None:
    """A chart in a box whose lower left corner is x, y."""
    title = drawn.title + (f" ({drawn.unit})" if drawn.unit and drawn.unit not in drawn.title else "")
    put(canvas, x, y + height - 11, fitted(title, room, 10.5, bold=True), 10.5, NAVY, bold=True)
    if drawn.note:
        put(canvas, x + room, y + height - 11, drawn.note, 7.5, GREY, align="right")
    if drawn.empty:
        put(canvas, x + room / 2, y + height / 2, "nothing to draw in this period", 9, GREY, align="centre")
    elif drawn.bars:
        _bars(canvas, x, y, room, height - 24, drawn)
    else:
        _lines(canvas, x, y, room, height - 24, drawn)


def _bars(canvas: Canvas, x: float, y: float, room: float, height: float, drawn: Drawn) -> None:
    labels = [fitted(b.label, room * 0.36, 7.5) for b in drawn.bars]
    begin = x + max(width(t, 7.5) for t in labels) + 6
    space = x + room - begin - max(width(figure(b.value), 7.5) for b in drawn.bars) - 8
    low, high = min(0.0, *(b.value for b in drawn.bars), 0.0), max(0.0, *(b.value for b in drawn.bars), 0.0)
    scale = space / ((high - low) or 1.0)
    zero = begin - low * scale
    step = min(height / len(drawn.bars), 20.0)
    for n, (bar, label) in enumerate(zip(drawn.bars, labels, strict=True)):
        middle = y + height - (n + 0.5) * step
        put(canvas, begin - 6, middle - 2.6, label, 7.5, align="right")
        canvas.setFillColor(NAVY if bar.value >= 0 else AMBER)
        end = zero + bar.value * scale
        canvas.rect(min(zero, end), middle - step * 0.34, max(abs(end - zero), 0.4), step * 0.68, stroke=0, fill=1)
        put(canvas, max(zero, end) + 3, middle - 2.6, figure(bar.value), 7.5)


def _lines(canvas: Canvas, x: float, y: float, room: float, height: float, drawn: Drawn) -> None:
    known = [v for line in drawn.lines for v in line.values if v is not None]
    if not known:
        put(canvas, x + room / 2, y + height / 2, "nothing to draw in this period", 9, GREY, align="centre")
        return
    marks = ticks(min(0.0, *known, 0.0), max(0.0, *known, 0.0))
    left = x + max(width(figure(t), 7) for t in marks) + 6
    bottom, top = y + 24, y + height - (12 if len(drawn.lines) > 1 else 2)
    right = x + room - 6
    across = (right - left) / max(len(drawn.x) - 1, 1)
    up = (top - bottom) / (marks[-1] - marks[0])
    canvas.setLineWidth(0.4)
    canvas.setStrokeColor(HexColor("#D5DCE3"))
    for t in marks:
        level = bottom + (t - marks[0]) * up
        canvas.line(left, level, right, level)
        put(canvas, left - 4, level - 2.5, figure(t), 7, GREY, align="right")
    names = [_x_text(v, drawn.x) for v in drawn.x]
    every = max(1, math.ceil((max(width(n, 7) for n in names) + 8) / across))
    for i in range(0, len(names), every):
        put(canvas, left + i * across, bottom - 11, names[i], 7, GREY, align="centre")
    at = left
    for line, colour in zip(drawn.lines, LINES, strict=False):
        canvas.setStrokeColor(colour)
        canvas.setLineWidth(1.2)
        _polyline(canvas, [(left + i * across, None if v is None else bottom + (v - marks[0]) * up) for i, v in enumerate(line.values)])
        if len(drawn.lines) > 1:
            name = line.column.replace("_", " ")
            canvas.line(at, y + height - 4, at + 14, y + height - 4)
            put(canvas, at + 18, y + height - 6.5, name, 7)
            at += 30 + width(name, 7)


def _polyline(canvas: Canvas, points: Sequence[tuple[float, float | None]]) -> None:
    """A line that is broken where a value is missing; a value that stands alone is a dot."""
    path, run = canvas.beginPath(), 0
    for (at, level), (_, following) in zip(points, [*points[1:], (0.0, None)], strict=True):
        if level is None:
            run = 0
            continue
        if run:
            path.lineTo(at, level)
        elif following is None:
            canvas.circle(at, level, 1.2, stroke=1, fill=0)
        else:
            path.moveTo(at, level)
        run += 1
    canvas.drawPath(path, stroke=1, fill=0)


def _x_text(value: date | datetime | float, every: Sequence[Any]) -> str:
    if isinstance(value, datetime):
        one_day = every[0].date() == every[-1].date()
        return f"{value:%H:%M}" if one_day else f"{value:%d %b %H:%M}"
    if isinstance(value, date):
        return f"{value:%d %b}"
    return f"{value:g}"
