// The search page: a clip or a recording, what it was found in, each hit in a loop. Nothing is kept.

import { RequestError, ask, finished } from "./api.js";
import { $, clock, make, score, t } from "./text.js";

const COUNT_FROM = 3;
const facts = await ask("/api/corpora");
let clip = null; // a Blob
let span = null; // [start, end] seconds of the sign in the clip, when it is known
let hits = [];
let current = -1;
let recorder = null;

const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
const length = (hours) => (hours < 1 ? t("serve.minutes", { n: number.format(60 * hours) }) : t("serve.hours", { n: number.format(hours) }));

for (const { name, videos, hours } of facts.corpora) {
  const words = t("serve.corpus", { name, videos, length: length(hours) });
  $("#corpora").append(make("label", {}, make("input", { type: "checkbox", value: name, checked: true }), ` ${words}`));
}
$("#corpora").hidden = facts.corpora.length < 2;
const hours = facts.corpora.reduce((sum, corpus) => sum + corpus.hours, 0);
$("#corpora-facts").textContent = t("serve.facts", { videos: facts.corpora.reduce((sum, c) => sum + c.videos, 0), length: length(hours) });

function say(text, wrong = false) {
  $("#said").textContent = text;
  $("#said").classList.toggle("wrong", wrong);
}

function take(blob) {
  if (blob.size > facts.largest) return say(t("serve.large", { mb: Math.round(facts.largest / 2 ** 20) }), true);
  clip = blob;
  span = null;
  const video = $("#example");
  if (video.src) URL.revokeObjectURL(video.src);
  video.srcObject = null;
  video.src = URL.createObjectURL(blob);
  video.hidden = false;
  $("#example-none").hidden = true;
  video.play().catch(() => {});
  $("#go").disabled = false;
  return say("");
}

$("#file").addEventListener("change", (event) => event.target.files[0] && take(event.target.files[0]));
const drop = $("#drop");
for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]); });

// the example loops over the sign that was searched for
$("#example").addEventListener("timeupdate", () => {
  const video = $("#example");
  if (span && !video.srcObject && (video.currentTime >= span[1] || video.currentTime < span[0] - 0.05)) video.currentTime = span[0];
});

$("#record").addEventListener("click", async () => {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, height: { ideal: 480 } }, audio: false });
  } catch (error) {
    return say(t("serve.camera", { why: error.message || error.name }), true);
  }
  const video = $("#example");
  video.src = "";
  video.removeAttribute("src");
  video.srcObject = stream;
  video.hidden = false;
  $("#example-none").hidden = true;
  await video.play().catch(() => {});
  $("#record").hidden = true;
  $("#stop").hidden = false;
  const sign = $("#countdown");
  sign.hidden = false;
  sign.classList.remove("on");
  const pieces = [];
  let stopped = false;
  const done = () => {
    stopped = true;
    if (recorder && recorder.state !== "inactive") recorder.stop(); else ended();
  };
  const ended = () => {
    stream.getTracks().forEach((track) => track.stop());
    sign.hidden = true;
    $("#record").hidden = false;
    $("#stop").hidden = true;
    $("#stop").removeEventListener("click", done);
    recorder = null;
    if (pieces.length) take(new Blob(pieces, { type: pieces[0].type })); else { video.srcObject = null; video.hidden = true; $("#example-none").hidden = false; }
  };
  $("#stop").addEventListener("click", done);
  for (let left = COUNT_FROM; left > 0 && !stopped; left--) {
    sign.textContent = String(left);
    await new Promise((go) => setTimeout(go, 1000));
  }
  if (stopped) return undefined;
  const kind = ["video/mp4;codecs=avc1", "video/webm;codecs=vp9", "video/webm"].find((name) => MediaRecorder.isTypeSupported(name));
  recorder = new MediaRecorder(stream, { mimeType: kind, videoBitsPerSecond: 4_000_000 });
  recorder.addEventListener("dataavailable", (event) => event.data.size && pieces.push(event.data));
  recorder.addEventListener("stop", ended);
  recorder.start();
  const begun = performance.now();
  sign.classList.add("on");
  const tick = setInterval(() => {
    const seconds = (performance.now() - begun) / 1000;
    sign.textContent = `● ${clock(seconds, 1)}`;
    if (!recorder) clearInterval(tick);
    else if (seconds >= facts.longest - 0.5) done();
  }, 100);
  return undefined;
});

$("#go").addEventListener("click", async () => {
  const query = new URLSearchParams();
  const chosen = [...document.querySelectorAll("#corpora input:checked")].map((box) => box.value);
  if (!chosen.length) return say(t("serve.nowhere"), true);
  if (chosen.length < facts.corpora.length) chosen.forEach((name) => query.append("corpus", name));
  if ($("#whole").checked) query.set("whole", "1");
  const bar = $("#progress");
  $("#go").disabled = true;
  bar.hidden = false;
  bar.removeAttribute("value");
  say(t("again.running"));
  try {
    const response = await fetch(`/api/search?${query}`, { method: "POST", headers: { "content-type": "application/octet-stream" }, body: clip });
    const job = await response.json().catch(() => ({ error: response.statusText }));
    if (!response.ok) throw new RequestError(job.error, response.status);
    const result = await finished(job, (share) => { if (share) bar.value = share; });
    span = [result.start, result.end];
    hits = result.hits;
    show();
    say(t("serve.done", { n: hits.length, from: clock(result.start), to: clock(result.end) }));
  } catch (error) {
    say(t("again.failed", { why: error.message }), true);
  }
  bar.hidden = true;
  $("#go").disabled = false;
  return undefined;
});

function show() {
  const several = facts.corpora.length > 1;
  $("#hits").replaceChildren(...hits.map((hit, k) => {
    const where = `${several ? `${hit.corpus} · ` : ""}${hit.video}`;
    const middle = ((hit.start + hit.end) / 2).toFixed(2);
    const picture = hit.media
      ? make("img", { src: `/picture/${hit.media}?at=${middle}&height=160`, alt: "", loading: "lazy" })
      : make("span", { className: "blank" }, t("serve.unseen"));
    const words = [make("span", { className: "name" }, where), make("span", { className: "soft" }, `${clock(hit.start)} · ${t("serve.similarity", { s: score(hit.score) })}`)];
    const button = make("button", { type: "button" }, picture, ...words);
    button.addEventListener("click", () => choose(k));
    return make("li", {}, button);
  }));
  if (hits.length) choose(0, false); else { $("#hit").hidden = true; $("#hit-none").hidden = false; $("#hit-facts").textContent = ""; }
}

async function choose(k, focus = true) {
  current = k;
  const hit = hits[k];
  [...$("#hits").children].forEach((item, n) => item.setAttribute("aria-current", String(n === k)));
  if (focus) $("#hits").children[k].querySelector("button").focus();
  $("#hit-facts").textContent = t("serve.hit", { n: k + 1, all: hits.length, video: hit.video, from: clock(hit.start), to: clock(hit.end), s: score(hit.score) });
  const video = $("#hit");
  const nothing = (text) => { video.hidden = true; video.removeAttribute("src"); $("#hit-none").hidden = false; $("#hit-none").textContent = text; };
  if (!hit.media) return nothing(t("serve.unseen"));
  try {
    let known = await ask(`/api/videos/${hit.media}`);
    while (!known.ready && !known.error && current === k) {
      nothing(t("video.making", { p: Math.round(100 * known.made) }));
      await new Promise((go) => setTimeout(go, 600));
      known = await ask(`/api/videos/${hit.media}`);
    }
    if (current !== k) return undefined;
    if (known.error) return nothing(t("video.failed", { why: known.error }));
  } catch (error) {
    return nothing(t("video.failed", { why: error.message }));
  }
  const source = `/media/${hit.media}`;
  if (!video.src.endsWith(source)) video.src = source;
  video.hidden = false;
  $("#hit-none").hidden = true;
  video.currentTime = hit.start;
  video.play().catch(() => {});
  return undefined;
}

// the hit is locked in a loop; frames are looked at oftener than `timeupdate` comes
setInterval(() => {
  const hit = hits[current];
  const video = $("#hit");
  if (!hit || video.hidden || video.seeking) return;
  if (video.currentTime >= hit.end || video.currentTime < hit.start - 0.2) video.currentTime = hit.start;
}, 30);

addEventListener("keydown", (event) => {
  if (event.target.closest("input:not([type=checkbox])") || event.ctrlKey || event.altKey || event.metaKey || !hits.length) return;
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const speed = { 1: 1, 2: 0.5, 4: 0.25 }[event.key];
  if (speed) { $("#hit").playbackRate = $("#example").playbackRate = speed; return; }
  if (!step || !event.target.closest("#hits, body")) return;
  event.preventDefault();
  choose(Math.min(hits.length - 1, Math.max(0, current + step)));
});

document.documentElement.dataset.ready = "yes";
