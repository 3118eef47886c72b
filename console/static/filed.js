// The receipt: what was agreed, where it stands, where to find it again.

import { announce, anyOf, button, card, h, t, time, trouble } from "./ui.js";

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
    ...desk.sections(view),
    pinOffer(desk),
  ];
}

/** A PIN may be chosen now, and need not: its script comes only for who opens this. */
function pinOffer(desk) {
  if (desk.reading().state !== "enrol") return null;
  const place = h("div", {});
  const fill = async () => {
    if (!offer.open || place.childElementCount) return;
    try {
      const form = (await desk.part("enrol")).choosing(desk, "enrol", () => desk.refresh());
      form.prepend(h("p", {}, t("page.enrol.offer_hint"))); // goes with the form when the recovery code shows
      place.replaceChildren(form);
    } catch (refusal) {
      place.replaceChildren(trouble(refusal, () => { place.replaceChildren(); fill(); }));
    }
  };
  const offer = h("details", { ontoggle: fill }, h("summary", {}, t("page.enrol.offer")), place);
  return h("section", { class: "card" }, offer);
}

/** Nothing is left for this reader here: hidden, or given back. */
function left(view, desk) {
  return [
    h("h1", {}, anyOf(`${view.stage_key}.title`) || t("page.left_title")),
    h("p", { class: "lead" }, t(view.stage_key)),
    h("div", { class: "actions" }, button(t("page.to_chat"), desk.close, "big")),
  ];
}
