// Taking back a yes that was given by word: four words, and one question whether it is meant.

import { button, h, t, working, wrong } from "./ui.js";
import { said } from "./lines.js";
import { codeField } from "./steps.js";

export function show(view, desk) {
  const code = codeField(t("page.word.code"), t("page.word.hint"), { dir: "ltr" });
  const sure = h("div", { hidden: true });
  const step = view.steps[0];
  const take = button(t(step.label_key), () => {
    const typed = code.box.value.trim();
    wrong(code.box, typed ? "" : t("page.code_missing"));
    sure.hidden = !typed;
    if (typed) really.focus();
  }, "big");
  const really = button(t("page.word.sure"), () => working(really, () => desk.step(step.id, { code: code.box.value.trim() })), "careful");
  const no = button(t("page.no"), () => { sure.hidden = true; code.box.focus(); }, "plain");
  sure.append(h("p", {}, t("page.confirm.take_back")), h("div", { class: "actions" }, really, no));
  return [
    h("h1", {}, t("page.word.title")),
    h("p", { class: "lead" }, t("page.word.lead")),
    said(view.said_key),
    h("section", { class: "card", "aria-label": t("page.word.title") }, code, h("div", { class: "actions" }, take), sure),
  ];
}
