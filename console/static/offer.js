// The blind offer: what a partner may know before it says yes, and its answers.

import { button, card, choices, h, t, time, working } from "./ui.js";

export function show(view, desk) {
  return [
    h("h1", {}, t(view.category_key || view.stage_key)),
    view.category_key && h("p", { class: "lead" }, t(view.may_decide ? "page.offer.lead" : view.stage_key)),
    view.category_key && card(t("page.offer.facts"),
      h("dl", { class: "facts" },
        h("dt", {}, t("page.urgency")), h("dd", {}, t(view.urgency_key)),
        h("dt", {}, t("page.area")), h("dd", {}, view.area),
        h("dt", {}, t("page.language")), h("dd", {}, view.language),
        h("dt", {}, t("page.age")), h("dd", {}, t(view.age_key)),
        h("dt", {}, t("page.code")), h("dd", { class: "code" }, view.code)),
      view.may_decide && h("p", { class: "until" }, t("page.offer.until"), " ", time(view.decide_by))),
    ...(view.may_decide ? [answers(view, desk), ...desk.sections(view, true)] : [thanks(desk)]),
  ];
}

function answers(view, desk) {
  const accept = button(t("page.offer.accept"), () => working(accept, () => desk.step("accept")), "big");
  return card(t("page.offer.answer"),
    h("p", {}, t("page.offer.accept_hint")),
    h("div", { class: "actions" }, accept),
    declining(view, desk));
}

function declining(view, desk) {
  const reasons = choices("radio", t("page.offer.why_not"), view.decline_reasons);
  const missing = h("p", { class: "missing", role: "alert" });
  const send = button(t("page.offer.decline_send"), () => {
    const [reason] = reasons.values();
    missing.textContent = reason ? "" : t("page.choose_one");
    if (reason) working(send, () => desk.step("decline", { reason }));
    else reasons.querySelector("input")?.focus();
  });
  return h("details", {}, h("summary", {}, t("page.offer.decline")), reasons, missing, h("div", { class: "actions" }, send));
}

function thanks(desk) {
  return h("div", { class: "actions" }, button(t("page.to_chat"), desk.close, "big"));
}
