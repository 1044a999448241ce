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
  form.addEventListener("reset", () => { state.toggled.clear(); state.folds.clear(); foldTables(); setTimeout(redraw, 0); });
  const follow = () => { const key = readAddress(); draw(); foldTables(); if (key) show(key); else if (dialog.open) dialog.close(); };
  window.addEventListener("hashchange", () => { if (!location.hash || location.hash.includes("=")) follow(); });
  follow();
  document.documentElement.dataset.ready = "1";
