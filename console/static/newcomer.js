// The desk brings somebody into a programme: nothing of who they are, who could accompany them, and a code.

import { button, card, choices, field, h, t, working } from "./ui.js";
import { line, list, once } from "./lines.js";
import { act } from "./steps.js";

export function show(view, desk) {
  const boxes = {
    place: chooser(view.places),
    language: chooser(view.languages),
    area: chooser([{ id: "", label_key: "page.newcomer.anywhere" }, ...view.areas]),
    gender_wish: chooser(view.genders),
    timezone: chooser(view.zones),
  };
  const given = () => Object.fromEntries(Object.entries(boxes).map(([name, box]) => [name, box.value]));
  const look = button(t("page.newcomer.propose"), () => working(look, () => desk.step("propose", given())), view.asked ? "wide" : "big");
  return [
    h("h1", {}, t("page.newcomer.title")),
    view.code && once(t("page.newcomer.code"), view.code, h("p", {}, t("page.newcomer.code_hint"))),
    card(t("page.newcomer.who"),
      h("p", { class: "hint" }, t("page.newcomer.no_names")),
      field(t("page.newcomer.place"), boxes.place),
      field(t("page.newcomer.language"), boxes.language),
      field(t("page.newcomer.area"), boxes.area),
      field(t("page.newcomer.gender"), boxes.gender_wish, t("page.newcomer.gender_hint")),
      field(t("page.newcomer.zone"), boxes.timezone),
      h("div", { class: "actions" }, look)),
    view.asked && mentors(view, desk, given),
    view.left_out.length && card(t("page.newcomer.left_out"), reasons(view.left_out)),
    view.alone.length && card(t("page.newcomer.alone"), list(view.alone.map((one) => aloneLine(one, desk)), "page.newcomer.none")),
  ];
}

/** Who could: the first is proposed as mentor, the second as backup. */
function mentors(view, desk, given) {
  if (!view.mentors.length) return card(t("page.newcomer.mentors"), h("p", {}, t("page.newcomer.nobody")));
  const items = view.mentors.map((one, index) => ({ id: one.seat, label: one.seat, chosen: index === 0 }));
  const mentor = choices("radio", t("page.newcomer.mentor"), items);
  const backup = choices("radio", t("page.newcomer.backup"), [
    ...items.map((one, index) => ({ ...one, chosen: index === 1 })),
    { id: "", label_key: "page.newcomer.no_backup", chosen: items.length < 2 },
  ]);
  const missing = h("p", { class: "missing", role: "alert" });
  const enrol = button(t("page.newcomer.enrol"), () => {
    const [first] = mentor.values();
    const [second] = backup.values();
    missing.textContent = first === second ? t("page.newcomer.same") : "";
    if (first !== second) working(enrol, () => desk.step("enrol", { ...given(), mentor: first, backup: second ?? "" }));
  }, "big");
  return card(t("page.newcomer.mentors"), reasons(view.mentors), mentor, backup, missing, h("div", { class: "actions" }, enrol));
}

const reasons = (lines) => h("ul", { class: "plainlist" }, ...lines.map((one) =>
  h("li", {}, h("span", { class: "code" }, one.seat), ": ", one.reasons.map(([key, params]) => t(key, params)).join(", "))));

function aloneLine(one, desk) {
  return line(one.code, one.steps, desk, { member: one.id },
    h("p", { class: "until" }, t(one.lacks_key)),
    one.asked && h("p", { class: "hint" }, t("page.newcomer.was_asked")));
}

function chooser(items) {
  return h("select", {}, ...items.map((item) =>
    h("option", { value: item.id, selected: item.chosen }, "\u00a0\u00a0\u00a0".repeat(item.depth ?? 0) + (item.label || t(item.label_key)))));
}
