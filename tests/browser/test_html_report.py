"""Test the HTML report in a real browser: mouse and keyboard, light and dark, on a phone, with many cells and hostile texts."""

from __future__ import annotations

import copy
import re

import pytest

from harness.reports.html import render_html
from harness.reports.record.run_types import RunRecord
from harness.reports.record.soak import soak_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra: test)")
expect = sync_api.expect

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><!--"
    " \x1b[2J\u202e javascript:alert(1)"
)


def count(page) -> str:
    """Return the page's text about how much it shows."""
    return page.locator("#count").inner_text()


def shows(page, number: int) -> None:
    """Wait until the matrix shows this number of results."""
    expect(page.locator("#count")).to_have_text(re.compile(rf"^{number} of "))


def test_the_first_screen_names_the_key(record, show, screenshots):
    """The page of a run, opened from a file, names the server key and links to the evidence."""
    folder, run = record
    page = show(run, path=folder / "out" / "report.html")
    assert "works with every board and every server (1 of 1)" in page.locator(".lead").inner_text()
    assert page.locator("table.keys td.yes").count() >= 1
    strip = " ".join(page.locator(".strip").inner_text().split())
    for words in (f"{len(run['results'])} pass", "no board with problems", "no baseline"):
        assert words in strip
    best = page.locator("table.costs tr.best")
    assert "★ recommended" in best.inner_text()
    assert best.locator("td").first.inner_text() == "✓ connects"  # a virtual board's time is no cost
    assert re.fullmatch(r"unix \(.* on \w+\): .*key\.", page.locator("#per-board li").inner_text())
    python = page.locator("#config pre").first
    assert not python.is_visible()
    page.locator("#config summary").click()
    assert "context.load_cert_chain(" in python.inner_text()
    page.locator("#config summary").click()
    screen = page.viewport_size["height"]
    for place in (page.locator(".lead"), best, page.locator(".strip")):
        assert place.bounding_box()["y"] + place.bounding_box()["height"] < screen
    page.screenshot(path=screenshots / "first-screen.png")
    page.locator("table.keys button").first.click()
    links = page.locator("#detail li a").evaluate_all("all => all.map((a) => [a.textContent, a.href])")
    assert links
    for name, address in links:
        assert address == (folder / "art" / name).as_uri()
        assert (folder / "art" / name).exists()
    assert (folder / "art" / "matrix.html").exists()


@pytest.mark.slow
def test_filters_and_the_address(mixed, show, screenshots):
    """Each filter narrows the matrix and is part of the address; the address alone restores the view."""
    page, total = show(mixed), len(mixed["results"])
    assert count(page).startswith(f"{total} of {total} results")
    page.locator("input[name=verdict][value=insecure]").check()
    shows(page, 1)
    assert page.locator("#box button.v-insecure").inner_text() == "‼ insecure"
    page.screenshot(path=screenshots / "filtered.png", full_page=True)
    page.locator("button[type=reset]").click()
    shows(page, total)
    page.locator("select[name=board]").select_option("board-1")
    shows(page, total // 2)
    page.locator("input[name=q]").fill("NO_SHARED_CIPHER")
    expect(page).to_have_url(re.compile("q=no_shared_cipher"))
    assert "board=board-1" in page.evaluate("location.hash")
    wanted, address = count(page), page.evaluate("location.hash")
    assert 0 < int(wanted.split()[0]) < total // 2
    assert count(show(mixed, hash_=address)) == wanted
    assert count(show(mixed, hash_="#changed=1")).startswith("1 of")
    assert "No results match these filters." in show(mixed, hash_="#q=no+such+words").locator("#box").inner_text()


def test_a_cell_opens_and_closes_by_keyboard(mixed, show, screenshots):
    """Tab reaches the table, arrows move, Enter opens, Escape closes and restores the focus. The open cell is part of the address."""
    page = show(mixed, hash_="#verdict=fail")
    page.locator("#box").focus()
    page.keyboard.press("Tab")  # the boards, which can be folded
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # the group
    page.keyboard.press("Tab")  # its first cell
    assert page.evaluate("document.activeElement.dataset.at")
    page.keyboard.press("Enter")
    dialog = page.locator("#detail")
    dialog.wait_for(state="visible")
    assert page.evaluate("document.activeElement.textContent") == "Close (Esc)"
    text = dialog.inner_text()
    settings = page.locator("#detail details.settings")
    assert "context = ssl.SSLContext(" in settings.locator("pre").text_content()
    assert not settings.locator("pre").is_visible()
    case = mixed["results"][0]["case"]
    for words in ("✕ fail", "Changed since the baseline: new failure", "Mismatches", "Expected and observed", "Time and memory",
                  "ClientHello", "Packets", "Run it again", "pytest", "UTC in lab-a/run.json", case):  # fmt: skip
        assert words in text
    assert f"open=board-0%7Cserver-0%7C{case.replace('/', '%2F')}" in page.evaluate("location.hash")
    page.screenshot(path=screenshots / "cell.png")
    page.keyboard.press("Escape")
    # The dialog's close event comes after it is hidden. The page's policy forbids the eval of `wait_for_function`.
    expect(page).not_to_have_url(re.compile("open="))
    assert not dialog.is_visible()
    here = page.evaluate("document.activeElement.dataset.at")
    assert here
    page.locator("table.keys td button").first.focus()
    at = page.evaluate("document.activeElement.dataset.at")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.at") != at
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.at") == at
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_an_explanation_opens_with_its_evidence(mixed, show):
    """A refusal shows both errors, the alert, the evidence as a table, and the fixes with the lines to write."""
    page = show(mixed, hash_="#open=board-1%7Cserver-1%7Cseed%2Frsa-key-no-shared-cipher")
    text = page.locator("#detail").inner_text()
    for words in ("NO_SHARED_CIPHER", "-30592", "handshake_failure(40)", "ciphers/key-type", "needs an EC key", "What to change",
                  "only use servers with an EC key", "Discouraged: ", "openssl ecparam"):  # fmt: skip
        assert words in text


def test_a_flaky_cell_shows_all_its_runs(record, multiplied, show, screenshots):
    """One failure in three runs is listed above the matrix, marked in it, and opened as three runs."""
    run = multiplied(record[1], boards=1, servers=1)
    run["results"] = [{**item, "repeat": number} for number in (1, 2, 3) for item in run["results"]]
    odd = next(item for item in run["results"] if item["case"] == "seed/ca-verified" and item["repeat"] == 2)
    odd["verdict"], odd["reason"] = "fail", "made to fail once"
    run["soak"] = soak_of(RunRecord.of_json(run).results, repeat=3).as_json()
    page = show(run)
    assert "~ 1 flaky" in " ".join(page.locator(".strip").inner_text().split())
    assert "pass 2, fail 1 · connected always" in page.locator("main").inner_text()
    cell = page.locator("#box button.v-fail")
    assert cell.inner_text() == "✕ fail ~ flaky"
    page.screenshot(path=screenshots / "flaky.png", full_page=True)
    cell.click()
    text = page.locator("#detail").inner_text()
    for words in ("~ flaky: pass 2, fail 1 of 3 runs", "Run 1 of 3", "Run 2 of 3", "Run 3 of 3", "made to fail once"):
        assert words in text
    assert page.locator("#detail table").first.locator("tbody tr").count() == 3
    runs = page.locator("#detail .run")
    assert [runs.nth(number).locator("h3").count() > 0 for number in range(3)] == [True, True, False]
    runs.nth(2).locator("summary").first.click()
    expect(runs.nth(2)).to_contain_text("Time and memory")
    page.screenshot(path=screenshots / "flaky-cell.png")


def luminance(page, what: str) -> float:
    """Return the brightness of a computed colour, 0 to 1."""
    colour = page.evaluate(f"getComputedStyle(document.body).{what}")
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(",")[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def test_dark_and_light(mixed, show, screenshots):
    """The system's setting is followed; the button overrides it, and a new visit remembers that."""
    page = show(mixed, color_scheme="dark")
    assert luminance(page, "backgroundColor") < 0.2 < 0.7 < luminance(page, "color")
    page.screenshot(path=screenshots / "dark.png", full_page=True)
    page.locator("#theme").click()
    assert page.locator("#theme").inner_text() == "Theme: light"
    assert luminance(page, "backgroundColor") > 0.8
    page.locator("section[aria-labelledby=changes-h] a").click()
    page.locator("#detail").wait_for(state="visible")
    assert "Changed since the baseline: new failure" in page.locator("#detail").inner_text()
    page.reload()
    assert page.locator("#theme").inner_text() == "Theme: light"


def test_a_phone_scrolls_down_only(mixed, show, screenshots):
    """At 390 pixels nothing is wider than the page; tables scroll in their own boxes; a cell fills the screen."""
    run = copy.deepcopy(mixed)
    failing = next(item for item in run["results"] if item["verdict"] == "fail")
    renamed = run["boards"][1]["board"]
    for item in [*run["boards"], *run["results"]]:
        item["board"] = "long" * 15 if item["board"] == renamed else item["board"]
    failing["reason"] = failing["mismatches"][0]["observed"] = "long" * 40
    page = show(run, width=390, height=844, has_touch=True, hash_="#unfold=board-0")
    wide = "document.documentElement.scrollWidth <= 390"
    assert page.evaluate(wide)
    page.screenshot(path=screenshots / "phone.png", full_page=True)
    page.locator("#box button.v-fail").first.tap()
    page.locator("#detail").wait_for(state="visible")
    assert page.evaluate(wide)
    assert page.locator("#detail").bounding_box()["width"] == pytest.approx(390, abs=1)
    assert page.evaluate("document.getElementById('detail').scrollWidth <= 390")
    heads = page.locator("#detail .packets th, #detail .fields th").evaluate_all(
        "all => all.map((head) => [head.textContent, head.offsetHeight])"
    )
    assert [text for text, _height in heads] == [*("field", "expected", "got"), *("no.", "ms", "from", "bytes", "what")]
    assert max(height for _text, height in heads) < 40
    page.screenshot(path=screenshots / "phone-cell.png")


# Names that refer to other parts of a record, and keys with a closed set of values.
KEPT = (
    "verdict", "outcome", "started", "board", "server", "case", "topic", "kind", "id", "source",
    "schema", "cases", "tier", "stage", "ended_by", "from", "version", "default_suites", "step", "result", "tls_module",
    "tls_library", "subject", "reached",
)  # fmt: skip


def changed_texts(value, *, keep=KEPT):
    """Replace every free text of a record with hostile text."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, list):
        return [changed_texts(item) for item in value]
    if isinstance(value, dict):
        return {key: item if key in keep and not _objects(item) else changed_texts(item) for key, item in value.items()}
    return value


def _objects(value):
    """Return whether a value contains JSON objects."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def test_hostile_texts_change_nothing(mixed, show):
    """Markup, comments, addresses or terminal codes of a board or server are shown as text."""
    hostile = changed_texts(mixed)
    page = show(hostile, hash_="#verdict=fail")
    scripts = page.locator("script").count()
    page.locator("#box button.v-fail").first.click()
    assert "<script>document.title='owned'</script>" in page.locator("#detail").inner_text()
    assert r"\x1b[2J\u202e" in page.locator("#detail").inner_text()
    assert page.title() != "owned"
    assert page.locator("script").count() == scripts == 2
    assert page.locator("img").count() == 0
    addresses = page.locator("#detail a").evaluate_all("all => all.map((a) => a.protocol)")
    assert addresses
    assert set(addresses) == {"file:"}


@pytest.mark.slow
def test_ten_thousand_cells_stay_quick(record, multiplied, show, tmp_path, screenshots, record_property):
    """Rows are only built when they become visible, however many there are, also after filtering."""
    _folder, run = record
    per_case = 10_000 // len(run["results"]) // 9 + 1
    big = multiplied(run, boards=3, servers=3, cases=per_case)
    assert len(big["results"]) >= 10_000
    path = tmp_path / "big.html"
    path.write_text(render_html(RunRecord.of_json(big)), encoding="utf-8")
    page = show(None, path=path, hash_="#group=seed")
    page.locator("#box .topic").click()
    rows = page.locator("#box tr.case")
    made = rows.count()
    assert 0 < made <= 400
    page.locator("#box").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    expect(rows.nth(made)).to_be_attached()
    page.locator("input[name=q]").fill("mbedtls_err_ssl_fatal_alert_message")
    expect(page).to_have_url(re.compile("q=mbedtls_err"))
    expect(rows.first).to_be_attached()
    assert rows.count() <= 400
    page.screenshot(path=screenshots / "big.png")
    record_property("bytes", path.stat().st_size)


def test_the_first_screen_without_javascript(mixed, show, chromium, tmp_path):
    """The first screen and the plots need no JavaScript."""
    path = tmp_path / "page.html"
    path.write_text(render_html(RunRecord.of_json(mixed)), encoding="utf-8")
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("table.keys").is_visible()
    assert page.locator("svg").count() >= 2
    assert "need JavaScript" in page.locator("main").inner_text()
    context.close()
