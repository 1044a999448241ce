
  // ---- boards with several columns: one column stands for all of them while a table has more than fit
  const FIT = matchMedia("(max-width: 640px)").matches ? 3 : 8;
  function isFolded(board, size, total) {
    return size > 1 && (state.folds.has(board) ? state.folds.get(board) : total > FIT);
  }
  function foldButton(board, open) {
    return el("button", {type: "button", class: "fold", "data-board": board, "aria-expanded": String(open)}, board);
  }
  // Unfolding one board keeps the others as they are, also where a table had fewer columns than fit.
  function fold(board, folded) {
    state.folds.set(board, folded);
    draw();
    foldTables();
    writeAddress();
  }
  function foldTables() {
    for (const made of document.querySelectorAll("table.folds")) {
      let columns = Number(made.dataset.columns);
      for (const head of made.querySelectorAll("th[data-board]")) {
        const board = head.dataset.board, own = (name) => made.querySelectorAll("[data-" + name + '="' + CSS.escape(board) + '"]');
        const size = Number(head.dataset.size || head.colSpan), folded = isFolded(board, size, Number(made.dataset.columns));
        head.dataset.size = size;
        head.colSpan = folded ? 1 : size;
        for (const cell of own("of")) cell.hidden = folded;
        for (const cell of own("fold")) cell.hidden = !folded;
        const button = head.querySelector("button");
        if (button) button.setAttribute("aria-expanded", String(!folded));
        else head.firstElementChild.replaceChildren(foldButton(board, !folded));
        if (folded) columns -= size - 1;
      }
      for (const across of made.querySelectorAll("th.across")) across.colSpan = columns + 3;
      rove(made);
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button.fold");
    if (!button) return;
    const made = button.closest("table"), inBox = box.contains(made);
    fold(button.dataset.board, button.getAttribute("aria-expanded") === "true");
    // The matrix is drawn again: the focus stays on the board.
    if (inBox) for (const drawn of box.querySelectorAll("button.fold")) if (drawn.dataset.board === button.dataset.board) drawn.focus();
  });

  // ---- keyboard: one stop per table for Tab, arrows inside
  function rove(table) {
    if (!table) return;
    const all = [...table.querySelectorAll("td:not([hidden]) > button[data-at]")];
    const current = all.find((button) => button.tabIndex === 0 && button.dataset.current);
    for (const button of all) button.tabIndex = -1;
    const first = current || all[0];
    if (first) first.tabIndex = 0;
  }
  document.addEventListener("keydown", (event) => {
    const button = event.target.closest && event.target.closest("td button[data-at]");
    const step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!button || !step || event.ctrlKey || event.altKey || event.metaKey) return;
    const rows = [...button.closest("table").rows];
    let down = rows.indexOf(button.closest("tr")), across = button.closest("td").cellIndex, found = null;
    while (!found) {
      down += step[0]; across += step[1];
      const cell = rows[down] && rows[down].cells[across];
      if (!rows[down] || (step[1] && !cell)) break;
      found = cell && !cell.hidden && cell.querySelector("button[data-at]");
    }
    event.preventDefault();
    if (found) { found.tabIndex = 0; found.dataset.current = "1"; button.tabIndex = -1; delete button.dataset.current; found.focus(); }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button[data-at]");
    if (!button) return;
    if (!button.dataset.unfold) show(button.dataset.at);
    else { fold(button.dataset.unfold, false); const there = box.querySelector('button[data-at="' + button.dataset.at + '"]'); if (there) there.focus(); }
  });
