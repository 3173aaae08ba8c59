// Everything that a person can do, by name; and which keys do it.

import { ask, send } from "./api.js";
import { announce, askSearch, askText, exporting, searching, showChanges, showKeys, toast } from "./dialogs.js";
import { $, $$, clock, t } from "./text.js";

const FLASH = { accept: "✓", reject: "✗", unsure: "?" };
const id = (letter) => letter + crypto.randomUUID().replaceAll("-", "").slice(0, 14);

export function actionsOf({ store, stage, timeline, outbox, signs }) {
  const who = () => $("#who").value.trim() || store.annotator;
  const seen = () => store.last;

  /** Writes lines [action, hit, detail] that are one action to whoever undoes it; the last one's token. */
  function write(...lines) {
    const tokens = lines.map(([action, hit, detail = {}]) => {
      const row = { action, hit, base: seen(), detail };
      store.foresee(row);
      return outbox.push(row, who());
    });
    done.push(tokens);
    undone.length = 0;
    return tokens[tokens.length - 1];
  }

  function decide(action) {
    const { hit } = store;
    if (!hit) return;
    write([action, hit.id, store.order === "sample" && store.sample ? { sample: store.sample.name } : {}]);
    stage.flash(FLASH[action]);
    const more = store.next();
    announce(`${t(`said.${action}`)}. ${t("queue.left", { n: store.left })}`);
    if (!more) {
      stage.caption();
      if (!store.left) toast(t("queue.done"), 6);
    }
  }

  /** Moves an edge of the hit by frames of its video. */
  async function nudge(edge, by) {
    const { hit } = store;
    if (!hit || stage.media !== hit.video) return;
    const { frames } = stage.hitView;
    await frames.around(hit.start, hit.end).catch(() => {});
    const moved = frames.shifted(edge === "start" ? snapped(frames, hit.start) : snapped(frames, hit.end), by);
    const span = { start: hit.start, end: hit.end, [edge]: moved };
    if (span.end - span.start < 0.5 / frames.fps) return;
    write(["span", hit.id, span]);
    stage.halt();
    stage.scrub(stage.time);
    stage.seek(edge === "start" ? span.start : frames.shifted(span.end, -1));
    stage.caption();
    timeline.patch([hit.id]);
  }

  /** The frame boundary next to a time: edges that come from a search lie between frames. */
  function snapped(frames, seconds) {
    const k = frames.at(seconds);
    if (k < 0) return seconds;
    const next = frames.times[k + 1] ?? frames.times[k] + 1 / frames.fps;
    return next - seconds < seconds - frames.times[k] ? next : frames.times[k];
  }

  async function split() {
    const { hit } = store;
    const at = stage.hitView.frames?.shifted(stage.time, 0);
    if (!hit || at === undefined || at <= hit.start + 0.02 || at >= hit.end - 0.02) return toast(t("split.outside"));
    write(["split", hit.id, { at, second: id("h"), video: hit.video, sign: hit.sign, start: at, end: hit.end }]);
    return undefined;
  }

  function merge() {
    const { hit } = store;
    if (!hit) return;
    const others = [...store.hits.values()].filter((h) => h.id !== hit.id && h.video === hit.video && h.sign === hit.sign && h.current && h.status !== "rejected" && h.start >= hit.start);
    const other = others.sort((a, b) => a.start - b.start)[0];
    if (!other) toast(t("merge.none"));
    else write(["merge", hit.id, { other: other.id, start: Math.min(hit.start, other.start), end: Math.max(hit.end, other.end) }]);
  }

  const glosses = () => store.signs.map((s) => s.sign);

  async function relabel() {
    const { hit } = store;
    if (!hit) return;
    const sign = await askText(t("relabel.ask"), t("gloss"), hit.sign, glosses());
    if (!sign || sign === hit.sign) return;
    write(["relabel", hit.id, { sign }], ["accept", hit.id]);
    stage.flash("✓");
    store.next();
  }

  async function note() {
    const { hit } = store;
    if (!hit) return;
    const text = await askText(t("note.ask"), t("note"), hit.note);
    if (text !== null) write(["note", hit.id, { text }]);
    stage.caption();
  }

  const done = []; // tokens of our lines, those of one action together, newest last
  const undone = [];

  const takeBack = (token) => outbox.push({ action: "undo", hit: "", base: seen(), detail: { token } }, who());

  function undo() {
    const tokens = done.pop();
    if (!tokens) return toast(t("undo.nothing"));
    undone.push({ tokens, undos: [...tokens].reverse().map(takeBack) });
    return toast(t("said.undo"), 1.5);
  }

  function redo() {
    const last = undone.pop();
    if (!last) return toast(t("undo.nothing"));
    [...last.undos].reverse().forEach(takeBack);
    done.push(last.tokens);
    return toast(t("said.redo"), 1.5);
  }


  /** The selection, or null with a word on how to make one. */
  function selected() {
    if (timeline.selection && timeline.video) return { ...timeline.selection, video: timeline.video.id };
    toast(t("selection.none"), 5);
    return null;
  }

  async function exemplar() {
    const place = selected();
    if (!place) return;
    if (!store.searchable) return toast(t("again.none"), 8);
    const sign = await askText(t("more.ask"), t("gloss"), store.sign ?? "", glosses());
    if (!sign) return;
    // what is an example of the sign is also an occurrence of it
    await written(write(["exemplar", id("x"), { ...place, sign }], occurrence(place, sign)));
    await again([sign]);
    timeline.select(null);
  }

  async function add() {
    const place = selected();
    if (!place) return;
    const sign = await askText(t("relabel.ask"), t("gloss"), store.sign ?? "", glosses());
    if (!sign) return;
    await written(write(occurrence(place, sign)));
    timeline.select(null);
    await timeline.refresh();
  }

  /** The line that makes a place an accepted hit: a new one, or the one that is there already. */
  function occurrence(place, sign) {
    const overlap = (h) => (Math.min(h.end, place.end) - Math.max(h.start, place.start)) / (Math.max(h.end, place.end) - Math.min(h.start, place.start));
    const there = timeline.hits.find((h) => h.sign === sign && h.current && overlap(h) >= 0.5);
    return there ? ["accept", there.id] : ["add", id("h"), { ...place, sign }];
  }

  /** Resolves when a line is in the log. */
  function written(token) {
    return new Promise((resolve) => {
      const heard = (event) => {
        if (![...event.detail.written, ...event.detail.refused].some((row) => row.token === token)) return;
        outbox.removeEventListener("answer", heard);
        resolve();
      };
      outbox.addEventListener("answer", heard);
    });
  }

  /** Searches with all that was decided, and shows what changed. */
  async function again(which) {
    store.searching = true; // what is new now is our own doing
    const result = await searching({ signs: which, who: who() });
    const sign = which?.length === 1 ? which[0] : store.sign;
    if (!result) {
      store.searching = false;
      return;
    }
    await store.begin();
    store.show = $("#show").value = "open";
    store.order = store.order === "sample" ? ($("#order").value = "sure") : store.order;
    await store.choose(sign);
    store.searching = false;
    signs.estimate();
    timeline.refresh();
    showChanges(result);
  }

  async function sample() {
    try {
      store.sample = await send("/api/sample", { sign: store.sign, who: who(), client: outbox.client });
    } catch (error) {
      return toast(t("said.refused", { why: error.message }), 6);
    }
    store.order = $("#order").value = "sample";
    store.show = $("#show").value = "open";
    return store.arrange(null);
  }

  function mark(side) {
    const { selection } = timeline;
    const { frames } = stage.hitView;
    if (!timeline.video || stage.media !== timeline.video.id) return;
    const here = frames ? frames.shifted(stage.time, side === "to" ? 1 : 0) : stage.time;
    if (side === "from") timeline.select(here, selection && selection.end > here ? selection.end : Math.min(timeline.length, here + 0.6));
    else timeline.select(selection && selection.start < here ? selection.start : Math.max(0, here - 0.6), here);
  }

  return {
    accept: () => decide("accept"),
    reject: () => decide("reject"),
    unsure: () => decide("unsure"),
    next: () => store.next() || toast(t("queue.done"), 5),
    hitOn: () => store.go(store.at + 1),
    hitBack: () => store.go(store.at - 1),
    play: () => stage.toggle(),
    back: () => stage.step(-1),
    on: () => stage.step(1),
    speed1: () => stage.setSpeed(1),
    speed2: () => stage.setSpeed(0.5),
    speed4: () => stage.setSpeed(0.25),
    loop: () => (stage.locked ? stage.unlock() : stage.lock()),
    startEarlier: () => nudge("start", -1),
    startLater: () => nudge("start", 1),
    endEarlier: () => nudge("end", -1),
    endLater: () => nudge("end", 1),
    split, merge, relabel, note, undo, redo, exemplar, add, sample,
    from: () => mark("from"),
    to: () => mark("to"),
    unselect: () => timeline.select(null),
    skeleton: () => toggled("skeleton", (on) => stage.setSkeleton(on)),
    mirror: () => toggled("mirror", (on) => $("#view-example").classList.toggle("mirrored", on)),
    otherExample: () => stage.nextExample(),
    zoomIn: () => timeline.zoom(0.5, timeline.head),
    zoomOut: () => timeline.zoom(2, timeline.head),
    zoomFit: () => timeline.whole(),
    zoomHere: () => store.hit && timeline.view(store.hit.start - 5, store.hit.end + 5),
    again: async () => {
      if (!store.searchable) return toast(t("again.none"), 8);
      const said = await askSearch();
      return said === "this" ? again([store.sign]) : said === "all" ? again(undefined) : undefined;
    },
    export: () => exporting(who),
    keys: () => showKeys(keyTable()),
  };

  function toggled(name, set) {
    const button = $(`[data-do=${name}]`);
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    localStorage.setItem(`spotter-${name}`, on ? "1" : "");
    set(on);
  }
}

// action, keys (as KeyboardEvent.key, lower case; "shift+…"), words
const KEYS = [
  ["keys.decide", [
    ["accept", ["a"], "accept"], ["reject", ["r"], "reject"], ["unsure", ["u"], "unsure"],
    ["next", ["n"], "next"], ["hitOn", ["arrowdown"], "hit.next"], ["hitBack", ["arrowup"], "hit.previous"],
    ["undo", ["z", "ctrl+z"], "undo"], ["redo", ["shift+z", "ctrl+shift+z"], "redo"],
  ]],
  ["keys.watch", [
    ["play", [" "], "play"], ["speed1", ["1"], "speed.1"], ["speed2", ["2"], "speed.2"], ["speed4", ["4"], "speed.4"],
    ["back", ["arrowleft"], "frame.back"], ["on", ["arrowright"], "frame.on"], ["loop", ["b"], "loop.help"],
    ["skeleton", ["k"], "skeleton.help"], ["mirror", ["v"], "mirror.help"], ["otherExample", ["x"], "exemplar.next"],
  ]],
  ["keys.edit", [
    ["startEarlier", ["d"], "start.earlier"], ["startLater", ["f"], "start.later"], ["endEarlier", ["g"], "end.earlier"], ["endLater", ["h"], "end.later"],
    ["split", ["s"], "split.help"], ["merge", ["m"], "merge.help"], ["relabel", ["l"], "relabel.help"], ["note", ["t"], "note"],
  ]],
  ["keys.select", [
    ["from", ["i"], "select.from"], ["to", ["o"], "select.to"], ["exemplar", ["e"], "more.help"], ["add", ["c"], "add.help"], ["unselect", ["escape"], "select.clear"],
    ["zoomIn", ["+"], "timeline.in"], ["zoomOut", ["-"], "timeline.out"], ["zoomFit", ["0"], "timeline.fit"], ["zoomHere", ["9"], "timeline.here"], ["keys", ["?"], "keys"],
  ]],
];
const SHOWN = { " ": "key.space", arrowleft: "←", arrowright: "→", arrowup: "↑", arrowdown: "↓", escape: "key.escape" };

function keyTable() {
  const shown = (key) => key.split("+").map((part) => (part === "" ? "+" : part === "shift" ? t("key.shift") : part === "ctrl" ? "Ctrl" : part in SHOWN ? t(SHOWN[part]) : part.toUpperCase())).join(" ");
  return KEYS.map(([title, rows]) => [t(title), rows.map(([, keys, words]) => [[shown(keys[0] === "+" ? "" : keys[0])], t(words)])]);
}

/** Keys do actions, unless somebody is typing or has switched single keys off. */
export function listenToKeys(actions) {
  const byKey = new Map(KEYS.flatMap(([, rows]) => rows.flatMap(([action, keys]) => keys.map((key) => [key, action]))));
  const single = $("#single-keys");
  single.checked = localStorage.getItem("spotter-single-keys") !== "off";
  single.addEventListener("change", () => localStorage.setItem("spotter-single-keys", single.checked ? "on" : "off"));
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey || event.metaKey || $("dialog[open]")) return;
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (typing) return;
    const name = event.key.toLowerCase();
    const shifted = event.shiftKey && /^[a-z]$/.test(name) ? "shift+" : "";
    const key = `${event.ctrlKey ? "ctrl+" : ""}${shifted}${name}`;
    const action = byKey.get(key);
    if (!action || (!event.ctrlKey && !single.checked && name !== "?")) return;
    // Space and Enter press the button that has the focus
    if (name === " " && event.target.closest("button, a, summary")) return;
    if (event.repeat && !["back", "on", "startEarlier", "startLater", "endEarlier", "endLater", "hitOn", "hitBack", "zoomIn", "zoomOut"].includes(action)) return;
    event.preventDefault();
    actions[action]();
  });
}

/** Buttons do actions. */
export function listenToButtons(actions) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button || button.disabled) return;
    actions[button.dataset.do]();
    // keys go on working where the mouse was last
    if (event.detail > 0 && !$("dialog[open]")) button.blur();
  });
}

/** What buttons show of the state. */
export function showState(stage) {
  const play = $("#play");
  const playing = stage.playing;
  play.setAttribute("aria-label", t(playing ? "pause" : "play"));
  play.classList.toggle("playing", playing);
  for (const [name, speed] of [["speed1", 1], ["speed2", 0.5], ["speed4", 0.25]]) $(`[data-do=${name}]`).setAttribute("aria-pressed", String(stage.speed === speed));
  $("[data-do=loop]").setAttribute("aria-pressed", String(stage.locked));
}

export { ask, clock, $$ };
