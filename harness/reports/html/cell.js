  // ---- one cell
  const dialog = $("detail");
  function show(key) {
    const results = cells.get(key);
    if (!results) return;
    state.open = key;
    const [board, server, item] = key.split(",").map(Number), about = data.cases[item];
    const close = el("button", {type: "button", class: "quiet", autofocus: true, click: () => dialog.close()}, "Close (Esc)");
    const body = [
      el("header", {}, el("div", {}, el("h2", {id: "detail-h"}, about.title), el("div", {class: "mono"}, about.id),
        el("small", {}, "board " + data.boards[board].name + (data.boards[board].heads.length ? " (" + data.boards[board].heads.join(", ") + ")" : "") + " · server " + data.servers[server].name + " (" + data.servers[server].about + ") · "), el("a", {class: "permalink", href: "#open=" + encodeURIComponent(nameOf(key))}, "Link to this cell")), close),
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
    return el("div", {class: "scroll"}, el("table", {class: kind || ""}, heads ? el("thead", {}, el("tr", {}, heads.map((text) => (text ? el("th", {scope: "col"}, text) : el("td"))))) : null,
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
    if ((result.recovery || []).length) list.push(el("h3", {}, "Recovery steps"), table(["step", "result", "s", ""], result.recovery.map((step) => [step.step, step.result, String(step.took_s), step.reason || ""])));
    if (result.rerun) list.push(el("h3", {}, "Run it again"), el("pre", {class: "rerun"}, result.rerun));
    return list;
  }
