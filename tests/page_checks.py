"""What the browser tests check on every page: axe-core's rules, and that no word is broken by the end of a line."""

from __future__ import annotations

from importlib import resources

# Reasons for which axe-core leaves the contrast of a text open: it is too short to be measured, as signs are; scrolled out of its
# box or below a fixed column; or in a drawing.
NOT_MEASURED = {"shortTextContent", "nonBmp", "elmPartiallyObscured", "elmPartiallyObscuring", "bgOverlap", "imgNode"}

# A part of a name between its separators must be on one line: more than one line has rectangles of different heights.
_BROKEN = """() => {
  const found = [], range = document.createRange(), open = document.querySelector("dialog[open]");
  const walker = document.createTreeWalker(open || document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!parent.checkVisibility() || parent.closest("script, style, svg, select, .unseen")) continue;
    for (const match of node.data.matchAll(/[A-Za-z0-9]+/g)) {
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      if (new Set([...range.getClientRects()].map((one) => Math.round(one.top))).size > 1) found.push(match[0]);
    }
  }
  return found;
}"""


def broken_words(page) -> list[str]:
    """Return the visible words that a line's end breaks; of an open dialog only those in it."""
    return page.evaluate(_BROKEN)


def violations(page) -> list[str]:
    """Run axe-core, all rules, and return each violation with the first element; and contrasts that it could not determine."""
    page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 15
    lines = [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found["violations"]]
    for rule in found["incomplete"]:
        if rule["id"] == "color-contrast":
            reasons = [(check["data"]["messageKey"], node["html"]) for node in rule["nodes"] for check in node["any"]]
            lines += [f"{reason}: {html}" for reason, html in reasons if reason not in NOT_MEASURED]
    return lines
