// The queue as a strip of pictures; only the tiles in sight exist, so ten thousand hits are no heavier than ten.

import { $, clock, make, score, t } from "./text.js";

const WIDE = 110;
const MARK = { accepted: "✓", rejected: "✗", unsure: "?", new: "" };
const AROUND = 6;

export class Strip {
  constructor(store) {
    this.store = store;
    this.box = $("#strip");
    this.inner = $(".strip-inner", this.box);
    this.tiles = new Map();
    this.box.addEventListener("scroll", () => this.plan(), { passive: true });
    new ResizeObserver(() => this.plan()).observe(this.box);
    this.inner.addEventListener("click", (event) => {
      const tile = event.target.closest(".tile");
      if (tile) store.go(Number(tile.dataset.at));
    });
    store.addEventListener("queue", () => this.renew());
    store.addEventListener("hit", () => this.follow());
    store.addEventListener("changed", (event) => event.detail.ids.forEach((id) => this.update(id)));
  }

  renew() {
    this.tiles.forEach((tile) => tile.remove());
    this.tiles.clear();
    this.inner.style.width = `${this.store.queue.length * WIDE + 12}px`;
    $(".empty", this.box)?.remove();
    if (!this.store.queue.length) this.box.append(make("p", { className: "empty", textContent: t("queue.empty") }));
    this.follow();
  }

  /** Keeps the current hit in sight. */
  follow() {
    const { at } = this.store;
    const left = at * WIDE;
    const { scrollLeft, clientWidth } = this.box;
    if (left < scrollLeft + WIDE || left > scrollLeft + clientWidth - 2 * WIDE) this.box.scrollLeft = left - clientWidth / 3;
    this.draw();
    this.mark();
  }

  plan() {
    if (this.planned) return;
    this.planned = requestAnimationFrame(() => {
      this.planned = 0;
      this.draw();
    });
  }

  draw() {
    const { queue } = this.store;
    const first = Math.max(0, Math.floor(this.box.scrollLeft / WIDE) - AROUND);
    const last = Math.min(queue.length - 1, Math.ceil((this.box.scrollLeft + this.box.clientWidth) / WIDE) + AROUND);
    for (const [at, tile] of this.tiles) {
      if (at < first || at > last) {
        tile.remove();
        this.tiles.delete(at);
      }
    }
    for (let at = first; at <= last; at++) {
      if (!this.tiles.has(at)) {
        const tile = this.tile(at);
        this.tiles.set(at, tile);
        this.inner.append(tile);
      }
    }
  }

  tile(at) {
    const hit = this.store.hits.get(this.store.queue[at]);
    const tile = make("div", { id: `tile-${at}`, role: "option", className: "tile", "data-at": at, "data-hit": hit.id });
    tile.style.left = `${6 + at * WIDE}px`;
    const pictures = this.store.videoById.get(hit.video)?.pictures;
    const picture = pictures
      ? make("img", { alt: "", loading: "lazy", decoding: "async", draggable: false, src: `/picture/${hit.video}?at=${((hit.start + hit.end) / 2).toFixed(2)}&height=120` })
      : make("div", { className: "nopicture", textContent: hit.name });
    picture.addEventListener("error", () => picture.replaceWith(make("div", { className: "nopicture", textContent: hit.name })));
    tile.append(picture, make("span", { className: "mark" }), make("div", { className: "line" }, make("span", { textContent: clock(hit.start, 1) }), make("span", { className: "score" })));
    this.dress(tile, hit, at);
    return tile;
  }

  dress(tile, hit, at) {
    tile.className = `tile ${hit.status}${hit.conflict.length ? " conflict" : ""}`;
    tile.setAttribute("aria-selected", String(at === this.store.at));
    tile.setAttribute("aria-label", t("hit.label", { sign: hit.sign, video: hit.name, time: clock(hit.start), score: score(hit.score), status: t(`status.${hit.status}`) }));
    $(".mark", tile).textContent = hit.conflict.length ? "!" : MARK[hit.status] ?? "–";
    // a sample is judged without being told what the machine thinks
    $(".score", tile).textContent = this.store.order === "sample" ? "" : score(hit.score);
  }

  update(id) {
    for (const [at, tile] of this.tiles) {
      if (tile.dataset.hit === id) this.dress(tile, this.store.hits.get(id), at);
    }
    this.position();
  }

  mark() {
    const { at } = this.store;
    for (const [k, tile] of this.tiles) tile.setAttribute("aria-selected", String(k === at));
    if (this.tiles.has(at)) this.box.setAttribute("aria-activedescendant", `tile-${at}`);
    else this.box.removeAttribute("aria-activedescendant");
    this.position();
  }

  position() {
    const { at, queue, left } = this.store;
    $("#position").textContent = queue.length ? `${t("queue.position", { n: at + 1, all: queue.length })} · ${t("queue.left", { n: left })}` : "";
  }
}
