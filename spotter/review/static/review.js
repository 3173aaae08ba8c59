// The review page: its parts, and what they tell each other.

import { actionsOf, listenToButtons, listenToKeys, showState } from "./actions.js";
import { ask, Outbox } from "./api.js";
import { mindEnter, toast } from "./dialogs.js";
import { Signs } from "./signs.js";
import { Stage } from "./stage.js";
import { Store } from "./store.js";
import { Strip } from "./strip.js";
import { $, clock, make, t } from "./text.js";
import { Timeline } from "./timeline.js";

const LOOK = 2000; // milliseconds between looks at what others did
const SETTLE = 120; // milliseconds: whoever goes on sooner is not looking at the pictures

const store = new Store();
await store.begin();
const outbox = new Outbox(store.project);
const stage = new Stage(store);
const timeline = new Timeline(store);
const signs = new Signs(store);
const strip = new Strip(store);
const actions = actionsOf({ store, stage, timeline, outbox, signs });

// who decides

const who = $("#who");
who.value = localStorage.getItem("spotter-who") ?? store.annotator;
who.addEventListener("change", () => localStorage.setItem("spotter-who", who.value.trim()));

// the parts

signs.addEventListener("choose", (event) => choose(event.detail));

async function choose(sign) {
  if (store.order === "sample") store.order = $("#order").value = "sure";
  localStorage.setItem(`spotter-sign:${store.project}`, sign);
  await store.choose(sign);
  signs.estimate();
}

let settling;
let begun = -Infinity;
store.addEventListener("hit", () => {
  clearTimeout(settling);
  const quick = performance.now() - begun < 2 * SETTLE;
  begun = performance.now();
  showConflict();
  if (!quick) return showHit();
  // videos are opened when the keys come to rest
  stage.hold(store.hit);
  settling = setTimeout(showHit, SETTLE);
  return undefined;
});

function showHit() {
  const { hit } = store;
  stage.show(hit);
  if (hit) timeline.open(store.videoById.get(hit.video) ?? { id: hit.video, name: hit.name, seconds: null }, hit).then(chooseVideo);
  else timeline.refresh();
}

store.addEventListener("queue", () => timeline.layOut());
store.addEventListener("changed", ({ detail }) => {
  timeline.patch(detail.ids);
  if (detail.ids.includes(store.hit?.id)) {
    stage.caption();
    stage.scrub(stage.time);
    showConflict();
  }
});
store.addEventListener("exemplars", () => stage.showExample());
store.addEventListener("anew", () => toast(t("link.other")));
stage.addEventListener("time", ({ detail }) => stage.media === timeline.video?.id && timeline.setHead(detail));
stage.addEventListener("state", () => {
  timeline.follows = !stage.locked;
  showState(stage);
});
timeline.addEventListener("go", ({ detail }) => {
  if (stage.media !== timeline.video.id) stage.browse(timeline.video.id, detail);
  else stage.goTo(detail);
});
timeline.addEventListener("hit", async ({ detail }) => {
  if (detail.sign !== store.sign) await store.choose(detail.sign, detail.id);
  if (!store.queue.includes(detail.id)) {
    store.show = $("#show").value = "all";
    await store.arrange(detail.id);
  }
  store.go(store.queue.indexOf(detail.id));
});
timeline.addEventListener("selected", () => {
  const { selection } = timeline;
  $("#selection").hidden = !selection;
  if (selection) $("#selection .words").textContent = t("selection", { from: clock(selection.start), to: clock(selection.end) });
});

function showConflict() {
  const box = $("#conflict");
  const rows = store.hit?.conflict ?? [];
  box.hidden = !rows.length;
  if (rows.length) {
    const said = rows.map((row) => `${row.who}: ${t(row.action in { accept: 1, reject: 1, unsure: 1, relabel: 1, split: 1, merge: 1 } ? row.action : row.action === "span" ? "edges" : "status.new")}${row.detail.sign ? ` ${row.detail.sign}` : ""}`);
    box.replaceChildren(make("strong", { textContent: `${t("conflict")} ` }), `${said.join(" · ")}. ${t("conflict.settle")}`);
  }
}

// the video beside the timeline

const videos = $("#video");
videos.replaceChildren(...store.videos.map((v) => make("option", { value: v.id, textContent: v.seconds ? `${v.name} · ${clock(v.seconds, 0)}` : v.name })));
videos.addEventListener("change", async () => {
  await openVideo(videos.value);
  stage.browse(videos.value, 0);
  videos.blur();
});

async function openVideo(id) {
  const known = store.videoById.get(id);
  if (known && !known.seconds) known.seconds = (await ask(`/api/videos/${id}`).catch(() => ({}))).seconds;
  await timeline.open(known);
}

function chooseVideo() {
  if (timeline.video) videos.value = timeline.video.id;
}

// the queue's head

$("#show").addEventListener("change", (event) => {
  store.show = event.target.value;
  event.target.blur();
  store.arrange();
});
$("#order").addEventListener("change", (event) => {
  event.target.blur();
  if (event.target.value === "sample") actions.sample();
  else {
    store.order = event.target.value;
    store.arrange(null);
  }
});
$("#again").addEventListener("click", () => actions.again());
$("#export").addEventListener("click", () => actions.export());
$("#keys-open").addEventListener("click", () => actions.keys());
$("#exemplar-next").addEventListener("click", () => actions.otherExample());
$("#scrub").addEventListener("pointerdown", (event) => {
  if (!store.hit) return;
  const { left, width } = event.currentTarget.getBoundingClientRect();
  const length = store.hit.end - store.hit.start;
  stage.goTo(store.hit.start - 0.35 * length + ((event.clientX - left) / width) * 1.7 * length);
});

// the way to the server

outbox.addEventListener("answer", async ({ detail }) => {
  for (const row of detail.refused) toast(t("said.refused", { why: row.why }), 6);
  await store.take(detail, true);
  if (store.order === "sample") signs.estimate();
});
outbox.addEventListener("change", showSaved);
outbox.addEventListener("trouble", ({ detail }) => trouble(detail));

function showSaved() {
  const n = outbox.waiting.length;
  const box = $("#saved");
  box.classList.toggle("waiting", n > 0);
  box.textContent = n ? t("link.waiting", { n }) : t("link.saved");
}

function trouble(error) {
  const alarm = $("#alarm");
  alarm.hidden = !error;
  if (error) alarm.textContent = error.status === 401 || error.status === 403 ? t("link.closed") : t("link.lost");
}

async function look() {
  if (document.hidden && !outbox.waiting.length) return;
  try {
    const { searches } = store;
    const said = await ask("/api/changes", { since: store.last, searches });
    trouble(null);
    if (searches !== store.searches) return; // the answer to an older question
    if (said.anew || said.last > store.last) await store.take(said);
    if (outbox.waiting.length) outbox.flush();
  } catch (error) {
    trouble(error);
  }
}
setInterval(look, LOOK);
document.addEventListener("visibilitychange", () => !document.hidden && look());

// beginning

listenToKeys(actions);
listenToButtons(actions);
mindEnter();
showSaved();
showState(stage);
for (const name of ["skeleton", "mirror"]) if (localStorage.getItem(`spotter-${name}`)) actions[name]();
signs.renew();
const remembered = localStorage.getItem(`spotter-sign:${store.project}`);
const first = store.signs.find((s) => s.sign === remembered) ?? store.signs.find((s) => s.new > 0) ?? store.signs[0];
if (first) await choose(first.sign);
else if (store.videos.length) {
  await openVideo(store.videos[0].id);
  stage.browse(store.videos[0].id, 0);
}
document.documentElement.dataset.ready = "yes";
Object.assign(window, { spotter: { store, stage, timeline, outbox, strip } });
