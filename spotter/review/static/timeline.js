// A video's timeline on a canvas: overview, similarity, hits, other signs, the user's own ELAN tiers.

import { ask } from "./api.js";
import { $, clock, t } from "./text.js";

const GUTTER = 118;
const RULER = 20;
const OVERVIEW = 14;
const TRACK = 46;
const ROW = 20;
const SHORTEST = 1.5; // seconds that fill the width at the closest
const MARK = { accepted: "✓", rejected: "✗", unsure: "?", new: "" };

export class Timeline extends EventTarget {
  constructor(store) {
    super();
    this.store = store;
    this.canvas = $("#timeline");
    this.scroll = $(".timeline-scroll");
    this.video = null;
    this.from = 0;
    this.to = 60;
    this.head = 0;
    this.selection = null;
    this.rows = [];
    this.hits = [];
    this.tiers = [];
    this.track = null;
    this.listen();
    new ResizeObserver(() => this.plan()).observe(this.canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.plan());
  }

  get length() { return this.video?.seconds || 60; }
  get width() { return this.canvas.clientWidth; }
  x(seconds) { return GUTTER + ((seconds - this.from) / (this.to - this.from)) * (this.width - GUTTER); }
  seconds(x) { return this.from + ((x - GUTTER) / (this.width - GUTTER)) * (this.to - this.from); }

  /** Shows a video; `around` is a span that is to be seen. */
  async open(video, around = null) {
    if (this.video?.id !== video.id) {
      this.video = video;
      this.selection = null;
      this.hits = [];
      this.tiers = [];
      this.track = null;
      this.whole();
      const said = await ask(`/api/videos/${video.id}/tiers`).catch(() => ({ tiers: [] }));
      if (this.video.id !== video.id) return;
      this.tiers = said.tiers;
      this.tell("selected");
    }
    if (around) this.near(around);
    await this.refresh();
  }

  /** Reads the video's hits of all signs anew. */
  async refresh() {
    const { video } = this;
    if (!video) return;
    const said = await ask("/api/hits", { video: video.id }).catch(() => null);
    if (!said || this.video !== video) return;
    this.hits = said.hits;
    this.layOut();
    this.retrack();
  }

  /** Takes over what changed without asking. */
  patch(ids) {
    for (const id of ids) {
      const hit = this.store.hits.get(id);
      if (!hit || hit.video !== this.video?.id) continue;
      const at = this.hits.findIndex((h) => h.id === id);
      if (!hit.current) this.hits.splice(at, at >= 0 ? 1 : 0);
      else if (at >= 0) this.hits[at] = hit;
      else this.hits.push(hit);
    }
    this.layOut();
    this.plan();
  }

  layOut() {
    const { sign } = this.store;
    const own = this.hits.filter((h) => h.sign === sign);
    const others = this.hits.filter((h) => h.sign !== sign && h.status === "accepted");
    this.rows = [{ name: sign ?? "", kind: "own", items: own }];
    if (others.length) this.rows.push({ name: t("timeline.others"), kind: "others", items: others });
    for (const tier of this.tiers) {
      this.rows.push({ name: tier.tier, kind: "tier", items: tier.rows.map(([start, end, value]) => ({ start, end, sign: value })) });
    }
    const height = RULER + OVERVIEW + TRACK + ROW * this.rows.length + 4;
    this.canvas.style.height = `${height}px`;
    this.canvas.setAttribute("aria-label", t("timeline.label", { video: this.video?.name ?? "", hits: own.length, sign: sign ?? "" }));
    this.plan();
  }

  /** Asks for the similarity of what is in sight, when that has come to rest. */
  retrack() {
    clearTimeout(this.tracking);
    this.tracking = setTimeout(async () => {
      const { video, from, to } = this;
      const { sign } = this.store;
      if (!video || !sign || !this.store.searchable) return;
      const bins = Math.max(50, Math.round(this.width - GUTTER));
      const said = await ask(`/api/videos/${video.id}/track`, { sign, from: from.toFixed(3), to: to.toFixed(3), bins }).catch(() => null);
      if (said && this.video === video && this.store.sign === sign) {
        this.track = { ...said, sign };
        this.plan();
      }
    }, 140);
  }

  setHead(seconds) {
    if (Math.abs(seconds - this.head) < 1e-4) return;
    this.head = seconds;
    const span = this.to - this.from;
    if (this.follows && (seconds < this.from || seconds > this.to - 0.04 * span)) this.view(seconds - 0.2 * span, seconds + 0.8 * span);
    this.plan();
  }

  view(from, to) {
    const span = Math.min(this.length, Math.max(SHORTEST, to - from));
    this.from = Math.max(0, Math.min(this.length - span, from));
    this.to = this.from + span;
    this.retrack();
    this.plan();
  }

  whole() { this.view(0, this.length); }

  near({ start, end }) {
    const wide = Math.min(this.length, Math.max(10, 9 * (end - start)));
    const middle = (start + end) / 2;
    // a view that shows the place well enough stays: nothing jumps that need not
    const room = 0.06 * (this.to - this.from);
    if (this.to - this.from < 4 * wide && start > this.from + room && end < this.to - room) return;
    this.view(middle - wide / 2, middle + wide / 2);
  }

  zoom(factor, at = (this.from + this.to) / 2) {
    const span = (this.to - this.from) * factor;
    const share = (at - this.from) / (this.to - this.from);
    this.view(at - share * span, at + (1 - share) * span);
  }

  select(from, to) {
    this.selection = from === null ? null : { start: Math.max(0, Math.min(from, to)), end: Math.min(this.length, Math.max(from, to)) };
    if (this.selection && this.selection.end - this.selection.start < 0.02) this.selection = null;
    this.tell("selected");
    this.plan();
  }

  tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      if (event.ctrlKey) return; // the browser's own zoom
      event.preventDefault();
      const { left } = canvas.getBoundingClientRect();
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      const amount = (event.deltaMode ? 30 : 1) * (sideways && !event.deltaX ? event.deltaY : sideways ? event.deltaX : event.deltaY);
      if (sideways) this.view(this.from + (amount / 900) * (this.to - this.from), this.to + (amount / 900) * (this.to - this.from));
      else this.zoom(Math.exp(Math.max(-1, Math.min(1, amount / 400))), this.seconds(Math.max(GUTTER, event.clientX - left)));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("dblclick", (event) => {
      const item = this.under(event)?.item;
      if (item) this.select(item.start, item.end);
    });
    canvas.addEventListener("pointermove", (event) => {
      const item = this.under(event)?.item;
      canvas.title = item ? `${item.sign} ${clock(item.start)}–${clock(item.end)}` : "";
    });
  }

  place(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  under(event) {
    const [x, y] = this.place(event);
    const row = this.rows[Math.floor((y - RULER - OVERVIEW - TRACK) / ROW)];
    if (!row || x < GUTTER) return null;
    const seconds = this.seconds(x);
    const reach = ((this.to - this.from) / (this.width - GUTTER)) * 3;
    const items = row.items.filter((i) => i.start - reach <= seconds && seconds < i.end + reach);
    return { row, item: items.sort((a, b) => a.end - a.start - (b.end - b.start))[0] ?? null };
  }

  press(event) {
    if (event.button !== 0) return;
    const [x, y] = this.place(event);
    if (x < GUTTER) return;
    const overview = y >= RULER && y < RULER + OVERVIEW;
    const begun = this.seconds(x);
    const span = this.to - this.from;
    let moved = false;
    const jump = (px) => {
      const middle = ((px - GUTTER) / (this.width - GUTTER)) * this.length;
      this.view(middle - span / 2, middle + span / 2);
    };
    if (overview) jump(x);
    const move = (next) => {
      const [nx] = this.place(next);
      if (Math.abs(nx - x) > 4) moved = true;
      if (overview) jump(nx);
      else if (moved && y < RULER) this.view(this.from - ((nx - (move.last ?? x)) / (this.width - GUTTER)) * span, this.to - ((nx - (move.last ?? x)) / (this.width - GUTTER)) * span);
      else if (moved) this.select(begun, this.seconds(Math.max(GUTTER, nx)));
      move.last = nx;
    };
    const done = (last) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", done);
      removeEventListener("pointercancel", done);
      if (moved || overview || last.type === "pointercancel") return;
      const found = this.under(last);
      if (found?.item && found.row.kind !== "tier") this.tell("hit", found.item);
      else this.tell("go", begun);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", done);
    addEventListener("pointercancel", done);
  }

  plan() {
    if (this.planned) return;
    this.planned = requestAnimationFrame(() => {
      this.planned = 0;
      this.draw();
    });
  }

  draw() {
    const { canvas, width } = this;
    const height = canvas.clientHeight;
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(document.documentElement);
    this.color = (name) => style.getPropertyValue(`--${name}`).trim();
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    if (!this.video) return;
    context.save();
    context.beginPath();
    context.rect(GUTTER, 0, width - GUTTER, height);
    context.clip();
    this.drawRuler(context, height);
    this.drawTrack(context);
    this.rows.forEach((row, k) => this.drawRow(context, row, RULER + OVERVIEW + TRACK + k * ROW));
    this.drawSelection(context, height);
    const x = this.x(this.head);
    context.fillStyle = this.color("focus");
    context.fillRect(x - 1, 0, 2, height);
    this.drawOverview(context);
    context.restore();
    this.drawNames(context, height);
  }

  drawRuler(context, height) {
    const step = [0.04, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800].find((s) => (s / (this.to - this.from)) * (this.width - GUTTER) > 72) ?? 3600;
    context.fillStyle = this.color("soft");
    context.strokeStyle = this.color("line");
    context.lineWidth = 1;
    for (let s = Math.ceil(this.from / step) * step; s <= this.to; s += step) {
      const x = Math.round(this.x(s)) + 0.5;
      context.beginPath();
      context.moveTo(x, 14);
      context.lineTo(x, height);
      context.stroke();
      context.fillText(clock(s, step < 1 ? 2 : 0), x + 4, 10);
    }
  }

  drawOverview(context) {
    const scale = (this.width - GUTTER) / this.length;
    context.fillStyle = this.color("chip");
    context.fillRect(GUTTER, RULER, this.width - GUTTER, OVERVIEW - 2);
    for (const hit of this.rows[0]?.items ?? []) {
      context.fillStyle = this.color({ accepted: "yes", rejected: "no", unsure: "maybe" }[hit.status] ?? "new");
      context.fillRect(GUTTER + hit.start * scale, RULER + 3, Math.max(1.5, (hit.end - hit.start) * scale), OVERVIEW - 8);
    }
    context.strokeStyle = this.color("ink");
    context.lineWidth = 1.5;
    context.strokeRect(GUTTER + this.from * scale + 0.75, RULER + 0.75, Math.max(3, (this.to - this.from) * scale - 1.5), OVERVIEW - 3.5);
  }

  drawTrack(context) {
    const { track } = this;
    const base = RULER + OVERVIEW + TRACK - 3;
    context.strokeStyle = this.color("line");
    context.beginPath();
    context.moveTo(GUTTER, base + 1.5);
    context.lineTo(this.width, base + 1.5);
    context.stroke();
    if (!track || track.sign !== this.store.sign || !track.values.length) return;
    const tall = TRACK - 9;
    const step = (track.to - track.from) / track.values.length;
    const path = new Path2D();
    let first = null;
    let last = null;
    track.values.forEach((value, k) => {
      if (value === null) return;
      const x = this.x(track.from + (k + 0.5) * step);
      const y = base - tall * Math.max(0, Math.min(1, (value - track.low) / (track.high - track.low)));
      if (first === null) path.moveTo((first = x), y);
      else path.lineTo(x, y);
      last = x;
    });
    if (first === null) return;
    const area = new Path2D(path);
    area.lineTo(last, base);
    area.lineTo(first, base);
    context.fillStyle = this.color("area");
    context.fill(area);
    context.strokeStyle = this.color("curve");
    context.lineWidth = 1.3;
    context.stroke(path);
  }

  drawRow(context, row, y) {
    context.strokeStyle = this.color("line");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(GUTTER, y + ROW - 0.5);
    context.lineTo(this.width, y + ROW - 0.5);
    context.stroke();
    for (const item of row.items) {
      if (item.end < this.from || item.start > this.to) continue;
      const x = this.x(item.start);
      const wide = Math.max(2.5, this.x(item.end) - x);
      if (row.kind === "tier" || row.kind === "others") {
        context.fillStyle = this.color("chip");
        context.fillRect(x, y + 3, wide, ROW - 6);
        context.strokeStyle = this.color("soft");
        context.strokeRect(x + 0.5, y + 3.5, Math.max(1, wide - 1), ROW - 7);
        this.write(context, item.sign, x + 4, y + ROW / 2, wide - 6, "ink");
      } else this.drawHit(context, item, x, y, wide);
    }
  }

  drawHit(context, hit, x, y, wide) {
    const name = { accepted: "yes", rejected: "no", unsure: "maybe" }[hit.status] ?? "new";
    const current = hit.id === this.store.hit?.id;
    context.fillStyle = context.strokeStyle = this.color(name);
    // status by form as well as by colour: filled, crossed, hatched, open
    if (hit.status === "accepted") context.fillRect(x, y + 3, wide, ROW - 6);
    else {
      context.lineWidth = 1.6;
      context.strokeRect(x + 0.8, y + 3.8, Math.max(1, wide - 1.6), ROW - 7.6);
      if (hit.status === "rejected") {
        context.beginPath();
        context.moveTo(x, y + ROW - 4);
        context.lineTo(x + wide, y + 4);
        context.stroke();
      } else if (hit.status === "unsure") {
        context.globalAlpha = 0.35;
        context.fillRect(x, y + 3, wide, ROW - 6);
        context.globalAlpha = 1;
      }
    }
    if (current) {
      context.strokeStyle = this.color("focus");
      context.lineWidth = 2;
      context.strokeRect(x - 2, y + 1, wide + 4, ROW - 2);
    }
    if (MARK[hit.status] && wide > 16) this.write(context, MARK[hit.status], x + 4, y + ROW / 2, wide, hit.status === "accepted" ? "yes-ink" : name);
  }

  write(context, text, x, y, room, color) {
    if (room < 10) return;
    context.save();
    context.beginPath();
    context.rect(x - 2, y - ROW / 2, room, ROW);
    context.clip();
    context.fillStyle = this.color(color);
    context.fillText(text, x > GUTTER ? x : Math.min(Math.max(x, x < 20 ? x : GUTTER + 3), x + Math.max(0, room - 20)), y + 0.5);
    context.restore();
  }

  drawSelection(context, height) {
    if (!this.selection) return;
    const x = this.x(this.selection.start);
    const wide = Math.max(2, this.x(this.selection.end) - x);
    context.fillStyle = this.color("select-soft");
    context.fillRect(x, RULER + OVERVIEW, wide, height);
    context.strokeStyle = this.color("select");
    context.lineWidth = 2;
    context.strokeRect(x, RULER + OVERVIEW + 1, wide, height - RULER - OVERVIEW - 2);
  }

  drawNames(context, height) {
    context.fillStyle = this.color("card");
    context.fillRect(0, 0, GUTTER, height);
    context.strokeStyle = this.color("line");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(GUTTER - 0.5, 0);
    context.lineTo(GUTTER - 0.5, height);
    context.stroke();
    this.write(context, t("timeline.similarity"), 8, RULER + OVERVIEW + TRACK / 2, GUTTER - 12, "soft");
    this.rows.forEach((row, k) => {
      const text = row.kind === "own" ? t("timeline.hits") : row.name;
      this.name(context, text, 8, RULER + OVERVIEW + TRACK + k * ROW + ROW / 2, row.kind === "own" ? "ink" : "soft");
    });
  }

  name(context, text, x, y, color) {
    let shown = text;
    while (shown.length > 3 && context.measureText(shown).width > GUTTER - 16) shown = `${shown.slice(0, -2)}…`.replace("……", "…");
    context.fillStyle = this.color(color);
    context.fillText(shown, x, y + 0.5);
  }
}
