// One matter, as its person, its partner or the desk sees it: where it stands, what is next, the thread, the steps.

import { anyOf, button, card, danger, h, moment, shortMoment, t, time, working, writing } from "./ui.js";
import { day, once } from "./lines.js";
import { act, pressing, stepForm } from "./steps.js";

export function show(view, desk) {
  // Where the way on from an accepted offer broke, the session is still the offer's: steps wait for the chat's button.
  const here = desk.page() === "matter";
  const all = here ? view.steps : [];
  const moves = all.filter((step) => step.id.startsWith("move_"));
  const quiet = all.filter((step) => step.danger || step.id === "follow");
  const steps = all.filter((step) => !moves.includes(step) && !quiet.includes(step));
  const simple = steps.filter((step) => !step.needs);
  const pressed = simple.length && pressing(simple, desk);
  const asking = steps.filter((step) => step.needs).map((step) => h("div", { class: "card step" }, stepForm(step, desk)));
  const talk = (view.thread?.length || (here && view.can_write)) && thread(view, desk, here);
  const story = written(view);
  // Whoever has opened a lot today waits a little; everything but the words themselves stands here meanwhile.
  const slow = view.wait_minutes && [h("p", { class: "hint" }, t("page.matter.wait", { minutes: view.wait_minutes }))];
  const lock = view.locked ? desk.lock() : slow;
  const helps = !view.consent_text;
  // Whoever came to read others' words finds the field waiting; whoever wrote them comes to the page's beginning.
  if (lock && helps) lock[0]?.querySelector("[data-pin]")?.setAttribute("data-first", "");
  // Whoever helps reads first; whoever wrote it knows it already and came for what is new.
  const now = desk.sections(view, here, false);
  const parts = helps ? [story, pressed, now, asking, talk] : [now, pressed, asking, lock, talk, story];
  return [
    h("h1", {}, t(view.category_key)),
    h("p", { class: "stage" }, t(view.stage_key)),
    view.emergency_lines?.length && danger(view.emergency_lines),
    view.tracking_code && once(t("page.follow.title"), view.tracking_code, h("p", {}, t("page.follow.once"))),
    ...(helps && lock ? lock : []),
    standing(view),
    view.move && moving(view.move, moves, desk),
    ...parts.flat(),
    ...desk.sections(view, here, true),
    !here && h("p", { class: "hint" }, t("page.matter.from_chat")),
    ...agreement(view, quiet, desk),
  ].filter(Boolean);
}

// What is next is said to the person or to the partner; the desk has texts of its own. Only the person has a receipt.
function standing(view) {
  const fact = (key, value) => (value ? [h("dt", {}, t(key)), h("dd", {}, value)] : []);
  return card(t("page.matter.next"),
    h("p", {}, anyOf(`${view.next_key}.${view.consent_text ? "you" : "partner"}`, view.next_key)),
    view.next_by && h("p", { class: "by" }, t("page.next_by"), " ", time(view.next_by)),
    h("dl", { class: "facts" },
      ...fact("page.matter.member", view.member),
      ...fact("page.matter.helper", view.organization),
      ...fact("page.urgency", t(view.urgency_key)),
      ...fact("page.area", view.area),
      h("dt", {}, t("page.code")), h("dd", { class: "code" }, view.code)));
}

function written(view) {
  const part = (key, text) => {
    const shown = text && card(t(key), h("p", { class: "words", dir: "auto" }, text));
    if (shown) shown.dataset.read = "";
    return shown;
  };
  return [part("page.matter.story", view.story), part("page.matter.contact", view.contact), part("page.matter.read_out", view.read_out)];
}

function thread(view, desk, here) {
  const lines = (view.thread ?? []).map((line) =>
    h("li", { class: line.mine ? "mine" : "theirs" },
      h("p", { class: "who" }, line.mine ? t("page.matter.you") : [t(line.who_key), line.organization].filter(Boolean).join(" · ")),
      h("p", { class: "words", dir: "auto" }, line.text),
      h("p", { class: "when" }, h("time", { datetime: line.at }, shortMoment(line.at)), line.opened && ` · ${t("page.matter.opened")}`)));
  return card(t("page.matter.thread"),
    lines.length ? h("ol", { class: "thread" }, ...lines)
      : h("p", { class: "hint" }, t(view.locked ? "page.matter.thread_locked" : "page.matter.thread_empty")),
    here && view.can_write && writeBox(desk));
}

function writeBox(desk) {
  const text = writing(t("page.matter.write"), 4000, t("page.matter.write_hint"), 3);
  desk.draft(text.box, "write", text.count);
  const once = crypto.randomUUID(); // where only the answer was lost, the second try writes nothing again
  const send = button(t("page.send"), () => {
    if (text.box.value.trim()) working(send, () => desk.step("write", { text: text.box.value, once }));
    else text.box.focus();
  });
  return h("div", { class: "write" }, text, h("div", { class: "actions" }, send));
}

/** On its way to another phone: the one moment in which whoever did not want it can say so. */
function moving(move, steps, desk) {
  const made = card(t("page.follow.leaving"),
    h("p", {}, move.due_at ? t("page.follow.leaving_at", { time: moment(move.due_at) }) : t("page.follow.leaving_desk")),
    move.check && h("p", { class: "secret", dir: "ltr" }, move.check),
    ...steps.map((step) => act(step, desk)));
  made.classList.add("alert");
  return made;
}

const readerLine = (line) => h("li", {}, [line.organization, t(line.role_key)].filter(Boolean).join(" · "), " – ", day(line.at));

function agreement(view, quiet, desk) {
  const parts = [];
  if (view.consent_text) {
    parts.push(h("details", {}, h("summary", {}, t("page.agreed_words")), h("p", { class: "words", dir: "auto" }, view.consent_text)));
  }
  if (view.readers.length) {
    parts.push(h("p", {}, t("page.matter.readers")), h("ul", { class: "plainlist" }, ...view.readers.map(readerLine)));
  } else if (view.consent_text) {
    parts.push(h("p", {}, t("page.matter.no_readers")));
  }
  parts.push(...quiet.map((step) => stepForm(step, desk)));
  return parts.length ? [card(t("page.matter.agreement"), ...parts)] : [];
}
