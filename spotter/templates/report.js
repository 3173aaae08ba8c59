"use strict";
(() => {
  const all = (what, where = document) => [...where.querySelectorAll(what)];
  const sections = new Map(all("section[data-video]").map((s) => [s.dataset.video, s]));
  const rows = all("#hits tbody tr");

  function choose(number) {
    all(".current").forEach((e) => e.classList.remove("current"));
    all(`[data-hit="${number}"]`).forEach((e) => e.classList.add("current"));
  }

  function play(video, start, end, number) {
    const section = sections.get(video);
    choose(number);
    const player = section && section.querySelector("video");
    if (!player) { if (section) section.scrollIntoView({ block: "nearest" }); return; }
    player.currentTime = start;
    player.dataset.until = end;
    player.play().catch(() => {});
    section.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  sections.forEach((section, video) => {
    const player = section.querySelector("video");
    const svg = section.querySelector("svg.timeline");
    const cursor = svg && svg.querySelector(".cursor");
    const scale = svg ? Number(svg.dataset.scale) : 0;
    if (player) {
      const said = section.querySelector(".player p");
      player.addEventListener("error", () => { said.textContent = "The video is not where it was when this report was made."; });
      player.addEventListener("timeupdate", () => {
        const now = player.currentTime;
        if (player.dataset.until && now >= Number(player.dataset.until)) { player.pause(); delete player.dataset.until; }
        if (!cursor) return;
        cursor.removeAttribute("hidden");
        cursor.setAttribute("x1", now * scale);
        cursor.setAttribute("x2", now * scale);
        const here = all(".hit", svg).filter((h) => h.dataset.start <= now && now < h.dataset.end);
        said.textContent = here.map((h) => h.getAttribute("aria-label").split(",")[0]).join(" · ");
      });
    }
    all(".hit", section).forEach((hit) => {
      const go = () => play(video, Number(hit.dataset.start), Number(hit.dataset.end), hit.dataset.hit);
      hit.addEventListener("click", (event) => { event.stopPropagation(); go(); });
      hit.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go(); }
      });
    });
    if (svg && player) {
      svg.addEventListener("click", (event) => {
        delete player.dataset.until;
        player.currentTime = (event.clientX - svg.getBoundingClientRect().left) / scale;
      });
    }
  });

  all(".seek").forEach((button) => {
    const row = button.closest("tr");
    button.addEventListener("click", () => play(row.dataset.video, Number(row.dataset.start), Number(row.dataset.end), row.dataset.hit));
  });

  const controls = document.querySelector(".controls");
  if (!controls) return;
  controls.hidden = false;
  const [text, sign, least, verdict, decision, who] = ["text", "sign", "least", "verdict", "decision", "who"].map((n) => controls.querySelector(`[name=${n}]`));
  const count = document.querySelector(".count");
  function filter() {
    const words = text.value.trim().toLocaleLowerCase();
    let shown = 0;
    for (const row of rows) {
      const keep = (!words || `${row.dataset.video} ${row.dataset.sign}`.toLocaleLowerCase().includes(words)) &&
        (!sign.value || row.dataset.sign === sign.value.slice(1)) && Number(row.dataset.score) >= Number(least.value) &&
        (!verdict || !verdict.value || row.dataset.verdict === verdict.value) &&
        (!decision.value || (row.dataset.decision || "open") === decision.value);
      row.hidden = !keep;
      shown += keep;
    }
    least.parentElement.querySelector("output").value = Number(least.value).toFixed(2);
    const judged = rows.filter((row) => row.dataset.decision).length;
    count.textContent = `${shown} of ${rows.length} detections${judged ? `, ${judged} decided` : ""}`;
  }
  controls.addEventListener("input", filter);

  // Decisions: kept in this browser, taken into a project by `spotter decisions import FILE`.
  const ACTIONS = { accept: ["✓", "Accept"], reject: ["✗", "Reject"], unsure: ["?", "Unsure"] };
  const home = `spotter-decisions:${location.pathname}`;
  const placeOf = ({ dataset: d }) => JSON.stringify([d.video, d.sign, d.start, d.end]);
  let kept = {};
  try { kept = JSON.parse(localStorage.getItem(home)) || {}; } catch { /* this browser keeps nothing of files */ }
  who.value = kept.who || "";
  const decided = new Map(Object.entries(kept.decided || {}));
  const download = controls.querySelector(".download");
  const keep = () => {
    try { localStorage.setItem(home, JSON.stringify({ who: who.value, decided: Object.fromEntries(decided) })); } catch { /* as above */ }
  };

  function show(row) {
    const said = decided.get(placeOf(row));
    if (said) row.dataset.decision = said.action; else delete row.dataset.decision;
    all(".decide button", row).forEach((b) => b.setAttribute("aria-pressed", String(Boolean(said) && b.value === said.action)));
    download.disabled = decided.size === 0;
  }

  function decide(row, action) {
    const place = placeOf(row);
    const token = [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
    if (row.dataset.decision === action) decided.delete(place);
    else decided.set(place, { action, token, at: new Date().toISOString() });
    show(row);
    keep();
    filter();
  }

  all(".decide").forEach((cell) => { cell.hidden = false; });
  for (const row of rows) {
    const cell = row.querySelector("td.decide");
    for (const [action, [mark, word]] of Object.entries(ACTIONS)) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", value: action, textContent: mark, title: `${word} (${word[0]})` });
      button.setAttribute("aria-label", `${word} ${row.dataset.sign} at ${row.dataset.start} s in ${row.dataset.video}`);
      button.addEventListener("click", () => { choose(row.dataset.hit); decide(row, action); });
      cell.append(button);
    }
    show(row);
  }
  who.addEventListener("change", keep);
  filter();

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea")) return;
    const action = { a: "accept", r: "reject", u: "unsure" }[event.key.toLowerCase()];
    const row = rows.find((r) => r.classList.contains("current"));
    if (!action || !row) return;
    event.preventDefault();
    if (row.dataset.decision !== action) decide(row, action);
    const next = rows.slice(rows.indexOf(row) + 1).find((r) => !r.hidden && !r.dataset.decision);
    if (!next) return;
    play(next.dataset.video, Number(next.dataset.start), Number(next.dataset.end), next.dataset.hit);
    next.querySelector(".seek").focus({ preventScroll: true });
    next.scrollIntoView({ block: "center" });
  });

  download.addEventListener("click", () => {
    const lines = rows.filter((row) => decided.has(placeOf(row))).map((row, number) => {
      const { video, sign: gloss, start, end, score } = row.dataset;
      const place = { video, sign: gloss, start: Number(start), end: Number(end), score: Number(score) };
      return { n: number + 1, who: who.value.trim(), ...decided.get(placeOf(row)), ...place };
    });
    const text = JSON.stringify({ format: "sign-spotter decisions", version: 1, searches: [], lines }, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "decisions.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });

  all("#hits th button").forEach((button) => {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const down = head.getAttribute("aria-sort") === "ascending";
      all("#hits th").forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = button.dataset.key;
      const number = ["start", "length", "score"].includes(key);
      const body = rows[0] && rows[0].parentElement;
      rows.sort((a, b) => {
        const order = number ? a.dataset[key] - b.dataset[key] : a.dataset[key].localeCompare(b.dataset[key]);
        return (down ? -order : order) || a.dataset.hit - b.dataset.hit;
      });
      rows.forEach((row) => body.append(row));
    });
  });
})();
