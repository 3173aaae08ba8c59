// One screen: a video or poses, with the skeleton over it.

import { Frames, Joints, PoseSource, VideoSource, factsOf } from "./sources.js";
import { $, t } from "./text.js";

const LINE = { body: 3, left: 2, right: 2 };

export class View {
  constructor(figure, bones) {
    this.figure = figure;
    this.screen = $(".screen", figure);
    this.canvas = $("canvas", figure);
    this.nothing = $(".nothing", figure);
    this.video = new VideoSource($("video", figure));
    this.poses = new PoseSource();
    this.source = this.video;
    this.bones = bones;
    this.skeleton = false;
    this.shown = () => {};
    this.id = null;
    for (const source of [this.video, this.poses]) source.shown = (time) => source === this.source && this.drawn(time);
    new ResizeObserver(() => this.draw()).observe(this.screen);
    this.video.element.addEventListener("loadedmetadata", () => this.draw());
    this.video.element.addEventListener("error", () => this.id && this.source === this.video && this.say(t("video.failed", { why: this.video.element.error?.message || "?" })));
  }

  say(text) {
    this.nothing.textContent = text;
    this.nothing.hidden = !text;
  }

  /** Shows a video by id; resolves when it can be played (copies may take a while). */
  async show(id) {
    if (this.id === id) return this.ready;
    this.id = id;
    this.source.pause();
    this.say("");
    this.joints = id ? new Joints(id) : null;
    this.frames = id ? new Frames(id, 25) : null;
    this.ready = this.prepare(id);
    return this.ready;
  }

  async prepare(id) {
    this.facts = null;
    if (!id) {
      this.video.load(null);
      this.source = this.video;
      this.draw();
      return false;
    }
    try {
      let facts = await factsOf(id);
      while (facts.pictures && !facts.ready) {
        if (this.id !== id) return false;
        if (facts.error) throw new Error(facts.error);
        this.video.load(null);
        this.say(t("video.making", { p: Math.round(100 * facts.made) }));
        await new Promise((done) => setTimeout(done, 700));
        facts = await factsOf(id, true);
      }
      if (this.id !== id) return false;
      this.say("");
      this.facts = facts;
      this.frames.fps = facts.fps ?? 25;
      this.video.element.hidden = !facts.pictures;
      this.source = facts.pictures ? this.video : this.poses;
      this.source.load(id);
      this.draw();
      return true;
    } catch (error) {
      if (this.id === id) this.say(t("video.failed", { why: error.message }));
      return false;
    }
  }

  drawn(time) {
    this.draw(time);
    this.shown(time);
  }

  get needsJoints() {
    return this.id && (this.skeleton || this.source === this.poses);
  }

  draw(time = this.source.time) {
    const context = this.canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.screen;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.needsJoints) return;
    const missing = !this.joints.piece || time < this.joints.piece.from || time > this.joints.piece.to;
    if (missing && !this.joints.none) this.joints.around(time, time + 5).then(() => this.joints?.piece && this.draw());
    const places = this.joints.at(time);
    if (places) this.paint(context, places, width, height);
  }

  paint(context, places, width, height) {
    const pictures = this.source === this.video;
    const aspect = pictures && this.video.element.videoWidth ? this.video.element.videoWidth / this.video.element.videoHeight : this.joints.aspect;
    const w = Math.min(width, height * aspect);
    const h = w / aspect;
    const x0 = (width - w) / 2;
    const y0 = (height - h) / 2;
    const style = getComputedStyle(document.documentElement);
    context.lineCap = "round";
    for (const [a, b, part] of this.bones.edges) {
      const [ax, ay, bx, by] = [places[2 * a], places[2 * a + 1], places[2 * b], places[2 * b + 1]];
      if (Number.isNaN(ax) || Number.isNaN(bx)) continue;
      context.lineWidth = LINE[part] * Math.max(0.7, Math.min(2, h / 340));
      context.strokeStyle = style.getPropertyValue(`--bone-${part}`);
      context.beginPath();
      context.moveTo(x0 + ax * w, y0 + ay * h);
      context.lineTo(x0 + bx * w, y0 + by * h);
      context.stroke();
    }
  }
}
