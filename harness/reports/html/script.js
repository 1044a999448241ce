
"use strict";
(() => {
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
    made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
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
  const state = {open: null, toggled: new Map()};
  function choices(name, entries) {
    for (const [value, label] of entries) form.elements[name].append(el("option", {value}, label));
  }
  choices("board", data.boards.map((item) => [item.name, item.about ? item.name + " · " + item.about : item.name]));
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
    const [board, server, item] = (words.get("open") || "").split("|");
    const key = [boardPlaces.get(board), serverPlaces.get(server), casePlaces.get(item)].join(",");
    return cells.has(key) ? key : null;
  }

  // ---- the matrix
  const box = $("box");
  let watcher = null;
  function draw() {
    const now = wanted();
    const shown = columns.filter((c) => (!now.board || data.boards[c.board].name === now.board) && (!now.server || data.servers[c.server].name === now.server));
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
    if (!rows) { box.replaceChildren(el("p", {class: "wide"}, "No result fits these filters.")); return; }
    const table = el("table", {class: "grid"}, head(shown));
    for (const [topic, list] of groups) table.append(group(topic, list, shown, narrowed && rows <= 200));
    box.replaceChildren(table);
    rove(table);
  }
  function head(shown) {
    return el("thead", {}, el("tr", {}, el("th", {scope: "col", class: "name"}, "Case"),
      shown.map((c) => el("th", {scope: "col"}, data.boards[c.board].name,
        el("small", {}, (data.boards[c.board].about ? "firmware " + data.boards[c.board].about + ", " : "") + data.servers[c.server].about)))));
  }
  function group(topic, list, shown, opened) {
    const body = el("tbody", {});
    const counts = shown.map((c, at) => {
      const tally = {};
      for (const entry of list) if (entry.row[at]) { const word = worst(cells.get(entry.row[at])).verdict; tally[word] = (tally[word] || 0) + 1; }
      return tally;
    });
    const bad = counts.some((tally) => BAD.some((word) => tally[word]));
    const open = state.toggled.has(topic) ? state.toggled.get(topic) : opened || bad;
    const button = el("button", {type: "button", class: "topic", "aria-expanded": String(open), click: () => {
      const next = button.getAttribute("aria-expanded") !== "true";
      state.toggled.set(topic, next);
      button.setAttribute("aria-expanded", String(next));
      if (next) fill(body, list, 0); else while (body.rows.length > 1) body.rows[1].remove();
      rove(body.closest("table"));
    }}, topic, el("small", {}, list.length + (list.length === 1 ? " case" : " cases")));
    body.append(el("tr", {class: "total"}, el("th", {scope: "rowgroup", class: "name"}, button), counts.map((tally) => {
      const words = ORDER.filter((word) => tally[word]);
      return el("td", {title: words.map((word) => tally[word] + " " + word).join(", ")}, words.length
        ? words.map((word) => el("span", {class: BAD.includes(word) ? "bad" : ""}, SIGNS[word] + " " + tally[word] + (word === "pass" ? "" : " " + word) + " ")) : "·");
    })));
    if (open) fill(body, list, 0);
    return body;
  }
  function fill(body, list, start) {
    for (const entry of list.slice(start, start + CHUNK)) body.append(line(entry));
    const next = start + CHUNK;
    if (next >= list.length) return;
    const more = () => { watcher.unobserve(last); last.remove(); fill(body, list, next); rove(body.closest("table")); };
    const last = el("tr", {}, el("td", {class: "wide", colspan: columns.length + 1},
      el("button", {type: "button", click: more}, "Show more: " + (list.length - next) + " cases left")));
    last.addEventListener("more", more);
    body.append(last);
    watcher.observe(last);
  }
  function line(entry) {
    const item = data.cases[entry.number];
    return el("tr", {class: "case"}, el("th", {scope: "row", class: "name", title: item.title}, item.id.slice(item.topic.length + 1)),
      entry.row.map((key) => {
        if (!key) return el("td", {}, el("span", {class: "empty", "aria-label": "nothing here"}, "·"));
        const results = cells.get(key), result = worst(results);
        const word = GOOD.includes(result.verdict) && result.outcome !== "not-run" ? result.outcome : result.verdict;
        const marks = (result.verdict === "known" ? " (known)" : "") + (flaky(results) ? " ~ flaky" : "") + (changed.has(key) ? " Δ" : "");
        return el("td", {}, el("button", {type: "button", class: "v-" + result.verdict, "data-at": key,
          "aria-label": item.id + ", board " + data.boards[result.at[0]].name + ", server " + data.servers[result.at[1]].name + ": " + result.verdict + ", " + result.outcome + (changed.has(key) ? ", changed" : "")},
          el("span", {}, el("b", {"aria-hidden": "true"}, SIGNS[result.verdict]), " " + word + marks)));
      }));
  }

  // ---- keyboard: one stop per table for Tab, arrows inside
  function rove(table) {
    if (!table) return;
    const all = [...table.querySelectorAll("td button[data-at]")];
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
      found = cell && cell.querySelector("button[data-at]");
    }
    event.preventDefault();
    if (found) { found.tabIndex = 0; found.dataset.current = "1"; button.tabIndex = -1; delete button.dataset.current; found.focus(); }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button[data-at]");
    if (button) show(button.dataset.at);
  });

  // ---- one cell
  const dialog = $("detail");
  function show(key) {
    const results = cells.get(key);
    if (!results) return;
    state.open = key;
    const [board, server, item] = key.split(",").map(Number), about = data.cases[item];
    const close = el("button", {type: "button", class: "quiet", click: () => dialog.close()}, "Close (Esc)");
    const body = [
      el("header", {}, el("div", {}, el("h2", {id: "detail-h"}, about.title), el("div", {class: "mono"}, about.id),
        el("small", {}, "board " + data.boards[board].name + (data.boards[board].about ? " (firmware " + data.boards[board].about + ")" : "") + " · server " + data.servers[server].name + " (" + data.servers[server].about + ")")), close),
    ];
    if (about.about && about.about !== about.title) body.push(el("p", {class: "note"}, about.about));
    if (about.settings) body.push(el("details", {class: "settings"}, el("summary", {}, "Settings of server and board"), el("pre", {}, about.settings)));
    const change = changed.get(key);
    if (change) body.push(el("p", {}, el("b", {}, "Changed since the baseline: " + change.kind), " " + (change.before || "nothing") + " → " + (change.after || "nothing")));
    if (results.length > 1) body.push(...runs(results));
    body.push(...(results.length > 1 ? eachRun(results) : attempt(results[0])));
    dialog.replaceChildren(...body);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    writeAddress();
  }
  dialog.addEventListener("close", () => { state.open = null; writeAddress(); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  // Show all runs of a cell side by side: the differences between them matter, so nothing is averaged.
  function runs(results) {
    const tally = new Map();
    for (const result of results) tally.set(result.verdict, (tally.get(result.verdict) || 0) + 1);
    const spread = [...tally].map(([word, count]) => word + " " + count).join(", ");
    const ms = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));
    return [el("p", {}, el("b", {}, flaky(results) ? "~ flaky: " : "Always the same: "), spread + " of " + results.length + " runs"),
      table(["run", "verdict", "outcome", "handshake, ms", "case, ms"], results.map((result, number) => { const time = result.timing_ms || {};
        return [String(result.repeat || number + 1), SIGNS[result.verdict] + " " + result.verdict, outcomeWords(result), ms(time.handshake_board), ms(time.case)]; }))];
  }

  // The first run of each kind is open; the others are made when they are opened, for a soak has hundreds.
  function eachRun(results) {
    const kinds = new Set();
    return results.map((result, number) => {
      const made = el("details", {class: "run"}, el("summary", {}, "Run " + (result.repeat || number + 1) + " of " + results.length + ": " + SIGNS[result.verdict] + " " + result.verdict + ", " + outcomeWords(result)));
      const fill = () => { if (made.childElementCount === 1) made.append(...attempt(result)); };
      made.addEventListener("toggle", fill);
      const kind = result.verdict + outcomeWords(result);
      if (!kinds.has(kind)) { kinds.add(kind); made.open = true; fill(); }
      return made;
    });
  }

  const words = (...parts) => parts.filter((part) => part !== null && part !== undefined && part !== "").join(" ");
  function table(heads, rows, kind) {
    return el("div", {class: "scroll"}, el("table", {class: kind || ""}, heads ? el("thead", {}, el("tr", {}, heads.map((text) => el("th", {scope: "col"}, text)))) : null,
      el("tbody", {}, rows.map((row) => el("tr", {class: row.differs ? "differs" : null}, row.map((value, at) => (at === 0 && kind === "pairs" ? el("th", {scope: "row"}, value) : el("td", {}, value))))))));
  }
  const serverWords = (e) => (e ? words(e.type, e.reason || (e.errno !== null && e.errno !== undefined ? "errno " + e.errno : ""), e.verify_code ? "verify code " + e.verify_code + " (" + e.verify_message + ")" : "", e.stage ? "at " + e.stage : "") : "no error");
  const clientWords = (e) => (e ? words(e.type, e.number, e.name, (e.flags || []).join("+"), (e.number === null || e.number === undefined) && !(e.flags || []).length ? JSON.stringify(e.args) : "", e.stage ? "at " + e.stage : "") : "no error");
  const alertWords = (a) => words(a.name + "(" + a.code + ")", a.level, "from the " + a.from, a.encrypted ? "(encrypted)" : "");
  const outcomeWords = (r) => words(r.outcome, r.ended_by ? "by the " + r.ended_by : "", r.stage ? "at " + r.stage : "");
  const agreedWords = (n) => (n ? words(n.version, n.suite, n.group) || "nothing" : "nothing");

  function attempt(result) {
    const made = [el("p", {}, el("span", {class: "badge v-" + result.verdict}, SIGNS[result.verdict] + " " + result.verdict), outcomeWords(result))];
    if (result.reason) made.push(el("p", {}, result.reason));
    if (result.when || result.source) made.push(el("p", {class: "note"}, words(result.when ? "measured " + result.when.slice(0, 19).replace("T", " ") + " UTC" : "", result.source ? "in " + (data.sources[result.source] || result.source) : "")));
    if (result.unverified) made.push(el("p", {}, el("b", {}, "Not verified: "), "this firmware cannot verify the server's certificate."));
    if (result.weak) made.push(el("p", {}, el("b", {}, "Weak: "), String(result.weak)));
    made.push(...compared(result), ...explained(result), ...costs(result), ...offered(result), ...evidence(result));
    return made;
  }
  function compared(result) {
    const expected = shared(result, "expected"), alerts = shared(result, "alerts") || [];
    if (!expected && result.outcome === "not-run") return [];
    const e = expected || {}, connects = e.outcome === "connected";
    const fields = (shared(result, "mismatches") || []).map((item) => item.field);
    const row = (name, want, got, ...of) => Object.assign([name, want, got], {differs: of.some((word) => fields.some((field) => field.startsWith(word)))});
    const made = [el("h3", {}, "Expected and observed" + (e.source ? " (" + e.source + ")" : "")), table(["", "expected", "observed"], [
      row("outcome", expected ? outcomeWords(e) : "–", outcomeWords(result), "outcome", "stage", "ended_by"),
      row("server", !expected ? "–" : words(e.server_type, e.server_reason, e.server_errno !== null && e.server_errno !== undefined ? "errno " + e.server_errno : "", e.verify_code ? "verify code " + e.verify_code : "") || (connects ? "no error" : "–"), serverWords(shared(result, "server")), "server", "verify"),
      row("client", !expected ? "–" : words(e.client_type, e.client_number, e.client_name, (e.client_flags || []).join("+")) || (connects ? "no error" : "–"), clientWords(shared(result, "client")), "client"),
      row("alert", !expected ? "–" : e.alert ? words(e.alert.name + "(" + e.alert.code + ")", "from the " + e.alert.from) : connects ? "none" : "–", alerts.map(alertWords).join(", ") || "none", "alert"),
      row("negotiated", expected ? words(e.version, e.suite, e.group) || "–" : "–", agreedWords(shared(result, "negotiated")), "version", "suite", "group"),
    ], "pairs")];
    if (e.note) made.push(el("p", {class: "note"}, e.note));
    if (e.open_because) made.push(el("p", {class: "note"}, "Left open: " + e.open_because));
    const found = shared(result, "mismatches") || [];
    if (found.length) made.push(el("h3", {}, "Mismatches"), table(["field", "expected", "got"], found.map((item) => [item.field, String(item.expected), String(item.observed)]), "fields"));
    return made;
  }
  function explained(result) {
    const why = shared(result, "explanation");
    if (!why) return [];
    const made = [el("h3", {}, "Why"), el("p", {}, el("b", {}, why.title), " ", el("small", {}, why.rule)), ...(why.in_short ? [el("p", {}, why.in_short)] : [])];
    const rows = (why.why || []).map((text) => { const cut = text.search(/\s{2,}/); return cut > 0 ? [text.slice(0, cut), text.slice(cut).trim()] : [text]; });
    const pairs = rows.filter((row) => row.length === 2), rest = rows.filter((row) => row.length === 1);
    if (pairs.length) made.push(table(["evidence", ""], pairs));
    if (rest.length) made.push(el("ul", {}, rest.map((row) => el("li", {}, row[0]))));
    if ((why.fixes || []).length) made.push(el("h3", {}, "What to change"));
    for (const fix of why.fixes || []) {
      const proof = fix.proved === true ? " – proved on this board" : fix.proved === false ? " – tried, does not help" : "";
      made.push(el("div", {class: fix.discouraged ? "fix against" : "fix"}, el("b", {}, (fix.discouraged ? "Discouraged: " : "") + fix.title + proof),
        fix.because ? el("p", {class: "note"}, fix.because) : null,
        (fix.server_lines || []).length ? [el("small", {}, "server"), el("pre", {}, fix.server_lines.join("\n"))] : null,
        (fix.client_lines || []).length ? [el("small", {}, "board"), el("pre", {}, fix.client_lines.join("\n"))] : null));
    }
    return made;
  }
  function costs(result) {
    const time = result.timing_ms || {}, heap = result.memory_bytes || {};
    const known = (value, unit) => (value === null || value === undefined ? "not measured" : value.toLocaleString("en") + unit);
    return [el("h3", {}, "Time and memory"), table(null, [
      ["handshake", "board " + known(time.handshake_board, " ms") + ", server " + known(time.handshake_server, " ms")],
      ["whole case", known(time.case, " ms")],
      ["free heap", "before " + known(heap.free_before, " B") + ", lowest " + known(heap.free_low, " B") + ", after " + known(heap.free_after, " B") + (heap.held === null || heap.held === undefined ? "" : ", held by the open session " + known(heap.held, " B"))],
    ], "pairs")];
  }
  function offered(result) {
    const hello = shared(result, "client_hello");
    if (!hello) return [];
    const row = (name, key) => [name, (hello[key] || []).join(", ") || "none"];
    return [el("details", {}, el("summary", {}, "ClientHello: what the board offered"), table(null, [row("versions", "versions"), row("suites", "suites"), row("groups", "groups"),
      row("signatures", "signature_algorithms"), ["server name", hello.sni || "none"], ["family", hello.fingerprint || "–"]], "pairs"))];
  }
  // Only a relative path below the artifacts folder becomes a link; each part is encoded, so that no scheme can come of it.
  function link(path) {
    const encode = (value) => value.split("/").map(encodeURIComponent).join("/");
    return "./" + (data.links ? encode(data.links) + "/" : "") + encode(path);
  }
  function evidence(result) {
    const made = [];
    for (const [name, path] of Object.entries(result.artifacts || {})) {
      if (typeof path === "string" && path) made.push(el("li", {}, name + ": ", el("a", {href: link(path)}, path)));
    }
    const list = made.length ? [el("h3", {}, "Evidence"), el("ul", {}, made)] : [];
    if ((result.packets || []).length) {
      list.push(el("details", {open: BAD.includes(result.verdict)}, el("summary", {}, "Packets: what crossed the wire"),
        table(["no.", "ms", "from", "bytes", "what"], result.packets.map((p) => [String(p.number), p.at_ms.toFixed(1), p.from, String(p.bytes), p.info]), "packets")));
    }
    for (const text of result.link_errors || []) list.push(el("p", {class: "note"}, "link error: " + text));
    if ((result.recovery || []).length) list.push(el("h3", {}, "Bringing the board back"), table(["step", "result", "s", ""], result.recovery.map((step) => [step.step, step.result, String(step.took_s), step.reason || ""])));
    if (result.rerun) list.push(el("h3", {}, "Run it again"), el("pre", {class: "rerun"}, result.rerun));
    return list;
  }

  // ---- theme
  const theme = $("theme"), THEMES = ["system", "light", "dark"];
  const remembered = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  function dress(name) {
    if (name === "system") delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = name;
    theme.textContent = "Theme: " + name;
  }
  theme.hidden = false;
  let dressed = THEMES.includes(remembered()) ? remembered() : "system";
  dress(dressed);
  theme.addEventListener("click", () => {
    dressed = THEMES[(THEMES.indexOf(dressed) + 1) % THEMES.length];
    dress(dressed);
    try { localStorage.setItem("theme", dressed); } catch { /* a page from a file may have no storage */ }
  });

  // ---- go
  let waiting = 0;
  const redraw = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(() => { writeAddress(); draw(); }); };
  form.addEventListener("input", redraw);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => { state.toggled.clear(); setTimeout(redraw, 0); });
  const follow = () => { const key = readAddress(); draw(); if (key) show(key); else if (dialog.open) dialog.close(); };
  window.addEventListener("hashchange", () => { if (!location.hash || location.hash.includes("=")) follow(); });
  follow();
  for (const made of document.querySelectorAll("table.keys")) rove(made);
  document.documentElement.dataset.ready = "1";
})();
