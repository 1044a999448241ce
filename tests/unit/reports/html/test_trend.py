"""The page of a trend: valid HTML without a script, every text escaped, bars and lines to scale."""

import re

import justhtml
import pytest

from harness.reports.html.trend import LISTED_RUNS, POINTS, render_trend_html

HOSTILE = '<script>alert(1)</script>"\x1b[31m&'


def test_the_page(a_run, trend_of):
    """The headline, the sections, a row per cell, and nothing that runs or loads."""
    nights = (
        a_run(
            night,
            a_run.result("t/a", "fail" if night == 2 else "pass", ms=4.0 + night, heap=50_000),
            firmware=f"1.{night // 3}",
        )
        for night in range(1, 5)
    )
    page = render_trend_html(trend_of(*nights))
    justhtml.JustHTML(page, strict=True)
    assert "4 runs, 2026-03-01 to 2026-03-04; 1 cell: 0 failing now, 0 flaky" in page
    assert "<script" not in page
    assert "script-src" not in page
    assert "default-src &#39;none&#39;; style-src" in page
    bars = re.findall(r'<rect class="(v-\w+)" x="([\d.]+)" width="([\d.]+)"', page)
    assert bars == [("v-pass", "0.0", "60.0"), ("v-fail", "60.0", "60.0"), ("v-pass", "120.0", "120.0")]
    assert re.findall(r'points="([^"]+)"', page) == ["30.0,9.0 90.0,6.0 150.0,3.0 210.0,0.0"]
    assert re.findall(r'<line x1="([\d.]+)"', page) == ["120.0"]
    page = page.replace("<wbr>", "")
    assert "2026-03-03T01:00  lab-1: 1.0 -&gt; 1.1" in page


def test_a_gap(a_run, trend_of):
    """A run without the cell has no bar, and none of the sections claims anything."""
    runs = [a_run(night, a_run.result(case)) for night, case in ((1, "t/a"), (2, "t/b"), (3, "t/a"))]
    page = render_trend_html(trend_of(*runs))
    row = page.partition('<th scope="row">t/a')[2].partition("</tr>")[0]
    assert re.findall(r'<rect class="v-\w+" x="([\d.]+)" width="([\d.]+)"', row) == [("0.0", "80.0"), ("160.0", "80.0")]
    assert "points" not in row
    assert "No cell is flaky." in page


def test_texts_are_data(a_run, trend_of):
    """Texts of boards, servers and file names are escaped, and control characters are visible."""
    page = render_trend_html(trend_of(a_run(1, a_run.result("t/a", board=HOSTILE), firmware=HOSTILE)))
    justhtml.JustHTML(page, strict=True)
    assert "<script" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(("count", "points"), [(POINTS, POINTS), (POINTS + 1, POINTS // 2 + 1)])
def test_a_long_history(a_run, trend_of, count, points):
    """Lines have a limited number of points, and only the newest runs are listed."""
    first = a_run(1, a_run.result("t/a", ms=5.0)).as_json()
    runs = []
    for number in range(count):
        about = {
            **first["run"],
            "id": str(number),
            "started": f"2026-03-01T00:{number // 60:02}:{number % 60:02}+00:00",
        }
        runs.append(type(a_run(1)).of_json({**first, "run": about}))
    page = render_trend_html(trend_of(*runs))
    assert len(re.findall(r'points="([^"]+)"', page)[0].split()) == points
    assert f"{count - LISTED_RUNS} older runs not listed" in page
    assert f'<th scope="row">{count}</th>' in page
    assert '<th scope="row">1</th>' not in page


def test_the_order_of_cells(a_run, trend_of):
    """Flaky cells first, then the worst verdict, then by name."""
    nights = [
        a_run(
            night,
            a_run.result("t/c"),
            a_run.result("t/a"),
            a_run.result("t/bad", "fail"),
            a_run.result("t/flaky", "fail" if night == 2 else "pass"),
        )
        for night in (1, 2, 3)
    ]
    page = render_trend_html(trend_of(*nights))
    assert re.findall(r'<th scope="row">(t/\w+)', page) == ["t/flaky", "t/bad", "t/a", "t/c"]
