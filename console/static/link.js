// A member's own phone: a link shown once, a number to compare, and a way to end it at any time.

import { card, h, t, time } from "./ui.js";
import { line, list, once } from "./lines.js";
import { act } from "./steps.js";

export function show(view, desk) {
  if (!view.code) return own(view, desk);
  const bot = desk.bot();
  const link = bot ? `https://t.me/${bot}?start=${view.link}` : `/start ${view.link}`;
  const made = view.link && once(t("page.link.once"), link, h("p", {}, t("page.link.once_hint")));
  if (made) made.querySelector(".secret").classList.add("link");
  return [
    h("h1", {}, t("page.link.title")),
    made,
    card(view.code,
      h("p", {}, t(view.state_key), " ", view.until && time(view.until)),
      view.check && h("p", { class: "secret", dir: "ltr" }, view.check),
      ...view.steps.map((step) => act(step, desk)),
      h("p", { class: "hint" }, t("page.link.hint"))),
  ];
}

/** One's own phone: what it is tied to. */
function own(view, desk) {
  return [
    h("h1", {}, t("page.link.title_own")),
    card(t(view.state_key), list(view.own.map((one) => line(t(one.programme_key), one.steps, desk, { member: one.id })), "page.link.none_hint")),
  ];
}
