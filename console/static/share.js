// Shared for safety: the words for whoever may help, the codes for whoever says yes or no to it.

import { card, h, t, time } from "./ui.js";
import { readingPlan, sharedList } from "./safety.js";

export function show(view, desk) {
  if (!view.reads) {
    return [h("h1", {}, t("page.share.title")), h("p", { class: "lead" }, t("page.share.steward")),
      card(t("page.share.shared"), sharedList(view.lines, desk))];
  }
  const lock = view.locked ? desk.lock() : [];
  lock[0]?.querySelector("[data-pin]")?.setAttribute("data-first", "");
  return [
    h("h1", {}, t("page.share.title")),
    h("p", { class: "lead" }, t("page.share.worker")),
    h("p", { class: "until" }, t("page.share.until"), " ", time(view.until)),
    ...lock,
    view.wait_minutes > 0 && h("p", { class: "hint" }, t("page.safety.wait", { minutes: view.wait_minutes })),
    view.told && told(view.told),
    view.sections.length > 0 && readingPlan(view.sections),
  ].filter(Boolean);
}

function told(words) {
  const made = card(t("page.share.told_you"), h("p", { class: "words", dir: "auto" }, words));
  made.dataset.read = "";
  return made;
}
