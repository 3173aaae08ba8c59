// Questions that the page asks, and what it shows in passing.

import { finished, send } from "./api.js";
import { $, $$, make, t } from "./text.js";

let toasting = 0;

/** A line at the lower edge, for a while; also said to screen readers. */
export function toast(text, seconds = 3.5) {
  const box = $("#toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toasting);
  toasting = setTimeout(() => (box.hidden = true), 1000 * seconds);
}

/** Says something to screen readers only. */
export function announce(text) {
  $("#live").textContent = text;
}

/** Opens a dialog; resolves with the value of the button that closed it. */
function opened(dialog) {
  dialog.returnValue = "cancel";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue), { once: true }));
}

/** Asks for a text; null when it was cancelled or left empty. */
export async function askText(title, name, value, choices = []) {
  const dialog = $("#ask");
  $("h2", dialog).textContent = title;
  $(".name", dialog).textContent = name;
  $("#glosses").replaceChildren(...choices.map((choice) => make("option", { value: choice })));
  const input = $("input", dialog);
  input.value = value;
  const answer = opened(dialog);
  input.select();
  const said = await answer;
  return said === "ok" && input.value.trim() ? input.value.trim() : null;
}

/** Enter in a form means its main button, which is not always the first. */
export function mindEnter() {
  for (const form of $$("dialog form")) {
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName === "BUTTON") return;
      event.preventDefault();
      form.requestSubmit($("button.primary:not([type=button])", form) ?? $("button", form));
    });
  }
}

export function askSearch() {
  return opened($("#search-again"));
}

export function showKeys(sections) {
  const dialog = $("#keys");
  $(".key-table", dialog).replaceChildren(...sections.map(([title, rows]) => make("section", {},
    make("h3", { textContent: title }),
    make("dl", {}, ...rows.flatMap(([keys, text]) => [make("dt", {}, ...keys.map((key) => make("kbd", { textContent: key }))), make("dd", { textContent: text })])),
  )));
  return opened(dialog);
}

export function showChanges(result) {
  const rows = result.changes.map((c) => make("p", {},
    make("strong", { textContent: c.sign }),
    make("span", { textContent: t("again.row", { new: c.new.length, gone: c.gone.length, moved: c.moved }) })));
  $(".change-list").replaceChildren(...rows);
  return opened($("#changes"));
}

export function exporting(who) {
  const dialog = $("#export-dialog");
  const chosen = (name) => $$(`[name=${name}]:checked`, dialog).map((box) => box.value);
  const box = $("#exported", dialog);
  box.replaceChildren();
  $("#export-go").onclick = async () => {
    try {
      const said = await send("/api/export", { kinds: chosen("kind"), statuses: chosen("status"), who: who() });
      box.replaceChildren(make("p", { textContent: t("export.done", { folder: said.folder }) }), make("ul", {}, ...said.files.map((name) => make("li", {}, make("a", { href: `/export/${encodeURIComponent(name)}`, download: name, textContent: name })))));
    } catch (error) {
      box.replaceChildren(make("p", { textContent: t("said.refused", { why: error.message }) }));
    }
  };
  return opened(dialog);
}

/** Runs a search on the server, its progress in the button that began it; null when it failed. */
export async function searching(body, button = $("#again")) {
  const words = button.textContent;
  button.disabled = true;
  button.textContent = t("again.running");
  try {
    return await finished(await send("/api/find", body), (share) => {
      button.textContent = `${t("again.running")} ${Math.round(100 * share)} %`;
    });
  } catch (error) {
    toast(t("again.failed", { why: error.message }), 8);
    return null;
  } finally {
    button.disabled = false;
    button.textContent = words;
  }
}
