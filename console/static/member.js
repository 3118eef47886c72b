// One member, as their mentor sees them: what is next, how it has been going, the last contacts, and what to write down.

import { button, card, choices, danger, h, language, newId, shortMoment, t, time, working, writing } from "./ui.js";
import { day, facts, line, list } from "./lines.js";
import { stepForm } from "./steps.js";

export function show(view, desk) {
  const slow = view.wait_minutes && [h("p", { class: "hint" }, t("page.member.wait", { minutes: view.wait_minutes }))];
  return [
    h("h1", { class: "code" }, view.code),
    h("p", { class: "stage" }, t(view.phase_key)),
    standing(view),
    ...(view.locked ? desk.lock() : slow || []),
    view.marks.length && trend(view),
    contacts(view, desk),
    view.days.length && view.state_key === "page.member.active" && card(t("page.member.write"), late(view, desk)),
    view.milestones.length && milestones(view, desk),
    needs(view, desk),
    view.courses.length && courses(view, desk),
    card(t("page.member.more"), ...view.steps.map((step) => stepForm(step, desk))),
  ].filter(Boolean);
}

function standing(view) {
  return card(t("page.member.next"),
    h("p", { class: "by" }, view.next_at ? time(view.next_at) : t(view.state_key)),
    facts([t("page.member.programme"), t(view.programme_key)], [t("page.member.since"), day(view.since)]));
}

/** Marks for the eye, the same in words for whoever does not see them. No number, no judgement. */
function trend(view) {
  const said = (mark) => `${localDay(mark.day)}: ${t(mark.state_key)}`;
  const row = h("ol", { class: "trend" }, ...view.marks.map((mark) => h("li", { class: `l${mark.level}`, title: said(mark) }, h("span", { class: "unseen" }, said(mark)))));
  return card(t("page.member.trend"), row,
    h("p", { class: "hint ends" }, h("span", {}, localDay(view.marks[0].day)), h("span", {}, localDay(view.marks.at(-1).day))),
    view.harder && h("p", {}, t("page.member.harder")));
}

const DAY = { day: "numeric", month: "short" };
/** A day as such has no zone: noon is the same day wherever it is shown. */
const localDay = (iso) => new Intl.DateTimeFormat(language() === "en" ? "en-GB" : language(), { ...DAY, timeZone: "UTC" }).format(new Date(`${iso}T12:00Z`));

function contacts(view, desk) {
  return card(t("page.member.contacts"), list(view.contacts.map((one) => contact(view, one, desk)), "page.member.none"));
}

function contact(view, one, desk) {
  const words = (keys) => keys.map((key) => t(key)).join(" · ");
  const body = { check_in: one.id };
  return line(localDay(one.day), [], desk, body,
    h("p", {}, [one.said.length && words(one.said), t(one.who_key)].filter(Boolean).join(" – ")),
    ...one.before.map((keys) => h("p", { class: "hint" }, t("page.member.before", { what: words(keys) }))),
    ...one.notes.map((note) => h("blockquote", {}, h("p", { class: "words", dir: "auto" }, note.text), h("p", { class: "when" }, shortMoment(note.at)))),
    one.may_note && noting(view, one, desk),
    one.may_correct && opening("page.member.correct", () => form(view, desk, "correct", body, one.answers)));
}

/** What is rarely needed is made when it is opened. */
function opening(key, make) {
  const details = h("details", {}, h("summary", {}, t(key)));
  details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) details.append(make()); });
  return details;
}

function noting(view, one, desk) {
  return opening("page.member.add_note", () => {
    const text = writing(t("page.member.note"), view.note_limit, t("page.member.note_hint"), 3);
    desk.draft(text.box, `note${one.id}`, text.count);
    const send = button(t("page.send"), () => {
      if (text.box.value.trim()) working(send, () => desk.step("note", { check_in: one.id, text: text.box.value }));
      else text.box.focus();
    });
    return h("div", {}, text, h("div", { class: "actions" }, send));
  });
}

function late(view, desk) {
  return opening("page.member.late", () => {
    const when = h("select", { id: newId() }, ...view.days.map((iso) => h("option", { value: iso }, localDay(iso))));
    const note = writing(t("page.member.note"), view.note_limit, "", 2);
    desk.draft(note.box, "late", note.count);
    const chosen = () => ({ day: when.value, note: note.box.value });
    const before = h("div", { class: "field" }, h("label", { for: when.id }, t("page.member.day")), when);
    return form(view, desk, "late", chosen, {}, before, note);
  });
}

/** The questions of the form; each branch shows when the answer that leads to it is chosen. */
function form(view, desk, step, more, answers, before = null, after = null) {
  const sets = view.form.map((question) => {
    const given = (answers[question.id] ?? "").split(",");
    const items = question.choices.map(([id, key]) => ({ id, label_key: key, chosen: given.includes(id) }));
    const set = choices(question.several ? "checkbox" : "radio", t(question.key), items, branch);
    if (question.id === "danger" && view.emergency_lines) set.prepend(danger(view.emergency_lines.split(" / ")));
    return { question, set };
  });
  const value = (id) => sets.find((one) => one.question.id === id && !one.set.hidden)?.set.values() ?? [];
  function branch() {
    for (const { question, set } of sets) set.hidden = Object.entries(question.when).some(([id, wanted]) => !value(id).some((one) => wanted.includes(one)));
  }
  branch();
  const missing = h("p", { class: "missing", role: "alert" });
  const send = button(t("page.member.save"), () => {
    const shown = sets.filter(({ set }) => !set.hidden);
    const lacking = shown.find(({ question, set }) => question.required && !set.values().length);
    missing.textContent = lacking ? t("page.choose_one") : "";
    if (lacking) return lacking.set.querySelector("input").focus();
    const given = Object.fromEntries(shown.map(({ question, set }) => [question.id, question.several ? set.values() : set.values()[0]]));
    return working(send, () => desk.step(step, { ...(typeof more === "function" ? more() : more), ...given }));
  });
  return h("div", { class: "choosing" }, before, ...sets.map(({ set }) => set), after, missing, h("div", { class: "actions" }, send));
}

function milestones(view, desk) {
  const items = view.milestones.map((one) => {
    const press = button(`${one.chosen ? "✓ " : ""}${t(one.label_key)}`, () => working(press, () => desk.step(one.chosen ? "unreach" : "reach", { milestone: one.id })), "wide");
    press.setAttribute("aria-pressed", String(one.chosen));
    return h("li", {}, press);
  });
  return card(t("page.member.milestones"), h("p", { class: "hint" }, t("page.member.reached")), h("ul", { class: "matters" }, ...items));
}

function needs(view, desk) {
  const go = (page, ...words) => {
    const row = h("button", { type: "button", class: "row", onclick: () => working(row, () => desk.open(page)) }, ...words);
    return h("li", {}, row);
  };
  const rows = view.needs.map((one) => go(one.page || `matter/${one.id}`, h("span", { class: "row-title" }, t(one.category_key), h("span", { class: "code" }, one.code)), h("span", {}, t(one.stage_key))));
  return card(t("page.member.needs"), h("ul", { class: "matters" }, ...rows,
    go(`words/${view.id}`, h("span", {}, t("page.member.new_need"))),
    go(`attendance/${view.id}`, h("span", {}, t("page.member.attendance"))),
    go(`safety/${view.id}`, h("span", {}, t(view.plan_written ? "page.member.plan" : "page.member.plan_none")))));
}

function courses(view, desk) {
  const items = view.courses.map((one) => line(t(one.item_key), one.steps, desk, { undertaking: one.id },
    h("p", {}, [t(one.state_key), one.step_key && t(one.step_key)].filter(Boolean).join(" · ")),
    one.next_by && h("p", { class: "by" }, t("page.next_by"), " ", day(one.next_by))));
  return card(t("page.member.courses"), list(items, "page.member.none"));
}
