// What the page knows: signs, the hits of the chosen sign, the queue. Changes are told as events.

import { ask } from "./api.js";

const OPEN = new Set(["new", "unsure"]);
const STATUS = { accept: "accepted", reject: "rejected", unsure: "unsure", clear: "new" };

export class Store extends EventTarget {
  constructor() {
    super();
    this.signs = [];
    this.exemplars = {};
    this.videos = [];
    this.hits = new Map();
    this.queue = [];
    this.at = -1;
    this.sign = null;
    this.show = "open";
    this.order = "sure";
    this.sample = null;
    this.last = 0;
    this.searches = 0;
  }

  tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  async begin() {
    const said = await ask("/api/start");
    this.project = said.project;
    this.annotator = said.annotator;
    this.bones = said.bones;
    this.searchable = said.searchable;
    this.videos = said.videos;
    this.videoById = new Map(said.videos.map((v) => [v.id, v]));
    this.exemplars = said.exemplars;
    this.signs = said.signs.sort((a, b) => a.sign.localeCompare(b.sign));
    this.last = said.last;
    this.searches = said.searches.length;
    this.tell("signs");
    return said;
  }

  get hit() {
    return this.hits.get(this.queue[this.at]) ?? null;
  }

  /** Chooses a sign and makes its queue anew; `keep` names the hit to stay at. */
  async choose(sign, keep = null) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const said = await ask("/api/hits", { sign });
    if (turn !== this.turn) return;
    this.sign = sign;
    this.hits = new Map(said.hits.map((hit) => [hit.id, hit]));
    await this.arrange(keep);
    this.tell("signs");
  }

  /** Makes the queue anew from the hits at hand. */
  async arrange(keep = this.queue[this.at] ?? null) {
    const turn = this.turn;
    const fits = { all: () => true, open: (h) => OPEN.has(h.status), conflict: (h) => h.conflict.length > 0 }[this.show] ?? ((h) => h.status === this.show);
    const chosen = [...this.hits.values()].filter((h) => h.current && h.sign === this.sign && fits(h));
    let ids = chosen.map((h) => h.id);
    if (this.order === "time") {
      chosen.sort((a, b) => a.name.localeCompare(b.name) || a.start - b.start);
      ids = chosen.map((h) => h.id);
    } else if (this.order === "ask") {
      const said = await ask("/api/queue", { sign: this.sign });
      const place = new Map(said.hits.map((id, k) => [id, k]));
      ids.sort((a, b) => (place.get(a) ?? 1e9) - (place.get(b) ?? 1e9));
    } else if (this.order === "sample" && this.sample) {
      ids = this.sample.hits.filter((id) => this.hits.has(id));
    }
    if (turn !== this.turn) return;
    this.queue = ids;
    const first = ids.findIndex((id) => OPEN.has(this.hits.get(id).status));
    this.at = keep !== null && ids.includes(keep) ? ids.indexOf(keep) : ids.length ? Math.max(0, first) : -1;
    this.tell("queue");
    this.tell("hit");
  }

  go(place) {
    const at = Math.max(0, Math.min(this.queue.length - 1, place));
    if (at === this.at || !this.queue.length) return;
    this.at = at;
    this.tell("hit");
  }

  /** The next hit in the queue that is to be judged, around its end if need be; false when there is none. */
  next() {
    const open = (id) => this.hits.get(id).status === "new" || (this.show === "unsure" && this.hits.get(id).status === "unsure");
    for (let k = 1; k <= this.queue.length; k++) {
      const at = (this.at + k) % this.queue.length;
      if (at !== this.at && open(this.queue[at])) {
        this.go(at);
        return true;
      }
    }
    return false;
  }

  get left() {
    return this.queue.reduce((n, id) => n + (this.hits.get(id).status === "new"), 0);
  }

  /** What a line will make of a hit, shown before the server has answered. */
  foresee(row) {
    const hit = this.hits.get(row.hit);
    if (!hit) return;
    const before = hit.status;
    if (row.action in STATUS) hit.status = STATUS[row.action];
    if (row.action === "span") Object.assign(hit, { start: row.detail.start, end: row.detail.end });
    if (row.action === "note") hit.note = row.detail.text;
    if (before !== hit.status) {
      const counts = this.signs.find((s) => s.sign === hit.sign);
      if (counts) {
        counts[before]--;
        counts[hit.status]++;
      }
      this.tell("counts", { sign: hit.sign });
    }
    this.tell("changed", { ids: [hit.id] });
  }

  /** Takes in what the server says: to our own lines, or about other people's. */
  async take(said, mine = false) {
    if (said.anew) {
      if (this.searching) return; // whoever searches takes the result in
      const { turn } = this;
      await this.begin();
      if (turn !== this.turn) return; // another sign was chosen meanwhile
      if (this.sign) await this.choose(this.sign, this.queue[this.at]);
      this.tell("anew");
      return;
    }
    this.last = Math.max(this.last, said.last);
    if (said.exemplars) {
      this.exemplars = said.exemplars;
      this.tell("exemplars");
    }
    const changed = [];
    const appeared = [];
    for (const hit of said.hits) {
      const here = this.hits.get(hit.id);
      if (here) {
        if (JSON.stringify(here) === JSON.stringify(hit)) continue;
        Object.assign(here, hit);
        changed.push(hit.id);
      } else if (hit.sign === this.sign) {
        this.hits.set(hit.id, hit);
        appeared.push(hit.id);
      }
    }
    for (const counts of said.signs) {
      const place = this.signs.findIndex((s) => s.sign === counts.sign);
      if (place >= 0) Object.assign(this.signs[place], counts);
      else {
        this.signs.push(counts);
        this.signs.sort((a, b) => a.sign.localeCompare(b.sign));
        this.tell("signs");
      }
      this.tell("counts", { sign: counts.sign });
    }
    if (appeared.length) {
      // new parts come behind the hit that they were cut from, others at the end
      this.queue.splice(this.at + 1, 0, ...appeared);
      this.tell("queue");
    }
    if (changed.length || appeared.length) this.tell("changed", { ids: [...changed, ...appeared], mine });
  }
}
