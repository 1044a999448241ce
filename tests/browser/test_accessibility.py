"""Check the three pages with axe-core, wide and on a phone, light and dark; and that the lines of each break no word."""

from __future__ import annotations

import copy

import pytest

from harness import cli
from harness.certificates import Certificates
from harness.reports.html.trend import render_trend_html
from harness.reports.record.run_types import RunRecord
from harness.reports.record.trend import TrendBuilder
from tests.page_checks import broken_words, violations

pytestmark = pytest.mark.slow
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed (extra: test)")
SCREENS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@pytest.fixture
def checked(chromium, screenshots):
    """Open a page that has no script of its own, check it, and take a screenshot."""
    contexts = []

    def check(path, *, width, scheme):
        context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.goto(path.as_uri())
        page.screenshot(path=screenshots / f"{path.stem}-{width}-{scheme}.png", full_page=True)
        assert violations(page) == []
        for details in page.locator("details").all():
            details.evaluate("one => { one.open = true; }")
        assert violations(page) == []
        assert broken_words(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        return page

    yield check
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_the_matrix(mixed, wide, show, width, scheme):
    """Every verdict, folded and unfolded boards, and an open cell have enough contrast, names and a place in the order of Tab."""
    options = {"width": width, "height": 844, "color_scheme": scheme}
    page = show(mixed, hash_="#unfold=board-0,board-1", **options)
    assert violations(page) == []
    for word in ("fail", "insecure", "error", "known"):
        assert page.locator(f"#box button.v-{word}").first.is_visible()
    page.locator("#box button.v-fail").first.click()
    assert page.locator("#detail").is_visible()
    assert violations(page) == []
    assert violations(show(wide, **options)) == []
    assert violations(show(wide, hash_="#unfold=plant&group=seed", **options)) == []


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_the_trend(record, checked, tmp_path, width, scheme):
    """Nights with a flaky cell, one that became worse, and new firmware."""
    builder = TrendBuilder()
    for night in range(1, 7):
        run = copy.deepcopy(record[1])
        run["run"] |= {"id": f"night-{night}", "started": f"2026-11-0{night}T01:00:00.000+00:00"}
        run["boards"][0] |= {"board": "unix:micropython-lab", "firmware": f"1.28.{night // 4}"}
        for item in run["results"]:
            item["board"] = "unix:micropython-lab"
            if (item["case"] == "seed/ca-verified" and night % 2) or (item["case"] == "key/rsa2048" and night == 6):
                item["verdict"], item["reason"] = "fail", "made to fail for this test"
        builder.add(RunRecord.of_json(run), file=f"records/night-{night}.json")
    path = tmp_path / "trend.html"
    path.write_text(render_trend_html(builder.finish()), encoding="utf-8")
    page = checked(path, width=width, scheme=scheme)
    text = page.locator("main").inner_text()
    for words in (
        "6 runs, 2026-11-01 to 2026-11-06",
        "1 flaky",
        "Flaky cells (1)",
        "Changed verdicts (1)",
        "Replaced firmware",
        "Unchanged",
    ):
        assert words in text
    assert page.locator("h2", has_text="Slower").count() == 0
    bars = page.locator("svg.bars").first
    assert bars.get_attribute("aria-label") == "seed/ca-verified: fail 3, pass 3, last pass"
    assert [rect.get_attribute("class") for rect in bars.locator("rect").all()] == ["v-fail", "v-pass"] * 3
    assert bars.bounding_box()["width"] >= 100
    assert page.locator("th", has_text="night-6.json").or_(page.locator("td", has_text="night-6.json")).count() == 1


def test_the_simulation(checked, tmp_path):
    """A server with an RSA key: some firmware connects, some is refused, and the fixes are commands and programs."""
    path = tmp_path / "simulation.html"
    with Certificates() as certificates:
        made = certificates.make("server-rsa2048")
        files = ["--cert", str(made.chain_file), "--key", str(made.key_file)]
        assert cli.main(["simulate", *files, "--ciphers", "ECDHE+AESGCM", "--html", str(path)]) == 1
    for width, scheme in SCREENS:
        page = checked(path, width=width, scheme=scheme)
        assert "firmwares connect" in page.locator(".lead").inner_text()
        assert "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" in page.locator("table").first.inner_text()
