// One matter, as its person, its partner or the desk sees it: where it stands, what is next, the thread, the steps.

import { anyOf, button, card, choices, danger, h, shortMoment, t, time, working, writing } from "./ui.js";

const OUTCOMES = ["met", "partly_met", "unmet"];
const TEXT_LIMIT = 4000;

export function showMatter(view, desk) {
  // Where the way on from an accepted offer broke, the session is still the offer's: steps wait for the chat's button.
  const here = desk.page() === "matter";
  const steps = here ? view.steps : [];
  const quiet = steps.filter((step) => step.danger);
  const simple = steps.filter((step) => !step.danger && !step.needs);
  const asking = steps.filter((step) => !step.danger && step.needs);
  const acting = [
    simple.length && pressing(simple, desk),
    ...asking.map((step) => h("div", { class: "card step" }, stepParts(step, desk))),
  ];
  const talk = (view.thread.length || (here && view.can_write)) && thread(view, desk, here);
  // Whoever helps reads first; whoever wrote it knows it already and came for what is new.
  const parts = reader(view) === "partner" ? [written(view), acting, talk] : [acting, talk, written(view)];
  return [
    h("h1", {}, t(view.category_key)),
    h("p", { class: "stage" }, t(view.stage_key)),
    view.emergency_lines?.length && danger(view.emergency_lines),
    standing(view),
    ...parts.flat(),
    !here && h("p", { class: "hint" }, t("page.matter.from_chat")),
    ...agreement(view, quiet, desk),
  ].filter(Boolean);
}

function standing(view) {
  const fact = (key, value) => (value ? [h("dt", {}, t(key)), h("dd", {}, value)] : []);
  return card(t("page.matter.next"),
    h("p", {}, anyOf(`${view.next_key}.${reader(view)}`, view.next_key)),
    view.next_by && h("p", { class: "until" }, t("page.next_by"), " ", time(view.next_by)),
    h("dl", { class: "facts" },
      ...fact("page.matter.helper", view.organization),
      ...fact("page.urgency", t(view.urgency_key)),
      ...fact("page.area", view.area),
      h("dt", {}, t("page.code")), h("dd", { class: "code" }, view.code)));
}

/** Whom the words about what is next are said to; the desk has texts of its own. Only the person has a receipt. */
function reader(view) {
  return view.consent_text ? "you" : "partner";
}

function written(view) {
  const part = (key, text) => text && card(t(key), h("p", { class: "words", dir: "auto" }, text));
  return [part("page.matter.story", view.story), part("page.matter.contact", view.contact)];
}

function thread(view, desk, here) {
  const lines = view.thread.map((line) =>
    h("li", { class: line.mine ? "mine" : "theirs" },
      h("p", { class: "who" }, line.mine ? t("page.matter.you") : [t(line.who_key), line.organization].filter(Boolean).join(" · ")),
      h("p", { class: "words", dir: "auto" }, line.text),
      h("p", { class: "when" }, h("time", { datetime: line.at }, shortMoment(line.at)))));
  return card(t("page.matter.thread"),
    lines.length ? h("ol", { class: "thread" }, ...lines) : h("p", { class: "hint" }, t("page.matter.thread_empty")),
    here && view.can_write && writeBox(desk));
}

function writeBox(desk) {
  const text = writing(t("page.matter.write"), TEXT_LIMIT, t("page.matter.write_hint"), 3);
  text.box.addEventListener("input", () => desk.keepTyping(true));
  const send = button(t("page.send"), () => {
    if (text.box.value.trim()) working(send, () => desk.step("write", { text: text.box.value }));
    else text.box.focus();
  });
  return h("div", { class: "write" }, text, h("div", { class: "actions" }, send));
}

function agreement(view, quiet, desk) {
  const parts = [];
  if (view.consent_text) {
    parts.push(h("details", {}, h("summary", {}, t("page.filed.words")), h("p", { class: "words", dir: "auto" }, view.consent_text)));
  }
  if (view.readers.length) {
    parts.push(h("p", {}, t("page.matter.readers")), h("ul", { class: "plainlist" }, ...view.readers.map((reader) => h("li", {}, reader))));
  } else if (view.consent_text) {
    parts.push(h("p", {}, t("page.matter.no_readers")));
  }
  parts.push(...quiet.map((step) => stepParts(step, desk)));
  return parts.length ? [card(t("page.matter.agreement"), ...parts)] : [];
}

/** Steps that need nothing more than a press, the likeliest first. */
function pressing(steps, desk) {
  const hints = steps.map((step) => anyOf(`page.hint.${step.id}`)).filter(Boolean);
  const buttons = steps.map((step, at) => {
    const press = button(t(step.label_key), () => working(press, () => desk.step(step.id)), at ? "wide" : "big");
    return press;
  });
  return h("div", { class: "card step" }, ...hints.map((hint) => h("p", {}, hint)), h("div", { class: "actions" }, ...buttons));
}

/** One step behind its summary, and what it needs: a yes, a text, a reason, or how it ended. */
function stepParts(step, desk) {
  const label = t(step.label_key);
  const hint = anyOf(`page.hint.${step.id}`);
  const kind = step.danger ? "careful" : "big";
  const take = (pressed, body) => working(pressed, () => desk.step(step.id, body));
  const form = NEEDS[step.needs || "yes"](step); // a dangerous step is asked for once more, whatever it needs
  const send = button(t(form.yes ? "page.yes" : "page.send"), () => {
    const body = form.read();
    form.missing.textContent = body ? "" : t("page.choose_one");
    if (body) take(send, body);
    else form.whole.querySelector("input, textarea")?.focus();
  }, kind);
  const details = h("details", { class: kind }, h("summary", {}, label),
    hint && h("p", {}, hint), form.whole, form.missing, h("div", { class: "actions" }, send, form.yes && button(t("page.no"), () => { details.open = false; }, "plain")));
  return details;
}

const missing = () => h("p", { class: "missing", role: "alert" });

const NEEDS = {
  yes: (step) => ({
    whole: h("p", {}, anyOf(`page.confirm.${step.id}`, "page.confirm.default")),
    missing: missing(),
    yes: true,
    read: () => ({ yes: true }),
  }),
  text: () => {
    const text = writing(t("page.matter.write"), TEXT_LIMIT, "", 3);
    return { whole: text, missing: missing(), read: () => text.box.value.trim() && { text: text.box.value } };
  },
  reason: (step) => {
    const reasons = choices("radio", t("page.matter.reason"), step.choices);
    return { whole: reasons, missing: missing(), read: () => reasons.values()[0] && { reason: reasons.values()[0] } };
  },
  outcome: (step) => {
    const reasons = choices("radio", t("page.matter.reason"), step.choices);
    const items = OUTCOMES.map((id) => ({ id, label_key: `outcome.${id}` }));
    const outcomes = choices("radio", t("page.matter.outcome"), items, () => { reasons.hidden = outcomes.values()[0] !== "unmet"; });
    reasons.hidden = true;
    const read = () => {
      const [[outcome], [reason]] = [outcomes.values(), reasons.values()];
      if (!outcome || (outcome === "unmet" && !reason)) return null;
      return outcome === "unmet" ? { outcome, reason } : { outcome };
    };
    return { whole: h("div", {}, outcomes, reasons), missing: missing(), read };
  },
};
