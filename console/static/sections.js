// Parts of a page that need no script of their own: a heading, lines, steps. A page may be nothing else.

import { anyOf, card, choices, danger, field, h, moment, newId, t } from "./ui.js";
import { NEEDS, act, missing } from "./steps.js";

const line = ({ key, params, at }) => h("p", {}, t(key, { ...params, at: at ? moment(at) : "" }));

/** The sections of a view; without `here` their steps wait for the page that they belong to. `late`: only those. */
export function sections(view, desk, here = true, late = null) {
  return view.sections.filter((part) => late === null || Boolean(part.later) === late).map((part) => (part.folded ? fold : card)(t(part.title_key, { count: part.count ?? 0, name: part.name }),
    ...part.lines.map(line), part.matters?.length && desk.rows.matterRows(part.matters, desk), part.ways?.length && desk.rows.ways(part, desk),
    ...(here ? part.steps.map((step) => act(step, desk, part.body)) : [])));
}

/** What only some want to read: behind its heading. */
const fold = (title, ...lines) => h("details", { class: "card" }, h("summary", {}, title), ...lines);

export function show(view, desk) {
  return [h("h1", {}, t(view.title_key)), view.emergency_lines.length && danger(view.emergency_lines), ...view.lines.map(line), ...(view.locked ? desk.lock() : []), ...sections(view, desk)];
}

/** A day, or a moment by the reader's own clock, on the phone's own picker. */
function when(step, type, name) {
  const box = h("input", { id: newId(), type });
  const whole = field(anyOf(`page.ask.${step.id}`, "page.write"), box);
  return { whole, missing: missing(), read: () => box.value && { [name]: box.value } };
}

NEEDS.day = (step) => when(step, "date", "day");
NEEDS.moment = (step) => when(step, "datetime-local", "moment");
NEEDS.code_choice = (step) => {
  const [code, picked] = [NEEDS.code(step), choices("radio", anyOf(`page.which.${step.id}`, "page.reason"), step.choices)];
  const read = () => code.read() && picked.values()[0] && { ...code.read(), reason: picked.values()[0] };
  return { whole: h("div", {}, code.whole, picked), missing: missing(), read };
};
NEEDS.several = (step) => {
  const picked = choices("checkbox", anyOf(`page.ask.${step.id}`, "page.reason"), step.choices);
  return { whole: picked, missing: missing(), read: () => picked.values().length && { chosen: picked.values() } };
};
