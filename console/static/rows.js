// Rows that open a page: a matter with where it stands and what is promised, or plain words.

import { button, h, shortMoment, t, time, trouble, working } from "./ui.js";

/** A large row that opens a page; what went wrong is said below it. */
export function opener(desk, page, ...words) {
  const open = async () => {
    open.trouble?.remove();
    row.setAttribute("aria-busy", "true");
    try {
      await desk.open(page);
    } catch (refusal) {
      open.trouble = trouble(refusal, open);
      row.after(open.trouble);
      open.trouble.focus();
    } finally {
      row.removeAttribute("aria-busy");
    }
  };
  const row = h("button", { type: "button", class: "row", onclick: open }, ...words);
  return row;
}

/** One matter: what it is, where it stands, since when, who has it, and until when something is promised. */
export function matterRow(line, desk) {
  return opener(desk, line.page || `matter/${line.id}`,
    h("span", { class: "row-title" }, t(line.category_key), h("span", { class: "code" }, line.member || line.code)),
    h("span", {}, line.urgency_key && h("strong", { class: "pressing" }, t(line.urgency_key), " · "), t(line.stage_key)),
    line.next_by && h("span", { class: "by" }, t(line.next_key || "page.next_by"), " ", line.next_key ? shortMoment(line.next_by) : time(line.next_by)),
    (line.since || line.who_key) && h("span", { class: "aside" }, [line.who_key && t(line.who_key), line.since && t("part.row.since", { time: shortMoment(line.since) })].filter(Boolean).join(" · ")));
}

/** A list of them, or words that there is none. */
export function matterRows(lines, desk, empty) {
  if (!lines.length) return h("p", { class: "hint" }, t(empty));
  return h("ul", { class: "matters" }, ...lines.map((line) => h("li", {}, matterRow(line, desk))));
}

/** Small buttons to other pages, each with how much waits there; the one that is shown is no button. */
export function ways(part, desk) {
  const words = (way) => [t(way.label_key), way.count && ` · ${way.count}`].filter(Boolean).join("");
  const leave = (way) => {
    const press = button(words(way), () => working(press, () => desk.open(way.page)), "way");
    return press;
  };
  return h("div", { class: "ways" }, ...part.ways.map((way) => (way.chosen ? h("span", { class: "way", "aria-current": "page" }, words(way)) : leave(way))));
}
