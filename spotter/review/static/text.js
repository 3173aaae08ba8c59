// Words of the page's language, and numbers as people read them.

const words = JSON.parse(document.getElementById("words").textContent);
export const language = document.documentElement.lang;

/** The words of a key, with {name} filled in. */
export function t(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Seconds as m:ss.cc, with hours where there are any. */
export function clock(seconds, digits = 2) {
  const unit = 10 ** digits;
  const ticks = Math.round(Math.max(0, seconds) * unit);
  const whole = Math.floor(ticks / unit);
  const pad = (n, width = 2) => String(n).padStart(width, "0");
  const fraction = digits ? (language === "de" ? "," : ".") + pad(ticks % unit, digits) : "";
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return (hours ? `${hours}:${pad(minutes)}` : String(minutes)) + `:${pad(whole % 60)}${fraction}`;
}

/** A share as whole percent. */
export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

/** A score for people: a probability with two digits. */
export function score(value) {
  if (value === null || value === undefined) return "";
  const digits = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return value > 0 && value < 0.005 ? `<${digits.format(0.01)}` : digits.format(value);
}

/** An element with properties, attributes (data-…, aria-…) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const $ = (what, where = document) => where.querySelector(what);
export const $$ = (what, where = document) => [...where.querySelectorAll(what)];
