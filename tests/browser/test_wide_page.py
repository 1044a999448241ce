"""Test the page of a run with 30 columns: boards fold and unfold by mouse, keyboard and address, and no name is broken within a word."""

from __future__ import annotations

import re

import pytest

from tests.page_checks import broken_words

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra: test)")
expect = sync_api.expect

BOARDS = ["plant", "gate", "unix:micropython-lab"]


def heads(page, table: str) -> list[str]:
    """Return the visible heads of a table's columns, without those of its rows."""
    cells = page.locator(f"{table} thead tr").nth(1).locator("th:not([hidden])")
    return [" ".join(text.split()) for text in cells.all_inner_texts()]


def expanded(page) -> list[str | None]:
    """Return whether each board is unfolded, in the matrix."""
    return [button.get_attribute("aria-expanded") for button in page.locator("#box button.fold").all()]


def test_boards_fold_and_unfold(wide, show, screenshots):
    """Thirty columns are three at first; a board's button unfolds it in each table, and the address keeps that."""
    page = show(wide)
    tables = ("table.costs", "table.keys", "#box table")
    for table in tables:
        assert page.locator(f"{table} button.fold").all_inner_texts() == BOARDS
    assert [heads(page, table) for table in tables] == [
        ["all 5 columns"] * 3,
        ["all 10 columns"] * 3,
        ["all 10 columns"] * 3,
    ]
    page.screenshot(path=screenshots / "wide.png", full_page=True)
    page.locator("#box button.fold").first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#unfold=plant$"))
    assert expanded(page) == ["true", "false", "false"]
    # The focus stays on the board, which can be folded again at once.
    assert page.evaluate("document.activeElement.dataset.board") == "plant"
    assert [len(heads(page, table)) for table in tables] == [7, 12, 12]
    assert heads(page, "table.costs")[3:5] == ["firmware 1.28.0 asyncio", "firmware 1.28.0 slow-wifi"]
    assert heads(page, "#box table")[0].startswith("firmware 1.20.0, Python ")
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("#fold=plant$"))
    assert expanded(page) == ["false"] * 3
    page = show(wide, hash_="#unfold=gate,plant&fold=unix%3Amicropython-lab")
    assert expanded(page) == ["true", "true", "false"]
    page.locator("button[type=reset]").click()
    expect(page).not_to_have_url(re.compile("fold="))
    assert expanded(page) == ["false"] * 3


def test_a_folded_cell_shows_the_worst_and_opens_its_columns(wide, show):
    """One failure in ten columns is a failure; the cell leads to the failing column, and arrows move over what is visible only."""
    page = show(wide, hash_="#verdict=fail")
    cell = page.locator("#box button.v-fail")
    assert " ".join(cell.inner_text().split()) == "✕ fail all 1"
    page = show(wide, hash_="#q=seed%2Fca-verified")
    row = page.locator("#box tr.case").first.locator("td button")
    assert [" ".join(text.split()) for text in row.all_inner_texts()] == [
        "✕ fail 1 of 10",
        "✓ connected all 10",
        "✓ connected all 10",
    ]
    assert row.first.get_attribute("aria-label").endswith(", board plant: fail, fail, 1 of 10. Show its columns.")
    row.nth(1).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("unfold=plant"))
    assert not page.locator("#detail").is_visible()
    assert page.evaluate("document.activeElement.className") == "v-fail"
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_contain_text("made to fail for this test")
    link = page.locator("#detail a.permalink").get_attribute("href")
    assert page.evaluate("location.hash").endswith(link.removeprefix("#"))
    page = show(wide, hash_=link)
    expect(page.locator("#detail")).to_contain_text("made to fail for this test")


@pytest.mark.slow
def test_folded_keys_are_summed_up(wide, show):
    """The key tables say in how many columns a key connects, and arrows skip the hidden columns."""
    page = show(wide)
    row = page.locator("table.keys tbody tr", has_text="RSA-2048 key").first
    assert [" ".join(text.split()) for text in row.locator("td.folded").all_inner_texts()] == [
        "◐ some 8 of 10 NO_SHARED_CIPHER"
    ] * 3
    assert row.locator("td[data-of]:visible").count() == 0
    page.locator("table.keys button.fold").nth(1).click()
    assert row.locator("td[data-of]:visible").count() == 10
    row.locator("td[data-of]:visible button").first.focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.closest('td').dataset.of") == "gate"


@pytest.mark.slow
def test_one_board_can_be_chosen_as_a_whole(wide, show):
    """The filter has an entry for all columns of a board; few columns are not folded."""
    page = show(wide)
    options = page.locator("select[name=board] option").all_inner_texts()
    assert options[1:3] == ["plant: all columns", "plant@1.20.0 · firmware 1.20.0"]
    page.locator("select[name=board]").select_option("=gate")
    expect(page.locator("#count")).to_have_text(re.compile(f"^{len(wide['results']) // 3} of "))
    page.locator("select[name=board]").select_option("gate@1.28.0 asyncio")
    expect(page.locator("#count")).to_have_text(re.compile(f"^{len(wide['results']) // 15} of "))
    assert expanded(page) == ["true"]
    assert len(heads(page, "#box table")) == 2


def test_the_two_questions_on_the_first_screen(wide, show, screenshots):
    """Key and suites for all boards, and what the 1.20 board needs, can be read without scrolling, also on a phone."""
    for width, height in ((1280, 900), (390, 844)):
        page = show(wide, width=width, height=height)
        page.screenshot(path=screenshots / f"wide-first-{width}.png")
        for place, words in (
            (".lead", r"P-256 key: works with every board and every server \(30 of 30\), .*"),
            (
                "#suites",
                r"Suites: the server's default list is enough; .* TLS_ECDHE_ECDSA_WITH_.*; every session has forward secrecy\.",
            ),
            (
                "#per-board li >> nth=0",
                r"plant \(1\.20\.0 on stm32\): EC key, or firmware 1\.24 or later for an RSA key\.",
            ),
            ("#config summary", r"Configuration to copy: P-256 key, for Python, nginx, mosquitto, Apache, HAProxy"),
        ):
            found = page.locator(place)
            assert re.fullmatch(words, found.inner_text().replace("\n", " "))
            box = found.bounding_box()
            assert box["y"] + box["height"] <= height


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_no_word_is_broken(wide, show, width, screenshots):
    """Lines end between words, or after a separator within a name; tables scroll in their own boxes. Folded, unfolded and in a cell."""
    page = show(wide, width=width, height=844)
    assert broken_words(page) == []
    page = show(wide, width=width, height=844, hash_="#unfold=plant,unix%3Amicropython-lab&group=seed")
    assert page.locator("#box tr.case").count() > 5
    for details in page.locator("main details").all():
        details.evaluate("one => { one.open = true; }")
    assert broken_words(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=screenshots / f"wide-unfolded-{width}.png", full_page=True)
    name = "unix%3Amicropython-lab%401.28.0+slow-wifi%7Cserver-1%7Cseed%2Frsa-key-no-shared-cipher"
    page = show(wide, width=width, height=844, hash_=f"#open={name}")
    for details in page.locator("#detail details").all():
        details.evaluate("one => { one.open = true; }")
    assert broken_words(page) == []
    page.locator("#detail").screenshot(path=screenshots / f"wide-cell-{width}.png")


def test_a_broken_word_is_found(wide, show):
    """The check itself: a narrow box breaks a word, and is reported."""
    page = show(wide)
    page.locator(".lead").evaluate("lead => { lead.style.width = '30px'; lead.style.overflowWrap = 'anywhere'; }")
    assert "works" in broken_words(page)
