// What can be watched: a video, or poses without pictures. Both have the same face, in seconds.

import { ask } from "./api.js";

const facts = new Map();

/** Facts of a video (size, frame rate, seconds, whether it can be played), asked for once it is ready. */
export async function factsOf(id, anew = false) {
  if (!facts.has(id) || anew) facts.set(id, ask(`/api/videos/${id}`).catch((error) => {
    facts.delete(id);
    throw error;
  }));
  const found = await facts.get(id);
  if (found.pictures && !found.ready) facts.delete(id);
  return found;
}

/** Times of frames around a span, from the file itself; pieces are kept. */
export class Frames {
  constructor(id, fps) {
    this.id = id;
    this.fps = fps;
    this.times = [];
    this.from = 0;
    this.to = 0;
  }

  async around(start, end) {
    const from = Math.max(0, start - 2);
    const to = end + 2;
    if (from >= this.from && to <= this.to) return;
    const said = await ask(`/api/videos/${this.id}/frames`, { from: from.toFixed(3), to: to.toFixed(3) });
    if (said.times.length) Object.assign(this, { times: said.times, from, to });
  }

  /** Number (in `times`) of the frame on screen at a time; −1 where nothing is known. */
  at(seconds) {
    const times = this.times;
    if (!times.length || seconds < times[0] - 1e-4 || seconds > times[times.length - 1] + 2 / this.fps) return -1;
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= seconds + 1e-4) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Start of the frame that is so many frames from the one at a time. */
  shifted(seconds, by) {
    const k = this.at(seconds);
    if (k < 0 || k + by < 0 || k + by >= this.times.length) return Math.max(0, (Math.round(seconds * this.fps) + by) / this.fps);
    return this.times[k + by];
  }

  /** A moment well inside the frame at a time: players round. */
  inside(seconds) {
    const k = this.at(seconds);
    if (k < 0) return seconds + 0.5 / this.fps;
    const next = this.times[k + 1] ?? this.times[k] + 1 / this.fps;
    return (this.times[k] + next) / 2;
  }
}

/** A video element. */
export class VideoSource {
  constructor(element) {
    this.element = element;
    this.id = null;
    this.shown = () => {};
    this.watch();
  }

  watch() {
    const video = this.element;
    if (video.requestVideoFrameCallback) {
      const tick = (_, frame) => {
        this.media = frame.mediaTime;
        this.shown(frame.mediaTime);
        video.requestVideoFrameCallback(tick);
      };
      video.requestVideoFrameCallback(tick);
    } else {
      const tick = () => {
        if (video.currentTime !== this.media) this.shown((this.media = video.currentTime));
        requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    }
  }

  load(id) {
    if (this.id === id) return;
    this.id = id;
    this.media = undefined;
    if (id) this.element.src = `/media/${id}`;
    else {
      this.element.removeAttribute("src");
      this.element.load();
    }
  }

  get time() { return this.element.seeking || this.media === undefined ? this.element.currentTime : this.media; }
  get clock() { return this.element.currentTime; }
  set clock(seconds) { this.element.currentTime = seconds; }
  get paused() { return this.element.paused; }
  set rate(rate) { this.element.playbackRate = Math.max(0.0625, Math.min(16, rate)); }
  play() { this.element.play().catch(() => {}); }
  pause() { this.element.pause(); }
}

/** Poses alone: a clock of its own, one tick a picture of the screen. */
export class PoseSource {
  constructor() {
    this.id = null;
    this.shown = () => {};
    this.at = 0;
    this.speed = 1;
    this.paused = true;
  }

  load(id) { this.id = id; }
  get time() { return this.at; }
  get clock() { return this.at; }
  set clock(seconds) {
    this.at = Math.max(0, seconds);
    requestAnimationFrame(() => this.shown(this.at));
  }
  set rate(rate) { this.speed = rate; }
  play() {
    if (!this.paused) return;
    this.paused = false;
    let before = performance.now();
    const tick = (now) => {
      if (this.paused) return;
      this.at += ((now - before) / 1000) * this.speed;
      before = now;
      this.shown(this.at);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }
  pause() { this.paused = true; }
}

/** Joints of a video around a time, fetched in pieces. */
export class Joints {
  constructor(id) {
    this.id = id;
    this.piece = null;
    this.asking = false;
    this.none = false;
  }

  async around(start, end) {
    if (this.none || this.asking || (this.piece && start >= this.piece.from && end <= this.piece.to)) return;
    this.asking = true;
    try {
      const from = Math.max(0, start - 3);
      const response = await fetch(`/api/videos/${this.id}/skeleton?${new URLSearchParams({ from: from.toFixed(3), to: (Math.min(end, start + 40) + 10).toFixed(3) })}`);
      if (response.status !== 200) {
        this.none = response.status === 204;
        return;
      }
      const data = await response.arrayBuffer();
      const length = new DataView(data).getUint32(0, true);
      const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
      const values = new Uint16Array(data, 4 + length);
      const frames = values.length / (2 * head.joints);
      this.piece = { ...head, values, frames, from, to: (head.first + frames) / head.fps };
    } finally {
      this.asking = false;
    }
  }

  /** Places (x, y as shares of the picture, NaN where missing) at a time, or null. */
  at(seconds) {
    const piece = this.piece;
    if (!piece) return null;
    const row = Math.floor(seconds * piece.fps + 1e-3) - piece.first;
    if (row < 0 || row >= piece.frames) return null;
    const places = new Float32Array(2 * piece.joints);
    const first = row * 2 * piece.joints;
    for (let k = 0; k < places.length; k++) {
      const value = piece.values[first + k];
      places[k] = value === 65535 ? NaN : (value / 65534) * 2 - 0.5;
    }
    return places;
  }

  get aspect() { return this.piece?.aspect ?? 1; }
}
