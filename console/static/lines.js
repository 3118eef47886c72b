// What lists of things are made of: facts, one line with its steps, something shown this once.

import { announce, card, h, moment, newId, t } from "./ui.js";
import { act } from "./steps.js";

const DAY = { day: "numeric", month: "long", year: "numeric" };

/** '3 March 2026', for what has a day and no hour. */
export const day = (iso) => h("time", { datetime: iso }, moment(iso, DAY));

/** Pairs of label and value; pairs without a value are left out. */
export function facts(...pairs) {
  const shown = pairs.filter(([, value]) => value != null && value !== "" && value !== false);
  return shown.length && h("dl", { class: "facts" }, ...shown.flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, value)]));
}

/** One thing of a list, under a heading of its own, with what can be done about it. `body` goes with each step. */
export function line(title, steps, desk, body, ...parts) {
  const id = newId();
  return h("li", { class: "line", "aria-labelledby": id },
    h("h3", { id }, title), ...parts, ...(steps ?? []).map((step) => act(step, desk, body)));
}

export const list = (items, empty) => (items.length ? h("ul", { class: "lines" }, ...items) : h("p", { class: "hint" }, t(empty)));

/** Words or a number that the page shows this once. It is where the reader goes first. */
export function once(title, words, ...more) {
  announce(title);
  const made = card(title, h("p", { class: "secret", dir: "ltr" }, words), ...more);
  made.classList.add("calm");
  made.querySelector("h2").dataset.first = "";
  return made;
}

/** What the last step came to, read out at once. */
export const said = (key) => key && h("p", { class: "said", role: "status" }, t(key));
