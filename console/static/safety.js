// What a member and their mentor wrote down beforehand; and what the holder of an alarm may ask to be shared.

import { button, card, choices, danger, h, t, time, working, writing } from "./ui.js";
import { day, facts, line, list } from "./lines.js";
import { act } from "./steps.js";

export function show(view, desk) {
  const lock = view.locked ? desk.lock() : [];
  return [
    h("h1", {}, t("page.safety.title")),
    h("p", { class: "lead" }, t(view.role_key, { code: view.code })),
    view.emergency_lines.length > 0 && danger(view.emergency_lines),
    view.mentors.length > 0 && card(t("page.safety.call"), h("p", { class: "by" }, view.mentors.join(" · "))),
    ...lock,
    view.number && card(t("page.safety.number"), h("p", { class: "words", dir: "auto" }, view.number)),
    view.wait_minutes > 0 && h("p", { class: "hint" }, t("page.safety.wait", { minutes: view.wait_minutes })),
    view.may_write ? writingPlan(view, desk) : readingPlan(view.sections, view.written_at),
    view.ask && asking(view.ask, desk),
    view.shared.length > 0 && card(t("page.share.shared"), sharedList(view.shared, desk)),
  ].filter(Boolean);
}

/** Each section with words in it, as a card of its own; nothing while it is locked. */
export function readingPlan(sections, writtenAt) {
  const told = sections.filter((section) => section.text);
  if (!told.length) return sections.some((section) => section.text === null) ? null : h("p", { class: "hint" }, t("page.safety.nothing"));
  const made = card(t("page.safety.plan"),
    writtenAt && h("p", { class: "hint" }, t("page.safety.written"), " ", day(writtenAt)),
    ...told.flatMap((section) => [h("h3", {}, t(section.label_key)), h("p", { class: "words", dir: "auto" }, section.text)]));
  made.dataset.read = "";
  return made;
}

function writingPlan(view, desk) {
  const boxes = view.sections.filter((section) => section.limit).map((section) => {
    const box = writing(t(section.label_key), section.limit, "", 3);
    box.box.value = section.text ?? "";
    desk.draft(box.box, `save.${section.id}`, box.count);
    box.count();
    return [section.id, box];
  });
  const save = button(t("page.safety.save"), () => working(save, () =>
    desk.step("save", Object.fromEntries(boxes.map(([id, box]) => [id, box.box.value])))), "big");
  const made = card(t("page.safety.plan"),
    h("p", {}, t("page.safety.together")),
    view.written_at && h("p", { class: "hint" }, t("page.safety.written"), " ", day(view.written_at)),
    ...boxes.map(([, box]) => box),
    h("div", { class: "actions" }, save),
    ...view.steps.map((step) => act(step, desk)));
  made.dataset.read = "";
  return made;
}

/** A coordinator asks; a steward says yes or no. Nothing leaves before that. */
function asking(ask, desk) {
  if (!ask.organizations.length) return card(t("page.share.ask"), h("p", { class: "hint" }, t("page.share.nobody")));
  const where = choices("radio", t("page.share.where"), ask.organizations);
  const why = choices("radio", t("page.share.reason"), ask.reasons);
  const told = writing(t("page.share.text"), ask.limit, t("page.share.text_hint"), 4);
  desk.draft(told.box, "ask.text", told.count);
  const plan = ask.may_plan && choices("checkbox", t("page.share.plan"), [{ id: "plan", label_key: "page.share.plan" }], () => {}, "unseen");
  const silent = choices("radio", t("page.share.silence"), ask.silences.map((one) => (one.id ? one : { ...one, label_key: "page.share.told", chosen: true })));
  const missing = h("p", { class: "missing", role: "alert" });
  const send = button(t("page.share.send"), () => {
    const [[organization], [reason], [silence]] = [where.values(), why.values(), silent.values()];
    const withPlan = Boolean(plan && plan.values().length);
    const text = told.box.value.trim();
    missing.textContent = organization && reason && (text || withPlan) ? "" : t("page.share.missing");
    if (!missing.textContent) working(send, () => desk.step("ask", { organization, reason, text, plan: withPlan, silence: silence ?? "" }));
  }, "big");
  return card(t("page.share.ask"), h("details", {}, h("summary", {}, t("page.share.open")),
    h("p", {}, t("page.share.how")), where, why, told, plan, silent, missing, h("div", { class: "actions" }, send)));
}

/** What was shared, in codes. */
export function sharedList(lines, desk) {
  return list(lines.map((one) => line(one.organization, one.steps, desk, { share: one.id },
    h("p", { class: one.until ? "until" : "hint" }, t(one.state_key), " ", one.until && time(one.until)),
    facts([t("page.share.reason"), t(one.reason_key)],
      [t("page.share.what"), t(one.with_plan ? "page.share.what_plan" : "page.share.what_text")],
      [t("page.share.silence"), one.silent_key && t(one.silent_key)],
      [t("page.share.asked"), day(one.asked_at)]))), "page.share.none");
}
