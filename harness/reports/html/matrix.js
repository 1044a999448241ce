  const data = JSON.parse(document.getElementById("data").textContent);
  const SIGNS = Object.fromEntries(data.verdicts.map((item) => [item.word, item.sign]));
  const ORDER = data.verdicts.map((item) => item.word);
  const BAD = data.verdicts.filter((item) => item.bad).map((item) => item.word);
  const GOOD = data.verdicts.filter((item) => item.good).map((item) => item.word);
  const CHUNK = 100;
  const $ = (id) => document.getElementById(id);

  // Everything that is shown goes through here: texts become text nodes, never markup.
  function el(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "click") made.addEventListener("click", value);
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== "").flatMap(soft));
    return made;
  }
  // A line may also end after these signs within a long name, never in the middle of a word; `soft` of the page's Python is the same.
  const SOFT = /(?<=[A-Za-z0-9][:@_/-])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=\.[A-Za-z])/;
  function soft(child) {
    if (typeof child !== "string") return [child];
    if (!/\S{13}/.test(child)) return [child];
    const pieces = child.split(/(\s+)/).flatMap((word) => (word.length > 12 ? word.split(SOFT).flatMap((piece, at) => (at ? [null, piece] : [piece])) : [word]));
    return pieces.map((piece) => piece ?? document.createElement("wbr"));
  }
  const shared = (result, key) => (result[key] === undefined ? null : data.pool[result[key]]);

  // ---- what belongs to which cell
  const cells = new Map();
  const columns = [];
  const columnOf = new Map();
  for (const result of data.results) {
    const [board, server, item] = result.at;
    const at = board + "," + server;
    if (!columnOf.has(at)) { columnOf.set(at, columns.length); columns.push({board, server, at}); }
    const key = at + "," + item;
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(result);
  }
  // A board's columns are together, in the order of the results.
  const boards = [...new Set(data.boards.map((item) => item.board))];
  const boardOf = (column) => data.boards[column.board].board;
  columns.sort((a, b) => boards.indexOf(boardOf(a)) - boards.indexOf(boardOf(b)) || a.board - b.board);
  const severalNames = new Set(boards.filter((board) => data.boards.filter((item) => item.board === board).length > 1));
  const place = (list, field) => new Map(list.map((item, number) => [item[field], number]));
  const boardPlaces = place(data.boards, "name"), serverPlaces = place(data.servers, "name"), casePlaces = place(data.cases, "id");
  const changed = new Map();
  for (const row of data.changes || []) {
    changed.set([boardPlaces.get(row.board), serverPlaces.get(row.server), casePlaces.get(row.case)].join(","), row);
  }
  const topics = [...new Set(data.cases.map((item) => item.topic))];
  const worst = (results) => results.reduce((a, b) => (ORDER.indexOf(b.verdict) < ORDER.indexOf(a.verdict) ? b : a));
  const flaky = (results) => new Set(results.map((result) => result.verdict + result.outcome)).size > 1;

  const texts = new Map();
  function text(key) {
    if (!texts.has(key)) {
      const item = data.cases[key.split(",")[2]];
      const parts = [item.id, item.title, item.about];
      for (const result of cells.get(key)) {
        const server = shared(result, "server"), client = shared(result, "client"), why = shared(result, "explanation");
        const agreed = shared(result, "negotiated");
        parts.push(result.outcome, result.verdict, result.reason, server && server.type, server && server.reason, client && client.type, client && client.name,
          client && client.number, why && why.title, why && why.rule, agreed && agreed.version, agreed && agreed.suite, agreed && agreed.group);
        for (const alert of shared(result, "alerts") || []) parts.push(alert.name);
      }
      texts.set(key, parts.filter((part) => part !== null && part !== undefined).join("\n").toLowerCase());
    }
    return texts.get(key);
  }

  // ---- filters, kept in the address
  const form = $("filters");
  const state = {open: null, toggled: new Map(), folds: new Map()};
  function choices(name, entries) {
    for (const [value, label] of entries) form.elements[name].append(el("option", {value}, label));
  }
  // A board with several columns can be chosen as a whole: `=BOARD`, which is no column's name.
  choices("board", boards.flatMap((board) => [...(severalNames.has(board) ? [["=" + board, board + ": all columns"]] : []),
    ...data.boards.filter((item) => item.board === board).map((item) => [item.name, [item.name, ...item.heads].join(" · ")])]));
  choices("server", data.servers.map((item) => [item.name, item.about]));
  choices("group", topics.map((topic) => [topic, topic]));
  const verdictBoxes = [...form.querySelectorAll("input[name=verdict]")];

  function wanted() {
    return {
      board: form.elements.board.value, server: form.elements.server.value, group: form.elements.group.value,
      q: form.elements.q.value.trim().toLowerCase(), changed: form.elements.changed.checked,
      verdicts: new Set(verdictBoxes.filter((box) => box.checked).map((box) => box.value)),
    };
  }
  function writeAddress() {
    const now = wanted(), words = new URLSearchParams();
    for (const key of ["board", "server", "group", "q"]) if (now[key]) words.set(key, now[key]);
    if (now.verdicts.size) words.set("verdict", [...now.verdicts].join(","));
    if (now.changed) words.set("changed", "1");
    for (const [word, folded] of [["fold", true], ["unfold", false]]) {
      const names = [...state.folds].filter((entry) => entry[1] === folded).map((entry) => entry[0]);
      if (names.length) words.set(word, names.join(","));
    }
    if (state.open) words.set("open", nameOf(state.open));
    const hash = words.toString();
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
  }
  function nameOf(key) {
    const [board, server, item] = key.split(",");
    return [data.boards[board].name, data.servers[server].name, data.cases[item].id].join("|");
  }
  function readAddress() {
    const words = new URLSearchParams(location.hash.slice(1));
    for (const key of ["board", "server", "group"]) {
      const list = form.elements[key], value = words.get(key) || "";
      list.value = [...list.options].some((option) => option.value === value) ? value : "";
    }
    form.elements.q.value = words.get("q") || "";
    form.elements.changed.checked = !form.elements.changed.disabled && words.has("changed");
    const verdicts = (words.get("verdict") || "").split(",");
    for (const box of verdictBoxes) box.checked = verdicts.includes(box.value);
    state.folds.clear();
    for (const [word, folded] of [["fold", true], ["unfold", false]]) {
      for (const name of (words.get(word) || "").split(",")) if (boards.includes(name)) state.folds.set(name, folded);
    }
    const [board, server, item] = (words.get("open") || "").split("|");
    const key = [boardPlaces.get(board), serverPlaces.get(server), casePlaces.get(item)].join(",");
    return cells.has(key) ? key : null;
  }

  // ---- the matrix
  const box = $("box");
  let watcher = null;
  function draw() {
    const now = wanted();
    const shown = columns.filter((c) => (!now.board || data.boards[c.board].name === now.board || "=" + boardOf(c) === now.board) && (!now.server || data.servers[c.server].name === now.server));
    const narrowed = now.verdicts.size > 0 || now.q !== "" || now.changed || now.group !== "";
    const groups = new Map();
    let count = 0;
    data.cases.forEach((item, number) => {
      if (now.group && item.topic !== now.group) return;
      const row = [];
      let any = false;
      for (const column of shown) {
        const key = column.at + "," + number, found = cells.get(key);
        const fits = found && (!now.verdicts.size || found.some((result) => now.verdicts.has(result.verdict)))
          && (!now.changed || changed.has(key)) && (!now.q || text(key).includes(now.q));
        row.push(fits ? key : null);
        if (fits) { any = true; count += found.length; }
      }
      if (!any) return;
      if (!groups.has(item.topic)) groups.set(item.topic, []);
      groups.get(item.topic).push({number, row});
    });
    const rows = [...groups.values()].reduce((sum, list) => sum + list.length, 0);
    $("count").textContent = count + " of " + data.results.length + " results, " + rows + (rows === 1 ? " case" : " cases");
    if (watcher) watcher.disconnect();
    watcher = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) entry.target.dispatchEvent(new Event("more"));
    }, {root: box, rootMargin: "300px"});
    if (!rows) { box.replaceChildren(el("p", {class: "wide"}, "No results match these filters.")); return; }
    const units = unitsOf(shown);
    const table = el("table", {class: "grid"}, head(units));
    for (const [topic, list] of groups) table.append(group(topic, list, units, narrowed && rows <= 200));
    box.replaceChildren(table);
    rove(table);
  }
  // What is shown side by side: a column, or a board whose columns are folded. `places` are those of the columns in a row.
  function unitsOf(shown) {
    const found = [];
    for (const board of boards) {
      const places = shown.map((c, at) => at).filter((at) => boardOf(shown[at]) === board);
      const whole = {board, size: places.length};
      if (isFolded(board, places.length, shown.length)) found.push({...whole, places, folded: true, first: true});
      else places.forEach((at, number) => found.push({...whole, places: [at], column: shown[at], first: number === 0}));
    }
    return found;
  }
  function head(units) {
    const several = units.some((unit) => unit.size > 1), corner = el("th", {scope: "col", class: "name", rowspan: several ? 2 : null}, "Case");
    const titles = (c, own) => [own ? "" : data.boards[c.board].name, el("small", {}, [...data.boards[c.board].heads, data.servers[c.server].about].join(", "))];
    if (!several) return el("thead", {}, el("tr", {}, corner, units.map((unit) => el("th", {scope: "col"}, titles(unit.column)))));
    return el("thead", {}, el("tr", {}, corner, units.filter((unit) => unit.first).map((unit) => (unit.size > 1
      ? el("th", {scope: "colgroup", colspan: unit.folded ? 1 : unit.size, class: "board"}, foldButton(unit.board, !unit.folded))
      : el("th", {scope: "col", rowspan: 2, class: "board"}, titles(unit.column))))),
    el("tr", {}, units.filter((unit) => unit.size > 1).map((unit) => el("th", {scope: "col"}, unit.folded ? el("small", {}, "all " + unit.size + " columns") : titles(unit.column, true)))));
  }
  function group(topic, list, units, opened) {
    const body = el("tbody", {});
    const counts = units.map((unit) => {
      const tally = {};
      for (const entry of list) for (const at of unit.places) if (entry.row[at]) { const word = worst(cells.get(entry.row[at])).verdict; tally[word] = (tally[word] || 0) + 1; }
      return tally;
    });
    const bad = counts.some((tally) => BAD.some((word) => tally[word]));
    const open = state.toggled.has(topic) ? state.toggled.get(topic) : opened || bad;
    const button = el("button", {type: "button", class: "topic", "aria-expanded": String(open), click: () => {
      const next = button.getAttribute("aria-expanded") !== "true";
      state.toggled.set(topic, next);
      button.setAttribute("aria-expanded", String(next));
      if (next) fill(body, list, units, 0); else while (body.rows.length > 1) body.rows[1].remove();
      rove(body.closest("table"));
    }}, el("span", {}, topic), el("small", {}, list.length + (list.length === 1 ? " case" : " cases")));
    body.append(el("tr", {class: "total"}, el("th", {scope: "rowgroup", class: "name"}, button), counts.map((tally) => {
      const words = ORDER.filter((word) => tally[word]);
      return el("td", {title: words.map((word) => tally[word] + " " + word).join(", ")}, words.length
        ? words.map((word) => el("span", {class: BAD.includes(word) ? "bad" : ""}, SIGNS[word] + " " + tally[word] + (word === "pass" ? "" : " " + word) + " ")) : "·");
    })));
    if (open) fill(body, list, units, 0);
    return body;
  }
  function fill(body, list, units, start) {
    for (const entry of list.slice(start, start + CHUNK)) body.append(line(entry, units));
    const next = start + CHUNK;
    if (next >= list.length) return;
    const more = () => { watcher.unobserve(last); last.remove(); fill(body, list, units, next); rove(body.closest("table")); };
    const last = el("tr", {}, el("td", {class: "wide", colspan: units.length + 1},
      el("button", {type: "button", click: more}, "Show more: " + (list.length - next) + " cases left")));
    last.addEventListener("more", more);
    body.append(last);
    watcher.observe(last);
  }
  function line(entry, units) {
    const item = data.cases[entry.number];
    return el("tr", {class: "case"}, el("th", {scope: "row", class: "name", title: item.title}, item.id.slice(item.topic.length + 1)),
      units.map((unit) => {
        const keys = unit.places.map((at) => entry.row[at]).filter((key) => key);
        return el("td", {}, !keys.length ? el("span", {class: "empty"}, el("span", {"aria-hidden": "true"}, "·"), el("span", {class: "unseen"}, "nothing here"))
          : unit.folded ? foldedCell(item, unit, keys) : oneCell(item, keys[0]));
      }));
  }
  const wordOf = (result) => (GOOD.includes(result.verdict) && result.outcome !== "not-run" ? result.outcome : result.verdict);
  function oneCell(item, key) {
    const results = cells.get(key), result = worst(results);
    const marks = (result.verdict === "known" ? " (known)" : "") + (flaky(results) ? " ~ flaky" : "") + (changed.has(key) ? " Δ" : "");
    return el("button", {type: "button", class: "v-" + result.verdict, "data-at": key,
      "aria-label": item.id + ", board " + data.boards[result.at[0]].name + ", server " + data.servers[result.at[1]].name + ": " + result.verdict + ", " + result.outcome + (changed.has(key) ? ", changed" : "")},
      el("span", {}, el("b", {"aria-hidden": "true"}, SIGNS[result.verdict]), " " + wordOf(result) + marks));
  }
  // All columns of a board in one cell: the worst verdict and how many have it. It opens the board's columns.
  function foldedCell(item, unit, keys) {
    const found = keys.map((key) => worst(cells.get(key))), result = worst(found);
    const same = found.filter((one) => one.verdict === result.verdict);
    const said = [...new Set(same.map(wordOf))].map((word) => word + (same.every((one) => wordOf(one) === word) ? "" : " " + same.filter((one) => wordOf(one) === word).length)).join(", ");
    const marks = (keys.some((key) => flaky(cells.get(key))) ? " ~ flaky" : "") + (keys.some((key) => changed.has(key)) ? " Δ" : "");
    const many = same.length === keys.length ? "all " + keys.length : same.length + " of " + keys.length;
    return el("button", {type: "button", class: "v-" + result.verdict, "data-unfold": unit.board, "data-at": keys[found.indexOf(result)],
      "aria-label": item.id + ", board " + unit.board + ": " + result.verdict + ", " + said + ", " + many + ". Show its columns."},
      el("span", {}, el("b", {"aria-hidden": "true"}, SIGNS[result.verdict]), " " + said + marks), el("small", {}, many));
  }
