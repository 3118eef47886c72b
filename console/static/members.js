// Everybody whom a mentor looks after, and what a week may ask for: a pause, a handover, a rest of one's own.

import { card, h, t, time, trouble } from "./ui.js";
import { facts, line, list, said } from "./lines.js";
import { act } from "./steps.js";

export function show(view, desk) {
  return [
    h("h1", {}, t("page.members.title")),
    said(view.said_key),
    card(t("page.members.all"), list(view.lines.map((one) => memberLine(one, desk)), "page.members.none")),
    view.steps.length && card(t("page.members.rest"), h("p", {}, t("page.members.rest_hint")), ...view.steps.map((step) => act(step, desk))),
  ];
}

function memberLine(one, desk) {
  const asked = one.steps.some((step) => step.needs); // who could take over: the answer must be seen
  return line(one.code, [], desk, {},
    one.at && h("p", { class: one.late ? "until" : "" }, t(one.late ? "page.members.late" : "page.members.next"), " ", time(one.at)),
    one.note_key && h("p", { class: "hint" }, t(one.note_key), " ", one.until && time(one.until)),
    facts([t(one.programme_key), t(one.phase_key)], [t("page.members.part"), one.part_key !== "page.members.part_mentor" && t(one.part_key)]),
    h("div", { class: "actions" }, opener(desk, `member/${one.id}`, t("page.members.open"))),
    // Once in a year, and thirty buttons are no list: behind one line.
    h("details", { open: asked },
      h("summary", {}, t("page.members.rarely")),
      h("div", { class: "actions" }, opener(desk, `link/${one.id}`, t(one.phone ? "page.members.phone" : "page.members.no_phone"))),
      ...one.steps.map((step) => act(step, desk, { member: one.id }))));
}

/** A button that opens another page; what went wrong is said below it. */
export function opener(desk, page, words) {
  const open = async () => {
    try {
      await desk.open(page);
    } catch (refusal) {
      const shown = trouble(refusal, open);
      row.after(shown);
      shown.focus();
    }
  };
  const row = h("button", { type: "button", class: "wide", onclick: open }, words);
  return row;
}
