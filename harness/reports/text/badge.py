"""A run as a badge: JSON for shields.io's endpoint, or an SVG image that needs no service. Pure."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from xml.sax.saxutils import escape

from harness.model import VerdictWord
from harness.reports.record.cells import worst_of
from harness.reports.record.plain import one_line
from harness.reports.record.run_types import RunRecord
from harness.reports.record.trend import by_cell

LABEL = "MicroPython TLS"
# shields.io names a colour; the image needs its value, dark enough for white text.
_COLOURS = {"brightgreen": "#2c7a0b", "yellow": "#8a6400", "red": "#b3261e", "lightgrey": "#656d76"}
_CHARACTER_WIDTH, _PADDING = 7, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """What a badge says."""

    label: str
    message: str
    color: str
    is_error: bool

    def as_endpoint(self) -> str:
        """Return the JSON that https://shields.io/badges/endpoint-badge reads."""
        data = {
            "schemaVersion": 1,
            "label": self.label,
            "message": self.message,
            "color": self.color,
            "isError": self.is_error,
        }
        return json.dumps(data, ensure_ascii=False) + "\n"

    def as_svg(self) -> str:
        """Return an image with the text in it, for screen readers as well."""
        left, right = (len(text) * _CHARACTER_WIDTH + 2 * _PADDING for text in (self.label, self.message))
        label, message = escape(self.label), escape(self.message)
        words = escape(f"{self.label}: {self.message}", {'"': "&quot;"})
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{words}">'
            f"<title>{escape(f'{self.label}: {self.message}')}</title>"
            f'<rect width="{left}" height="20" fill="#444"/>'
            f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[self.color]}"/>'
            '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
            f'<text x="{left / 2:g}" y="14" textLength="{left - 2 * _PADDING}">{label}</text>'
            f'<text x="{left + right / 2:g}" y="14" textLength="{right - 2 * _PADDING}">{message}</text></g></svg>\n'
        )


def badge_of(run: RunRecord, *, label: str = LABEL) -> Badge:
    """Return the badge of a run.

    Args:
        run: the record. A run that is incomplete, or without a statement about TLS, is never green.
        label: the text on the left.
    """
    counts = Counter(result.verdict for result in map(worst_of, by_cell(run.results).values()))
    bad = [f"{counts[word]} {word}" for word in VerdictWord.by_severity() if word.fails_run and counts[word]]
    good = counts[VerdictWord.PASS] + counts[VerdictWord.KNOWN]
    unusable = sum(board.error is not None for board in run.boards)
    more = [f"{len(run.missing)} not run"] * bool(run.missing)
    more += [f"{unusable} board{'s' * (unusable != 1)} unusable"] * bool(unusable)
    message = ", ".join([*bad, f"{good} as expected", *more])
    wrong = counts[VerdictWord.FAIL] + counts[VerdictWord.INSECURE]
    color = "red" if wrong else "yellow" if bad or more else "brightgreen" if good else "lightgrey"
    return Badge(label=one_line(label), message=message, color=color, is_error=bool(wrong))
