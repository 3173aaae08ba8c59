// The list of signs with their counts, and what a random sample says about the chosen one.

import { ask } from "./api.js";
import { $, make, percent, t } from "./text.js";

const KINDS = ["new", "accepted", "rejected", "unsure", "conflict"];
const MARK = { new: "•", accepted: "✓", rejected: "✗", unsure: "?", conflict: "!" };

export class Signs extends EventTarget {
  constructor(store) {
    super();
    this.store = store;
    this.list = $("#signs");
    this.rows = new Map();
    $("#sign-filter").addEventListener("input", () => this.filter());
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.dispatchEvent(new CustomEvent("choose", { detail: button.dataset.sign }));
    });
    store.addEventListener("signs", () => this.renew());
    store.addEventListener("counts", (event) => this.update(event.detail.sign));
  }

  renew() {
    const names = this.store.signs.map((s) => s.sign).join("\n");
    if (names !== this.names) {
      this.names = names;
      this.rows.clear();
      this.list.replaceChildren(...this.store.signs.map((s) => {
        const button = make("button", { type: "button", "data-sign": s.sign }, make("span", { className: "name", textContent: s.sign }), make("span", { className: "counts" }), make("span", { className: "bar", "aria-hidden": "true" }));
        this.rows.set(s.sign, button);
        return make("li", {}, button);
      }));
      this.filter();
    }
    this.store.signs.forEach((s) => this.update(s.sign));
  }

  update(sign) {
    const button = this.rows.get(sign);
    const counts = this.store.signs.find((s) => s.sign === sign);
    if (!button || !counts) return;
    const shown = KINDS.filter((kind) => counts[kind] > 0 || kind === "new");
    $(".counts", button).replaceChildren(...shown.map((kind) => make("span", { className: kind, title: t(`count.${kind}`), textContent: `${MARK[kind]} ${counts[kind]}` })));
    const all = Math.max(1, counts.new + counts.accepted + counts.rejected + counts.unsure);
    $(".bar", button).replaceChildren(...["accepted", "unsure", "rejected"].map((kind) => {
      const part = make("i", { className: kind });
      part.style.width = `${(100 * counts[kind]) / all}%`;
      return part;
    }));
    button.setAttribute("aria-label", `${sign}: ${shown.map((kind) => `${counts[kind]} ${t(`count.${kind}`)}`).join(", ")}`);
    button.setAttribute("aria-current", String(sign === this.store.sign));
  }

  filter() {
    const text = $("#sign-filter").value.trim().toLocaleLowerCase();
    for (const [sign, button] of this.rows) button.parentElement.hidden = !!text && !sign.toLocaleLowerCase().includes(text);
  }

  /** What is known of the chosen sign's list. */
  async estimate() {
    const { sign } = this.store;
    const box = $("#estimate");
    if (!sign) return box.replaceChildren();
    const said = await ask("/api/estimates", { sign }).catch(() => null);
    if (!said || sign !== this.store.sign) return undefined;
    const sample = said.sample;
    const range = ([v, low, high], form) => t("estimate.range", { v: form(v), low: form(low), high: form(high) });
    const whole = (n) => String(Math.round(n));
    const rows = [];
    if (sample) {
      rows.push(["estimate.missed", range(said.missed, whole)]);
      if (said.accepted) rows.push(["estimate.recall", range(said.recall, percent)]);
      if (said.precision) rows.push(["estimate.precision", range(said.precision, percent)]);
    }
    const text = !sample ? t("estimate.none") : said.stale ? t("estimate.stale") : t("estimate.judged", { n: sample.judged, all: sample.drawn });
    const going = sample && !said.stale && sample.judged < sample.drawn;
    const button = make("button", { type: "button", "data-do": "sample", textContent: t(going ? "estimate.on" : "estimate.start") });
    return box.replaceChildren(
      make("dl", {}, ...rows.map(([key, value]) => make("div", {}, make("dt", { textContent: t(key) }), make("dd", { textContent: value })))),
      make("p", { className: "soft", textContent: text }), button,
    );
  }
}
