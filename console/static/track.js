// Following a matter from another phone: a code shows how far it is, and with the PIN it moves here.

import { button, card, h, t, time, working, wrong } from "./ui.js";
import { said } from "./lines.js";
import { codeField, pinField } from "./steps.js";

let typed = ""; // the code stays in memory, so that it is typed once

export function show(view, desk) {
  const can = Object.fromEntries(view.steps.map((step) => [step.id, step]));
  const code = codeField(t("page.track.code"), t("page.track.code_hint"), { value: typed, dir: "ltr" });
  const given = () => {
    typed = code.box.value.trim();
    wrong(code.box, typed ? "" : t("page.code_missing"));
    return typed && { code: typed };
  };
  const take = (step, more = () => ({}), kind = "big") => {
    const press = button(t(step.label_key), () => {
      const [body, rest] = [given(), more()];
      if (body && rest) working(press, () => desk.step(step.id, { ...body, ...rest }));
    }, kind);
    return h("div", { class: "actions" }, press);
  };
  code.box.addEventListener("keydown", (event) => { if (event.key === "Enter") look?.firstChild.click(); });
  const look = can.look && take(can.look);
  return [
    h("h1", {}, t("page.track.title")),
    h("p", { class: "lead" }, t("page.track.lead")),
    said(view.said_key),
    view.stage_key && found(view),
    ...view.moves.map(moving),
    h("section", { class: "card", "aria-label": t("page.track.title") }, code, look),
    (can.move || can.ask_desk) && card(t("page.track.move"),
      h("p", {}, t("page.track.move_hint")),
      can.move && withPin(can.move, take),
      can.ask_desk && h("details", {}, h("summary", {}, t("page.track.no_pin")), h("p", {}, t("page.track.no_pin_hint")), take(can.ask_desk))),
    card(t("page.track.of_yes"), h("p", {}, t("page.track.of_yes_hint")), h("div", { class: "actions" }, receipt(desk))),
  ];
}

/** A code of four words may be another one: that of a yes by word, which takes it back. */
function receipt(desk) {
  const press = button(t("page.track.of_yes_go"), () => working(press, () => desk.open("word")), "wide");
  return press;
}

function found(view) {
  const made = card(t("page.track.found"), h("p", {}, t(view.stage_key)), view.next_by && h("p", { class: "by" }, t("page.next_by"), " ", time(view.next_by)));
  made.classList.add("calm");
  made.querySelector("h2").dataset.first = "";
  return made;
}

function withPin(step, take) {
  const pin = pinField(t("page.pin.label"), t("page.track.pin_hint"));
  return h("details", {}, h("summary", {}, t("page.track.with_pin")), pin, take(step, () => pin.fits() && { pin: pin.value() }));
}

/** On its way to this phone. */
function moving(move) {
  const made = card(t("page.track.coming"),
    h("p", {}, t(move.due_at ? "page.track.due" : "page.track.check"), " ", move.due_at && time(move.due_at)),
    move.check && h("p", { class: "secret", dir: "ltr" }, move.check));
  made.classList.add("calm");
  return made;
}
