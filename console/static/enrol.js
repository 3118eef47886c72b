// How a phone is let in to read: a first PIN, the recovery code shown once, a day's wait, or somebody's yes.

import { button, h, moment, t, working, wrong } from "./ui.js";
import { lock, tell } from "./pin.js";
import { codeField, pinField } from "./steps.js";

const DAY = { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };

const STATES = { enrol: first, recover, wait, ask };

export const letIn = (reading, desk, after) => STATES[reading.state](reading, desk, after);

function first(reading, desk, after) {
  return lock(t("page.enrol.choose_title"), h("p", {}, t("page.enrol.choose_hint")), choosing(desk, "enrol", after));
}

/** A PIN twice, and what comes of it: `more()` gives the rest of the body, or null where something is missing. */
export function choosing(desk, way, after, more = () => ({}), label = "page.enrol.choose") {
  const first = pinField(t("page.enrol.new"), t("page.pin.length"));
  const again = pinField(t("page.enrol.again"), "", () => send.click());
  const whole = h("div", { class: "choosing" });
  const send = button(t(label), () => {
    const rest = more();
    if (!rest || !first.fits()) return;
    const same = first.value() === again.value();
    wrong(again.box, same ? "" : t("page.enrol.differs"));
    if (!same) return;
    working(send, async () => {
      let answer;
      try {
        answer = await desk.prove(way, way === "change" ? { ...rest, new: first.value() } : { ...rest, pin: first.value() });
      } catch (refusal) {
        const theirs = ["error.wrong_code", "error.wrong_pin"].includes(refusal.code) && more.box;
        if (!theirs) again.box.value = ""; // both are typed anew
        return tell(theirs || first.box, refusal);
      }
      if (answer.recovery) showOnce(whole, answer.recovery, after);
      else await after();
    });
  }, "big");
  whole.append(first, again, h("div", { class: "actions" }, send));
  return whole;
}

/** The recovery code, this once: nothing else stands on the card meanwhile. */
function showOnce(place, code, after) {
  const home = place.closest(".lock");
  const heading = h(home ? "h2" : "h3", { tabindex: "-1", id: home?.getAttribute("aria-labelledby") }, t("page.enrol.code_title"));
  const done = button(t("page.enrol.written"), () => working(done, after), "big");
  (home ?? place).replaceChildren(heading,
    h("p", { class: "secret", dir: "ltr" }, code),
    h("p", {}, t("page.enrol.code_hint")),
    h("div", { class: "actions" }, done));
  heading.focus();
}

/** Where reading is open: another PIN, another recovery code. */
export function changing(desk) {
  const old = pinField(t("page.enrol.old"));
  const more = () => old.fits() && { pin: old.value() };
  more.box = old.box;
  const another = button(t("page.enrol.new_code"), () => working(another, async () => {
    const { recovery: code } = await desk.prove("code", {});
    showOnce(place, code, () => desk.refresh());
  }), "wide");
  const place = h("div", {}, h("p", {}, t("page.enrol.new_code_hint")), h("div", { class: "actions" }, another));
  return [
    h("details", {}, h("summary", {}, t("page.enrol.change")), old, choosing(desk, "change", () => desk.refresh(), more)),
    h("details", {}, h("summary", {}, t("page.enrol.lost_code")), place),
  ];
}

function recover(reading, desk, after) {
  const code = codeField(t("page.enrol.code"), t("page.enrol.code_where"), { dir: "ltr" });
  const more = () => {
    const given = code.box.value.trim();
    wrong(code.box, given ? "" : t("page.code_missing"));
    return given ? { recovery: given } : null;
  };
  more.box = code.box;
  return lock(t("page.enrol.recover_title"),
    h("p", {}, t("page.enrol.recover_hint")),
    h("details", {}, h("summary", {}, t("page.enrol.have_code")), code, choosing(desk, "recover", after, more, "page.send")),
    h("details", {}, h("summary", {}, t("page.enrol.ask_desk")), h("p", {}, t("page.enrol.ask_hint")),
      choosing(desk, "ask", after, undefined, "page.enrol.ask_send")));
}

function wait(reading) {
  return lock(t("page.enrol.wait_title"), h("p", {}, t("page.enrol.wait", { time: moment(reading.at, DAY) })), h("p", { class: "hint" }, t("page.enrol.wait_hint")));
}

function ask(reading, desk, after) {
  const look = button(t("page.enrol.look_again"), () => working(look, after), "wide");
  return lock(t("page.enrol.ask_title"),
    h("p", {}, t("page.enrol.ask_wait")),
    reading.check && h("p", { class: "secret", dir: "ltr" }, reading.check),
    h("div", { class: "actions" }, look));
}
