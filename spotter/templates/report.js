"use strict";
(() => {
  const PAGE = 50, ROWS = 6, SIGNS = 12;
  const [ROW, TRACK, BAR, AXIS, WIDEST] = [58, 30, 9, 24, 12000];
  const data = JSON.parse(document.getElementById("data").textContent);
  const { videos, signs } = data;
  const hits = data.hits.map(([video, sign, start, end, score, verdict], i) => ({ number: i + 1, video, sign, start, end, score, verdict }));
  const one = (what, where = document) => where.querySelector(what);
  const all = (what, where = document) => [...where.querySelectorAll(what)];

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name, value);
      else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat().filter((c) => c !== "" && c !== null && c !== undefined && c !== false));
    return element;
  }
  const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes = {}, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const button = (text, click, attributes = {}) => make("button", { type: "button", click, ...attributes }, text);
  const count = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

  function clock(seconds) {
    const tenths = Math.round(seconds * 10), hours = Math.floor(tenths / 36000), minutes = Math.floor(tenths / 600) % 60;
    const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
  }

  // --- what is shown ----------------------------------------------------------------------------------------------

  const lone = videos.length === 1;
  const state = { video: lone ? 0 : null, page: 0, sort: "score", down: true, current: null, lanes: ROWS, every: false, zoom: 1 };
  const VERDICTS = [["unknown", "not known"], ["right", "✓ agrees"], ["wrong", "✗ not there"]];
  let order = [];

  // --- decisions: kept in this browser, taken into a project by `spotter decisions import FILE` ---------------------

  const ACTIONS = { accept: ["✓", "Accept"], reject: ["✗", "Reject"], unsure: ["?", "Unsure"] };
  const home = `spotter-decisions:${location.pathname}`;
  const placeOf = (hit) => JSON.stringify([videos[hit.video].name, signs[hit.sign], hit.start.toFixed(3), hit.end.toFixed(3)]);
  let kept = {};
  try { kept = JSON.parse(localStorage.getItem(home)) || {}; } catch { /* this browser keeps nothing of files */ }
  const decided = new Map(Object.entries(kept.decided || {}));
  const decisionOf = (hit) => decided.size ? (decided.get(placeOf(hit)) || {}).action : undefined;
  const keep = () => {
    try { localStorage.setItem(home, JSON.stringify({ who: fields.who.value, decided: Object.fromEntries(decided) })); } catch { /* as above */ }
  };

  // --- the list of detections: filters, order, pages -----------------------------------------------------------------

  const hitsCard = one("#hits"), body = one("tbody", hitsCard), controls = one(".controls", hitsCard);
  const fields = {};
  const choices = (name, label, options) => {
    fields[name] = make("select", { name }, options.map(([value, text]) => make("option", { value }, text)));
    return make("label", {}, label, fields[name]);
  };
  const typed = (name, label, attributes) => {
    fields[name] = make("input", { name, ...attributes });
    return make("label", {}, label, fields[name]);
  };
  const used = [...new Set(hits.map((h) => h.sign))].sort((a, b) => signs[a].localeCompare(signs[b]));
  const low = hits.reduce((least, h) => Math.min(least, h.score), 0);
  const shownLeast = make("output", {}, low.toFixed(2));
  fields.least = make("input", { name: "least", type: "range", min: low.toFixed(2), max: 1, step: 0.01, value: low.toFixed(2) });
  controls.append(
    typed("text", "Search", { type: "search", placeholder: "sign or video" }),
    choices("sign", "Sign", [["", "all"], ...used.map((s) => [`=${signs[s]}`, signs[s]])]),
    lone ? "" : choices("of", "Video", [["", "all"], ...videos.map((v, i) => [String(i), v.name])]),
    make("label", {}, make("span", {}, "Least score ", shownLeast), fields.least),
    data.truth ? choices("verdict", "Ground truth", [["", "all"], ["right", "agrees"], ["wrong", "does not agree"], ["unknown", "not known"]]) : "",
    choices("decision", "Decision", [["", "all"], ["open", "still open"], ["accept", "accepted"], ["reject", "rejected"], ["unsure", "unsure"]]),
    choices("order", "Order", [["score", "surest first"], ["start", "by time"], ["sign", "by sign"], ["length", "by length"]]),
    typed("who", "Your name", { autocomplete: "name", maxlength: 80 }),
    button("Download decisions", () => download(), { class: "download", disabled: true }),
  );
  fields.who.value = kept.who || "";
  fields.who.addEventListener("change", keep);

  const VALUE = {
    sign: (h) => signs[h.sign], video: (h) => videos[h.video].name, start: (h) => h.start, length: (h) => h.end - h.start,
    score: (h) => h.score, verdict: (h) => VERDICTS[h.verdict][0],
  };
  function arrange() {
    const words = fields.text.value.trim().toLocaleLowerCase(), least = Number(fields.least.value);
    const sign = fields.sign.value ? fields.sign.value.slice(1) : null;
    const only = { video: state.video, verdict: fields.verdict && fields.verdict.value, decision: fields.decision.value };
    order = hits.filter((h) => (only.video === null || h.video === only.video) && h.score >= least - 1e-9 &&
      (sign === null || signs[h.sign] === sign) && (!only.verdict || VERDICTS[h.verdict][0] === only.verdict) &&
      (!only.decision || (decisionOf(h) || "open") === only.decision) &&
      (!words || `${videos[h.video].name} ${signs[h.sign]}`.toLocaleLowerCase().includes(words)));
    const value = VALUE[state.sort];
    order.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      const by = typeof x === "number" ? x - y : x.localeCompare(y);
      return (state.down ? -by : by) || (state.sort === "start" ? a.video - b.video : 0) || a.number - b.number;
    });
    state.page = Math.max(0, Math.min(state.page, Math.ceil(order.length / PAGE) - 1));
  }

  const seen = Boolean(Object.keys(data.pictures).length || Object.keys(data.examples).length);
  function strip(hit, example) {
    const picture = example ? data.examples[hit.sign] : data.pictures[hit.number];
    const what = example ? `Exemplar of ${signs[hit.sign]}: pictures from its beginning to its end`
      : `${signs[hit.sign]} at ${clock(hit.start)}: pictures from beginning to end`;
    return picture ? make("img", { class: `strip ${example ? "example" : "found"}`, alt: what, src: picture })
      : make("span", { class: "none" }, "no picture");
  }

  function row(hit) {
    const { name } = videos[hit.video], gloss = signs[hit.sign], [verdict, words] = VERDICTS[hit.verdict];
    const facts = { hit: hit.number, video: name, sign: gloss, start: hit.start.toFixed(3), end: hit.end.toFixed(3),
      length: (hit.end - hit.start).toFixed(3), score: hit.score.toFixed(4), verdict };
    const share = Math.round(100 * Math.max(0, Math.min(1, hit.score)));
    const decide_ = Object.entries(ACTIONS).map(([action, [mark, word]]) => button(mark, () => { choose(hit); decide(hit, action); },
      { value: action, title: `${word} (${word[0]})`, "aria-label": `${word} ${gloss} at ${facts.start} s in ${name}` }));
    const cell = (kind, label, ...inside) => make("td", { class: kind, "data-label": label }, ...inside);
    const line = make("tr", Object.fromEntries(Object.entries(facts).map(([k, v]) => [`data-${k}`, v])),
      cell("sign", "Sign", gloss),
      state.video === null ? cell("video", "Video", button(name, () => open_(hit.video), { class: "link" })) : "",
      cell("number", "Time", button(`▶ ${clock(hit.start)}`, () => play(hit), { class: "seek", "aria-label": `Play ${gloss} at ${clock(hit.start)} in ${name}` })),
      cell("number", "Length", `${(hit.end - hit.start).toFixed(2)} s`),
      cell("number", "Score", hit.score.toFixed(2), make("span", { class: "bar-score", "aria-hidden": "true" }, make("i", { style: `width:${share}%` }))),
      data.truth ? cell(`verdict ${verdict}`, "Ground truth", words) : "",
      cell("decide", "Your decision", ...decide_),
      seen ? cell("picture", "Exemplar", strip(hit, true)) : "", seen ? cell("picture", "Detection", strip(hit, false)) : "");
    judge(line, hit);
    if (hit === state.current) line.classList.add("current");
    return line;
  }

  function judge(line, hit) {
    const action = decisionOf(hit);
    if (action) line.dataset.decision = action; else delete line.dataset.decision;
    all(".decide button", line).forEach((b) => b.setAttribute("aria-pressed", String(b.value === action)));
  }

  const COLUMNS = [["sign", "Sign"], ["video", "Video"], ["start", "Time"], ["length", "Length"], ["score", "Score"], ["verdict", "Ground truth"]];
  function list() {
    arrange();
    const heads = COLUMNS.filter(([key]) => (key !== "video" || state.video === null) && (key !== "verdict" || data.truth))
      .map(([key, name]) => make("th", { scope: "col", "aria-sort": state.sort === key && (state.down ? "descending" : "ascending") },
        button(name, () => { sortBy(key, state.sort === key ? !state.down : key === "score"); })));
    const plain = (text) => make("th", { scope: "col" }, text);
    one("thead", hitsCard).replaceChildren(make("tr", {}, ...heads, plain("Your decision"), seen ? plain("Exemplar") : "", seen ? plain("Detection") : ""));
    body.replaceChildren(...order.slice(state.page * PAGE, (state.page + 1) * PAGE).map(row));
    const pages = Math.ceil(order.length / PAGE), go = (to) => () => { state.page = to; list(); hitsCard.scrollIntoView(); };
    const from = state.page * PAGE;
    one(".pager", hitsCard).replaceChildren(...(pages < 2 ? [] : [
      button("« First", go(0), { disabled: state.page === 0 }), button("‹ Previous", go(state.page - 1), { disabled: state.page === 0 }),
      make("span", {}, `${(from + 1).toLocaleString("en")}–${Math.min(from + PAGE, order.length).toLocaleString("en")} of ${order.length.toLocaleString("en")}`),
      button("Next ›", go(state.page + 1), { disabled: state.page >= pages - 1 }), button("Last »", go(pages - 1), { disabled: state.page >= pages - 1 })]));
    say();
  }
  function say() {
    const there = state.video === null ? hits.length : hits.filter((h) => h.video === state.video).length;
    const judged = decided.size ? hits.filter(decisionOf).length : 0;
    one(".count", hitsCard).textContent = there === 0 ? "No sign of the gallery was found."
      : `${order.length.toLocaleString("en")} of ${count(there, "detection")}${judged ? `, ${judged} decided` : ""}`;
    one(".download", controls).disabled = decided.size === 0;
  }
  function sortBy(key, down) {
    Object.assign(state, { sort: key, down, page: 0 });
    fields.order.value = key;
    list();
  }
  fields.order.addEventListener("change", () => sortBy(fields.order.value, fields.order.value === "score"));
  controls.addEventListener("input", (event) => {
    if (event.target === fields.who || event.target === fields.order) return;
    shownLeast.value = Number(fields.least.value).toFixed(2);
    if (event.target === fields.of) { open_(fields.of.value === "" ? null : Number(fields.of.value)); return; }
    state.page = 0;
    list();
  });

  function choose(hit) {
    state.current = hit;
    all(".current").forEach((e) => e.classList.remove("current"));
    all(`[data-hit="${hit.number}"]`).forEach((e) => e.classList.add("current"));
  }
  function decide(hit, action) {
    const place = placeOf(hit);
    const token = [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
    if (decisionOf(hit) === action) decided.delete(place);
    else decided.set(place, { action, token, at: new Date().toISOString() });
    keep();
    const line = one(`tr[data-hit="${hit.number}"]`, body);
    if (fields.decision.value) list(); else { if (line) judge(line, hit); say(); }
  }
  /** Makes the hit that follows in the list the current one, turning the page where needed. */
  function step(by, undecided = false) {
    let at = order.indexOf(state.current) + by;
    if (state.current === null) at = 0;
    while (undecided && order[at] && decisionOf(order[at])) at += by;
    return order[at];
  }
  function show(hit) {
    const at = order.indexOf(hit);
    if (at >= 0 && Math.floor(at / PAGE) !== state.page) { state.page = Math.floor(at / PAGE); list(); }
    play(hit);
    const line = one(`tr[data-hit="${hit.number}"]`, body);
    if (line) { one(".seek", line).focus({ preventScroll: true }); line.scrollIntoView({ block: "center" }); }
  }
  function download() {
    const lines = hits.filter(decisionOf).map((hit, number) => ({
      n: number + 1, who: fields.who.value.trim(), ...decided.get(placeOf(hit)), video: videos[hit.video].name, sign: signs[hit.sign],
      start: Number(hit.start.toFixed(3)), end: Number(hit.end.toFixed(3)), score: Number(hit.score.toFixed(4)) }));
    const text = JSON.stringify({ format: "sign-spotter decisions", version: 1, searches: [], lines }, null, 1);
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: "decisions.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // --- the player: one for all videos, in the video's page or at the corner -----------------------------------------

  const player = make("video", { controls: true, preload: "metadata", playsinline: true });
  player.muted = true;
  const said = make("p", { "aria-live": "off" }, "Choose a detection to play it.");
  const loop = button("Loop", () => press(loop), { class: "toggle", "aria-pressed": "true", title: "Play the detection again and again (L)" });
  const slow = button("½ speed", () => { press(slow); player.playbackRate = pressed(slow) ? 0.5 : 1; }, { class: "toggle", "aria-pressed": "false", title: "Half speed (H)" });
  const close = button("×", () => { player.pause(); one("#dock").hidden = true; }, { class: "close", "aria-label": "Close the player" });
  const box = make("div", { class: "player" }, close, player, make("div", { class: "moves" },
    button("‹ frame", () => frame(-1), { title: "One frame back (,)" }), button("frame ›", () => frame(1), { title: "One frame on (.)" }), loop, slow), said);
  const pressed = (toggle) => toggle.getAttribute("aria-pressed") === "true";
  const press = (toggle) => toggle.setAttribute("aria-pressed", String(!pressed(toggle)));
  let playing = null, span = null, cursor = null;

  player.addEventListener("error", () => { if (player.getAttribute("src")) said.textContent = "The video is not where it was when this report was made, or this browser cannot play it."; });
  function load(video) {
    if (playing === video) return;
    playing = video;
    player.src = videos[video].src;
    player.setAttribute("aria-label", `Video ${videos[video].name}`);
  }
  function frame(by) {
    span = null;
    player.pause();
    player.currentTime = Math.max(0, player.currentTime + by / (videos[playing] ? videos[playing].fps : 25));
  }
  function again() {
    if (span && (player.currentTime >= span.end - 0.005 || player.ended)) {
      if (pressed(loop)) { player.currentTime = span.start; if (player.paused) player.play().catch(() => {}); }
      else { player.pause(); span = null; }
    } else if (span && player.currentTime < span.start - 1) span = null; // somebody went elsewhere
    mark();
    if (!player.paused) requestAnimationFrame(again);
  }
  player.addEventListener("play", () => requestAnimationFrame(again));
  player.addEventListener("ended", again);
  player.addEventListener("timeupdate", mark);
  player.addEventListener("ratechange", () => slow.setAttribute("aria-pressed", String(player.playbackRate === 0.5)));
  let told = "";
  function mark() {
    const now = player.currentTime;
    if (cursor && playing === state.video) {
      cursor.removeAttribute("hidden");
      cursor.setAttribute("x1", now * cursor.scale);
      cursor.setAttribute("x2", now * cursor.scale);
    }
    const here = playing === null ? [] : videos[playing].hits.filter((h) => h.start <= now && now < h.end).map((h) => signs[h.sign]);
    const text = `${videos[playing] && playing !== state.video ? `${videos[playing].name} · ` : ""}${clock(now)} ${here.join(" · ")}`;
    if (text !== told) { told = text; said.textContent = text; }
  }
  function play(hit) {
    choose(hit);
    const video = videos[hit.video];
    if (!video.src) return;
    const dock = one("#dock");
    if (state.video !== hit.video) { if (box.parentElement !== dock) dock.append(box); dock.hidden = false; }
    else if (box.parentElement !== one("#video .slot")) { one("#video .slot").append(box); dock.hidden = true; }
    load(hit.video);
    span = { start: hit.start, end: hit.end };
    player.currentTime = hit.start;
    player.playbackRate = pressed(slow) ? 0.5 : 1;
    player.play().catch(() => {});
  }

  // --- overview: signs by videos -------------------------------------------------------------------------------------

  videos.forEach((v) => { v.hits = []; });
  hits.forEach((h) => videos[h.video].hits.push(h));
  function overview(every = false) {
    const card = one("#overview"), cells = new Map();
    const add = (sign, video, what) => {
      const key = `${sign} ${video}`, cell = cells.get(key) || { found: 0, missed: 0 };
      cell[what] += 1;
      cells.set(key, cell);
    };
    hits.forEach((h) => add(h.sign, h.video, "found"));
    videos.forEach((v, i) => (v.truth || []).forEach(([sign, , , missed]) => missed && add(sign, i, "missed")));
    const totals = signs.map((_, s) => videos.reduce((sum, _v, v) => sum + ((cells.get(`${s} ${v}`) || {}).found || 0), 0));
    const rows = signs.map((_, s) => s).filter((s) => totals[s] || videos.some((_, v) => cells.has(`${s} ${v}`)))
      .sort((a, b) => totals[b] - totals[a] || signs[a].localeCompare(signs[b]));
    const most = Math.max(1, ...[...cells.values()].map((c) => c.found));
    const cellOf = (s, v) => {
      const cell = cells.get(`${s} ${v}`);
      if (!cell) return make("td", {});
      const depth = cell.found ? Math.round(14 + 86 * Math.sqrt(cell.found / most)) : 0;
      const words = `${signs[s]} in ${videos[v].name}: ${cell.found} found${cell.missed ? `, ${cell.missed} missed` : ""}`;
      return make("td", {}, button(`${cell.found}${cell.missed ? ` −${cell.missed}` : ""}`, () => { fields.sign.value = `=${signs[s]}`; open_(v); },
        { class: depth > 55 ? "heat deep" : "heat", style: `--depth:${depth}%`, title: words, "aria-label": words }));
    };
    const head = make("tr", {}, make("th", { scope: "col" }, "Sign"), make("th", { scope: "col" }, "All"),
      ...videos.map((v, i) => make("th", { scope: "col", class: "turned" }, button(v.name, () => open_(i), { class: "link", title: `${v.name}, ${clock(v.duration)}, ${count(v.hits.length, "detection")}` }))));
    const shown = every ? rows : rows.slice(0, SIGNS);
    one(".head p", card).textContent = `detections in each video${data.truth ? "; − missed" : ""}; choose a number to see them, a video's name for its page`;
    one(".wide", card).replaceChildren(make("table", { class: "map" }, make("thead", {}, head), make("tbody", {}, shown.map((s) => make("tr", {},
      make("th", { scope: "row" }, button(signs[s], () => { fields.sign.value = `=${signs[s]}`; state.page = 0; list(); hitsCard.scrollIntoView(); }, { class: "link" })),
      make("td", { class: "all" }, totals[s].toLocaleString("en")), ...videos.map((_, v) => cellOf(s, v)))))),
    shown.length < rows.length ? button(`All ${rows.length} signs`, () => overview(true)) : "");
  }

  // --- a video's page: player and timeline ----------------------------------------------------------------------------

  const unpacked = new Map();
  function trackOf(video, sign) {
    const track = videos[video].track, column = track ? track.signs.indexOf(sign) : -1;
    if (column < 0) return null;
    if (!unpacked.has(video)) unpacked.set(video, Uint8Array.from(atob(track.values), (c) => c.charCodeAt(0)));
    return { ...track, values: unpacked.get(video).subarray(column * track.bins, (column + 1) * track.bins) };
  }
  function lanesOf(v) {
    const video = videos[v], mine = new Set([...video.hits.map((h) => h.sign), ...(video.truth || []).map(([sign]) => sign)]);
    const found = [...mine].sort((a, b) => signs[a].localeCompare(signs[b]));
    const rest = video.track ? video.track.signs.filter((s) => !mine.has(s)) : [];
    const peak = new Map(rest.map((s) => [s, (state.every || !found.length) ? Math.max(...trackOf(v, s).values) : 0]));
    return [found, rest.sort((a, b) => peak.get(b) - peak.get(a) || a - b)];
  }

  function area(track, scale, y) {
    const points = [...track.values].map((value, i) => `${((track.start + i * track.step) * scale).toFixed(1)},${(y + TRACK * (1 - value / 255)).toFixed(1)}`);
    const base = y + TRACK, last = ((track.start + (points.length - 1) * track.step) * scale).toFixed(1);
    return [draw("polygon", { class: "area", points: `${(track.start * scale).toFixed(1)},${base} ${points.join(" ")} ${last},${base}` }),
      draw("polyline", { class: "curve", points: points.join(" ") })];
  }
  function timeline(v, lanes, room) {
    const video = videos[v], long = Math.max(video.duration, 0.1);
    const width = Math.round(Math.min(WIDEST, Math.max(room, Math.min(long * 14, room * 3)) * state.zoom)), height = AXIS + ROW * lanes.length, scale = width / long;
    const svg = draw("svg", { class: "timeline", width, height, viewBox: `0 0 ${width} ${height}`, role: "group",
      "aria-label": `Timeline of ${video.name}: ${video.hits.length} detections in ${clock(long)}` });
    const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((s) => s * scale >= 70) || 1800;
    for (let t = 0; t <= long; t += step) {
      svg.append(draw("line", { class: "tick", x1: t * scale, x2: t * scale, y1: AXIS - 5, y2: height }));
      if (t * scale < width - 24) svg.append(draw("text", { class: "time", x: t * scale + 3, y: 14 }, `${Math.floor(t / 60)}:${String(t % 60).padStart(2, "0")}`));
    }
    const place = new Map(lanes.map((sign, i) => [sign, AXIS + ROW * i]));
    lanes.forEach((sign, i) => {
      const y = AXIS + ROW * i, track = trackOf(v, sign);
      svg.append(draw("line", { class: "rule", x1: 0, x2: width, y1: y + ROW - 0.5, y2: y + ROW - 0.5 }));
      if (track && track.values.length) svg.append(...area(track, scale, y + 4));
    });
    (video.truth || []).filter(([sign]) => place.has(sign)).forEach(([sign, start, end, missed]) => {
      const words = `Ground truth: ${signs[sign]}, ${clock(start)} to ${clock(end)}, ${missed ? "not found" : "found"}`;
      svg.append(draw("g", { class: missed ? "truth missed" : "truth" }, draw("title", {}, words),
        draw("rect", { x: start * scale, y: place.get(sign) + TRACK + 7, width: Math.max((end - start) * scale, 3), height: BAR })));
    });
    const next = new Map();
    [...video.hits].sort((a, b) => b.start - a.start).filter((h) => place.has(h.sign)).forEach((hit) => {
      const y = place.get(hit.sign) + TRACK + 17, x = hit.start * scale, wide = Math.max((hit.end - hit.start) * scale, 3);
      const free = ((next.get(hit.sign) ?? long) - hit.end) * scale, sign = ["", "✓", "✗"][hit.verdict];
      next.set(hit.sign, hit.start);
      const label = `${signs[hit.sign]}, ${clock(hit.start)} to ${clock(hit.end)}, score ${hit.score.toFixed(2)}${["", ", agrees with the ground truth", ", not in the ground truth"][hit.verdict]}`;
      const go = (event) => { event.stopPropagation(); play(hit); };
      svg.append(draw("g", { class: `hit ${["", "right", "wrong"][hit.verdict]}${hit === state.current ? " current" : ""}`, role: "button", tabindex: 0,
        "data-hit": hit.number, "data-start": hit.start, "data-end": hit.end, "aria-label": label, click: go,
        keydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go(event); } } },
      draw("title", {}, label), draw("rect", { class: "reach", x: x - 2, y: y - 3, width: wide + 4, height: BAR + 6 }),
      draw("rect", { class: "bar", x, y, width: wide, height: BAR, rx: 2 }),
      draw("text", { class: "mark", x: x + wide + 3, y: y + 8 }, free > 40 ? `${sign}${hit.score.toFixed(2)}` : free > 14 ? sign : "")));
    });
    cursor = draw("line", { class: "cursor", x1: 0, x2: 0, y1: 0, y2: height, hidden: "hidden" });
    cursor.scale = scale;
    svg.append(cursor);
    svg.addEventListener("click", (event) => {
      if (!video.src) return;
      span = null;
      load(v);
      player.currentTime = (event.clientX - svg.getBoundingClientRect().left) / scale;
    });
    return svg;
  }

  function page() {
    const card = one("#video"), v = state.video;
    cursor = null;
    card.hidden = v === null;
    if (v === null) { card.replaceChildren(); return; }
    const video = videos[v], missed = (video.truth || []).filter(([, , , gone]) => gone).length;
    const facts = `${clock(video.duration)} · ${count(video.hits.length, "detection")}${video.truth ? ` · ${count(video.truth.length, "sign")} in the ground truth, ${missed} missed` : ""}`;
    const turn = lone ? [] : [make("nav", { class: "turn", "aria-label": "Videos" }, button("‹ Overview", () => open_(null)),
      button("Previous video", () => open_(v - 1), { disabled: v === 0 }), button("Next video", () => open_(v + 1), { disabled: v === videos.length - 1 }))];
    const slot = make("div", { class: "slot" }), lanes = make("div", { class: "holder" });
    card.replaceChildren(...turn, make("div", { class: "head" }, make("h2", {}, video.name), make("p", {}, facts)),
      video.error ? make("p", { class: "error" }, video.error) : "", make("div", { class: video.src ? "view plays" : "view" }, video.src ? slot : "", lanes));
    if (video.src) { player.pause(); slot.append(box); load(v); one("#dock").hidden = true; }
    else if (box.parentElement && box.parentElement.classList.contains("slot")) box.remove();
    rail(lanes);
  }
  function rail(holder) {
    const v = state.video, video = videos[v], [found, rest] = lanesOf(v);
    const wanted = state.every ? [...found, ...rest] : found.length ? found : rest.slice(0, 4), shown = wanted.slice(0, state.lanes);
    const redraw = (change) => () => { Object.assign(state, change()); rail(holder); };
    holder.replaceChildren();
    if (!video.hits.length && !video.error) holder.append(make("p", { class: "note" }, "Nothing was found in this video."));
    if (shown.length && video.duration > 0) {
      const names = shown.map((s) => { const n = video.hits.filter((h) => h.sign === s).length; return make("div", {}, signs[s], make("small", {}, n ? `${n} found` : "not found")); });
      const scroll = make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Timeline of ${video.name}` });
      holder.append(make("div", { class: "lanes" }, make("div", { class: "names" }, ...names), scroll));
      scroll.append(timeline(v, shown, Math.max(300, scroll.clientWidth)));
    }
    const legend = ["bars: detections with their scores", data.truth && "outlines: ground truth, dashed where missed; ✓ agrees, ✗ not in it",
      video.track && "areas: similarity to the exemplar"].filter(Boolean);
    if (shown.length) holder.append(make("p", { class: "note legend" }, legend.join(" · ")));
    holder.append(make("div", { class: "tools" },
      shown.length < wanted.length ? button(`More signs (${wanted.length - shown.length})`, redraw(() => ({ lanes: state.lanes + ROWS }))) : "",
      rest.length && found.length ? button(state.every ? "Only signs that were found" : `Tracks of the ${rest.length} other signs`, redraw(() => ({ every: !state.every, lanes: ROWS }))) : "",
      shown.length ? button("−", redraw(() => ({ zoom: state.zoom / 2 })), { "aria-label": "Show more time", disabled: state.zoom <= 1 / 4 }) : "",
      shown.length ? button("+", redraw(() => ({ zoom: state.zoom * 2 })), { "aria-label": "Show less time, in more detail", disabled: state.zoom >= 16 }) : ""));
  }
  function open_(v) {
    const to = v === null ? "#" : `#video=${encodeURIComponent(videos[v].name)}`;
    if (location.hash !== to && !(to === "#" && !location.hash)) history.pushState(null, "", to === "#" ? location.pathname + location.search : to);
    turnTo(v);
  }
  function turnTo(v) {
    Object.assign(state, { video: lone ? 0 : v, page: 0, lanes: ROWS, every: false, zoom: 1 });
    if (fields.of) fields.of.value = v === null ? "" : String(v);
    one("#overview").hidden = lone || v !== null;
    page();
    list();
    scrollTo(0, 0);
  }
  function follow() {
    const name = location.hash.startsWith("#video=") ? decodeURIComponent(location.hash.slice(7)) : null;
    const v = videos.findIndex((video) => video.name === name);
    turnTo(v < 0 ? null : v);
  }
  addEventListener("popstate", follow);

  // --- keys --------------------------------------------------------------------------------------------------------------

  const KEYS = { J: "next detection", K: "previous detection", A: "accept", R: "reject", U: "unsure", P: "play or pause", L: "loop on or off",
    H: "half speed on or off", ",": "one frame back", ".": "one frame on", O: "overview" };
  one(".keys dl").append(...Object.entries(KEYS).map(([key, what]) => make("div", {}, make("dt", {}, key), make("dd", {}, what))));
  const onward = (by) => () => { const hit = step(by); if (hit) show(hit); };
  const verdictKey = (action) => () => {
    const hit = state.current;
    if (!hit) return;
    const next = step(1, true);
    if (decisionOf(hit) !== action) decide(hit, action);
    if (next) show(next);
  };
  const DO = { j: onward(1), k: onward(-1), a: verdictKey("accept"), r: verdictKey("reject"), u: verdictKey("unsure"),
    p: () => { if (playing !== null) { if (player.paused) player.play().catch(() => {}); else player.pause(); } },
    l: () => loop.click(), h: () => slow.click(), ",": () => frame(-1), ".": () => frame(1), o: () => { if (!lone) open_(null); } };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea")) return;
    const act = DO[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });

  hitsCard.hidden = false;
  if (!lone) overview();
  follow();
})();
