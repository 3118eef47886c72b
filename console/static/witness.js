// A checkpoint of the audit, for whoever keeps it out of the network's reach: four words to compare, a note to put away.

import { button, card, h, moment, t, working } from "./ui.js";
import { facts } from "./lines.js";
import { allSteps } from "./steps.js";

export function show(view, desk) {
  const note = h("textarea", { readonly: true, rows: 8, dir: "ltr", class: "note", "aria-label": t("page.witness.note") }, view.note);
  const copy = button(t("page.witness.copy"), () => working(copy, async () => {
    note.select();
    // Older web views have no clipboard of their own for pages; the note is marked, and can be copied by hand.
    if (await navigator.clipboard?.writeText(view.note).then(() => true, () => false)) copied.textContent = t("page.witness.copied");
  }), "wide");
  const copied = h("p", { class: "hint", role: "status" });
  return [
    h("h1", {}, t("page.witness.title")),
    h("p", { class: "lead" }, t(view.what_key)),
    card(t("page.witness.mark"),
      h("p", { class: "secret", dir: "ltr" }, view.mark.join(" ")),
      facts([t("page.witness.number", { number: view.number }), moment(view.at)])),
    h("section", { class: "card", "aria-label": t("page.witness.copy") }, h("p", {}, t("page.witness.note_hint")), note, h("div", { class: "actions" }, copy), copied),
    ...allSteps(view.steps, desk),
  ];
}
