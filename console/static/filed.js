// The receipt: what was agreed, where it stands, where to find it again.

import { announce, anyOf, button, card, h, t, time } from "./ui.js";

export function show(view, desk) {
  if (!view.filed) return left(view, desk);
  announce(t("page.filed.title"));
  return [
    h("h1", {}, t("page.filed.title")),
    h("p", { class: "lead" }, t("page.filed.lead")),
    card(t("page.filed.receipt"),
      h("dl", { class: "facts" },
        h("dt", {}, t("page.code")), h("dd", { class: "code" }, view.code),
        h("dt", {}, t("page.stage")), h("dd", {}, t(view.stage_key)),
        ...(view.next_by ? [h("dt", {}, t("page.next_by")), h("dd", {}, time(view.next_by))] : [])),
      view.consent_text && h("details", {}, h("summary", {}, t("page.agreed_words")), h("p", { class: "words" }, view.consent_text)),
      h("p", { class: "hint" }, t("page.filed.keep"))),
    h("div", { class: "actions" }, button(t("page.to_chat"), desk.close, "big")),
    pinOffer(desk),
  ];
}

/** A PIN may be chosen now, and need not: its script comes after the receipt, and is not missed without a line. */
function pinOffer(desk) {
  const place = h("div", {});
  if (desk.reading().state !== "enrol") return null;
  desk.part("enrol").then((enrol) => place.append(...enrol.offer(desk)), () => {});
  return place;
}

/** Nothing is left for this reader here: hidden, or given back. */
function left(view, desk) {
  return [
    h("h1", {}, anyOf(`${view.stage_key}.title`) || t("page.left_title")),
    h("p", { class: "lead" }, t(view.stage_key)),
    h("div", { class: "actions" }, button(t("page.to_chat"), desk.close, "big")),
  ];
}
