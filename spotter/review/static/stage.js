// The two screens: the hit, locked to its span in a loop, and its example in step with it.

import { ask } from "./api.js";
import { $, clock, score, t } from "./text.js";
import { View } from "./view.js";

const REST = 260; // milliseconds between two rounds: the eye sees where the sign begins again
const BEFORE = 0.35; // share of the hit's length that the scrub bar shows on either side

export class Stage extends EventTarget {
  constructor(store) {
    super();
    this.store = store;
    this.hitView = new View($("#view-hit"), store.bones);
    this.exampleView = new View($("#view-example"), store.bones);
    this.hitView.shown = (time) => this.tick(time);
    this.speed = 1;
    this.locked = true;
    this.playing = true;
    this.hit = null;
    this.example = null;
    this.exampleAt = new Map();
    this.path = null;
  }

  get time() { return this.hitView.source.time; }
  get media() { return this.hitView.id; }

  /** Shows a hit and plays it. */
  async show(hit) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    clearTimeout(this.resting);
    this.hit = hit;
    this.locked = true;
    this.caption();
    if (!hit) {
      this.hitView.show(null);
      return this.showExample();
    }
    this.showExample();
    if (!(await this.hitView.show(hit.video)) || turn !== this.turn) return;
    this.hitView.frames.around(hit.start, hit.end).catch(() => {});
    this.restart();
    this.dispatchEvent(new Event("media"));
  }

  /** Names a hit whose pictures come in a moment. */
  hold(hit) {
    this.turn = (this.turn ?? 0) + 1;
    clearTimeout(this.resting);
    this.resting = null;
    this.hit = hit;
    this.locked = true;
    this.hitView.source.pause();
    this.exampleView.source.pause();
    this.caption();
  }

  /** Opens a video to look around in it, unlocked. */
  async browse(video, seconds) {
    this.turn = (this.turn ?? 0) + 1;
    this.unlock();
    if (!(await this.hitView.show(video))) return;
    this.seek(seconds);
    this.dispatchEvent(new Event("media"));
  }

  examples() {
    return (this.hit && this.store.exemplars[this.hit.sign]) || (this.store.sign && this.store.exemplars[this.store.sign]) || [];
  }

  nextExample() {
    const all = this.examples();
    if (all.length < 2) return;
    const sign = this.hit?.sign ?? this.store.sign;
    this.exampleAt.set(sign, ((this.exampleAt.get(sign) ?? 0) + 1) % all.length);
    this.showExample();
  }

  async showExample() {
    const all = this.examples();
    const sign = this.hit?.sign ?? this.store.sign;
    const example = all[Math.min(this.exampleAt.get(sign) ?? 0, all.length - 1)] ?? null;
    const turn = (this.exampleTurn = (this.exampleTurn ?? 0) + 1);
    this.example = example;
    this.path = null;
    this.captionExample(all);
    const shown = await this.exampleView.show(example?.media || null);
    if (turn !== this.exampleTurn) return;
    if (!example?.media) this.exampleView.say(t("exemplar.none"));
    if (!shown) return;
    this.exampleView.source.rate = this.speed;
    this.exampleView.source.clock = this.exampleView.frames.inside(example.start);
    if (this.hit && this.store.searchable) {
      const { video, start, end } = this.hit;
      ask("/api/alignment", { exemplar: example.id, video, from: start, to: end })
        .then((said) => turn === this.exampleTurn && (this.path = said.path))
        .catch(() => {}); // without a path the example runs evenly
    }
    this.follow(true);
  }

  /** Second of the example that belongs to a second of the hit, and how fast it runs there. */
  counterpart(seconds) {
    const { start, end } = this.hit;
    const path = this.path ?? [[start, this.example.start], [end, this.example.end]];
    let k = 1;
    while (k < path.length - 1 && path[k][0] <= seconds) k++;
    const [[x0, y0], [x1, y1]] = [path[k - 1], path[k]];
    const share = x1 > x0 ? Math.max(0, Math.min(1, (seconds - x0) / (x1 - x0))) : 1;
    // the slope over a stretch, not over one frame: a path goes in steps
    const near = [Math.max(0, k - 4), Math.min(path.length - 1, k + 3)];
    const wide = path[near[1]][0] - path[near[0]][0];
    const slope = wide > 1e-6 ? (path[near[1]][1] - path[near[0]][1]) / wide : 1;
    return [y0 + share * (y1 - y0), slope];
  }

  /** Brings the example to where the hit is. */
  follow(exact = false, at = this.time) {
    if (!this.hit || !this.example?.media || !this.exampleView.facts) return;
    const source = this.exampleView.source;
    const [wanted, slope] = this.counterpart(at);
    if (!this.running || !this.locked) {
      source.pause();
      if (exact && this.locked) source.clock = this.exampleView.frames.inside(wanted);
      return;
    }
    const late = wanted - source.clock;
    if (exact || Math.abs(late) > 0.25) source.clock = Math.max(0, wanted);
    source.rate = this.speed * Math.max(0.15, slope) * (1 + Math.max(-0.5, Math.min(0.5, 3 * late)));
    if (source.paused) source.play();
  }

  get running() { return this.playing && !this.resting && !this.hitView.source.paused; }

  restart() {
    clearTimeout(this.resting);
    this.resting = null;
    if (!this.hit) return;
    this.seek(this.hit.start);
    if (this.playing) this.hitView.source.play();
    this.exact = true;
  }

  tick(time) {
    const hit = this.hit;
    const step = 1 / (this.hitView.frames?.fps || 25);
    if (hit && this.locked) {
      if (this.playing && !this.resting && time >= hit.end - 1.02 * step) {
        if (time >= hit.end - 0.02 * step) this.seek(Math.max(hit.start, hit.end - step));
        this.hitView.source.pause();
        this.exampleView.source.pause();
        this.resting = setTimeout(() => this.restart(), REST / Math.max(this.speed, 0.5));
      } else if (this.playing && time < hit.start - 1.5 * step && !this.hitView.video.element.seeking) {
        this.seek(hit.start);
      }
      this.follow(this.exact);
      this.exact = false;
    }
    this.scrub(time);
    this.dispatchEvent(new CustomEvent("time", { detail: time }));
  }

  scrub(time) {
    const bar = $("#scrub");
    const hit = this.hit;
    bar.hidden = !hit;
    if (!hit) return;
    const length = hit.end - hit.start;
    const from = hit.start - BEFORE * length;
    const wide = length * (1 + 2 * BEFORE);
    const share = (x) => `${Math.max(0, Math.min(100, (100 * (x - from)) / wide))}%`;
    Object.assign($(".span", bar).style, { left: share(hit.start), right: `calc(100% - ${share(hit.end)})` });
    $(".head", bar).style.left = share(time);
    const number = this.hitView.frames?.at(time) ?? -1;
    $("#view-hit .now").textContent = number >= 0 ? `${clock(time)} · ${t("hit.frame", { n: Math.round(this.hitView.frames.times[number] * this.hitView.frames.fps) })}` : clock(time);
  }

  seek(seconds) {
    const source = this.hitView.source;
    source.clock = this.hitView.frames ? this.hitView.frames.inside(Math.max(0, seconds)) : seconds;
  }

  /** Goes to a moment of the video in the right screen; leaves the loop when that lies outside the hit. */
  goTo(seconds) {
    if (!this.hit || this.hit.video !== this.media || seconds < this.hit.start || seconds >= this.hit.end) this.unlock();
    this.halt();
    this.seek(seconds);
    this.follow(true, this.hitView.frames?.shifted(seconds, 0) ?? seconds);
  }

  toggle() {
    if (this.playing && !(this.hitView.source.paused && !this.resting)) this.halt();
    else {
      this.playing = true;
      this.hitView.source.rate = this.speed;
      if (this.locked && this.hit && (this.time >= this.hit.end - 0.05 || this.time < this.hit.start)) this.restart();
      else this.hitView.source.play();
      this.exact = true;
    }
    this.dispatchEvent(new Event("state"));
  }

  halt() {
    this.playing = false;
    clearTimeout(this.resting);
    this.resting = null;
    this.hitView.source.pause();
    this.exampleView.source.pause();
    this.dispatchEvent(new Event("state"));
  }

  async step(by) {
    this.halt();
    const view = this.hitView;
    if (!view.frames) return;
    await view.frames.around(Math.max(0, this.time - 1), this.time + 1).catch(() => {});
    const target = view.frames.shifted(this.time, by);
    if (this.hit && (target < this.hit.start - 1 || target > this.hit.end + 1)) this.unlock();
    this.seek(target);
    this.follow(true, target);
  }

  setSpeed(speed) {
    this.speed = speed;
    this.hitView.source.rate = speed;
    this.exampleView.source.rate = speed;
    this.dispatchEvent(new Event("state"));
  }

  unlock() {
    if (!this.locked) return;
    this.locked = false;
    clearTimeout(this.resting);
    this.resting = null;
    this.exampleView.source.pause();
    this.dispatchEvent(new Event("state"));
  }

  lock() {
    this.locked = true;
    if (this.hit && this.hit.video !== this.media) this.show(this.hit);
    else this.restart();
    this.dispatchEvent(new Event("state"));
  }

  setSkeleton(on) {
    for (const view of [this.hitView, this.exampleView]) {
      view.skeleton = on;
      view.draw();
    }
  }

  flash(sign) {
    const flash = $("#view-hit .flash");
    flash.textContent = sign;
    flash.classList.remove("on");
    void flash.offsetWidth; // begins the animation anew
    flash.classList.add("on");
  }

  captionExample(all) {
    const figure = $("#view-example");
    const example = this.example;
    $(".gloss", figure).textContent = this.hit?.sign ?? this.store.sign ?? "";
    const at = all.indexOf(example) + 1;
    $(".facts", figure).textContent = example
      ? [t(`exemplar.${example.origin}`), all.length > 1 ? t("exemplar.which", { n: at, all: all.length }) : "", example.origin === "enrolled" ? "" : example.name].filter(Boolean).join(" · ")
      : "";
    $("#exemplar-next").hidden = all.length < 2;
  }

  caption() {
    const figure = $("#view-hit");
    const hit = this.hit;
    figure.className = `view candidate ${hit ? hit.status : ""}`;
    $(".gloss", figure).textContent = hit?.sign ?? "";
    const facts = $(".facts", figure);
    facts.replaceChildren();
    if (!hit) return this.hitView.say(t("queue.empty"));
    const status = document.createElement("span");
    status.className = `status ${hit.status}`;
    status.textContent = t(`status.${hit.status}`);
    if (hit.line) status.textContent = t("hit.by", { status: status.textContent, who: hit.who });
    const said = hit.score === null ? t("hit.drawn") : t("hit.score", { p: score(hit.score) });
    facts.append(`${hit.name} · ${clock(hit.start)}–${clock(hit.end)} · ${said} · `, status);
    if (hit.note) facts.append(` · „${hit.note}“`);
  }
}
