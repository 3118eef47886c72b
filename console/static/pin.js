// Reading asks for a PIN, in its place on the page and never as a wall: what to type, what to wait for, whom to ask.
// The card is also where a PIN is chosen, and where the recovery code is shown, once.

import { announce, button, card as boxed, h, moment, reason, t, working, wrong } from "./ui.js";
import { codeField, pinField } from "./steps.js";

const DAY = { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };

/** The card for this device's state; nothing where reading is open. `after` runs when it can be read. */
export function card(desk, after = () => desk.refresh("[data-read] h2")) {
  const reading = desk.reading();
  const make = STATES[reading.state];
  return make ? [make(reading, desk, after)] : [];
}

/** An offer below a receipt: never asked for, only possible. */
export function offer(desk) {
  if (desk.reading().state !== "enrol") return [];
  const form = choosing(desk, "enrol", () => desk.refresh());
  return [h("section", { class: "card" }, h("details", {}, h("summary", {}, t("page.pin.offer")), h("p", {}, t("page.pin.offer_hint")), form))];
}

const STATES = { pin: prove, enrol, recover, wait, ask };

function lock(title, ...parts) {
  const made = boxed(title, ...parts);
  made.classList.add("lock");
  return made;
}

/** Words that say what went wrong, at the field that it is about. */
function tell(input, refusal) {
  if (["offline", "error.session_over"].includes(refusal.code)) throw refusal;
  wrong(input, reason(refusal));
  input.value = "";
}

function prove(reading, desk, after) {
  const pin = pinField(t("page.pin.label"), "", () => open.click());
  pin.box.dataset.pin = "";
  const open = button(t("page.pin.open"), () => {
    if (!pin.fits()) return;
    working(open, async () => {
      try {
        await desk.prove("prove", { pin: pin.value() });
      } catch (refusal) {
        return tell(pin.box, refusal);
      }
      await after();
    });
  }, "big");
  const soon = reading.at && new Date(reading.at) > new Date() && h("p", { class: "until" }, t("page.pin.not_before", { time: moment(reading.at, { hour: "2-digit", minute: "2-digit" }) }));
  return lock(t("page.pin.title"), h("p", { class: "hint" }, t("page.pin.hint")), soon, pin, h("div", { class: "actions" }, open));
}

function enrol(reading, desk, after) {
  return lock(t("page.pin.choose_title"), h("p", {}, t("page.pin.choose_hint")), choosing(desk, "enrol", after));
}

/** A PIN twice, and what comes of it: `more()` gives the rest of the body, or null where something is missing. */
function choosing(desk, way, after, more = () => ({}), label = "page.pin.choose") {
  const first = pinField(t("page.pin.new"), t("page.pin.length"));
  const again = pinField(t("page.pin.again"), "", () => send.click());
  const whole = h("div", { class: "choosing" });
  const send = button(t(label), () => {
    const rest = more();
    if (!rest || !first.fits()) return;
    const same = first.value() === again.value();
    wrong(again.box, same ? "" : t("page.pin.differs"));
    if (!same) return;
    working(send, async () => {
      let answer;
      try {
        answer = await desk.prove(way, way === "change" ? { ...rest, new: first.value() } : { ...rest, pin: first.value() });
      } catch (refusal) {
        const theirs = ["error.wrong_code", "error.wrong_pin"].includes(refusal.code) && more.box;
        return tell(theirs || first.box, refusal);
      }
      if (answer.recovery) whole.replaceChildren(...recovery(answer.recovery, after));
      else await after();
    });
  }, "big");
  whole.append(first, again, h("div", { class: "actions" }, send));
  return whole;
}

/** The recovery code, this once. */
function recovery(code, after) {
  const done = button(t("page.pin.written"), () => working(done, after), "big");
  const heading = h("h3", { tabindex: "-1" }, t("page.pin.code_title"));
  announce(t("page.pin.code_title"));
  requestAnimationFrame(() => heading.focus());
  return [heading, h("p", { class: "secret", dir: "ltr" }, code), h("p", {}, t("page.pin.code_hint")), h("div", { class: "actions" }, done)];
}

/** Where reading is open: another PIN, another recovery code. */
export function changing(desk) {
  const old = pinField(t("page.pin.old"));
  const more = () => old.fits() && { pin: old.value() };
  more.box = old.box;
  const another = button(t("page.pin.new_code"), () => working(another, async () => {
    const { recovery: code } = await desk.prove("code", {});
    place.replaceChildren(...recovery(code, () => desk.refresh()));
  }), "wide");
  const place = h("div", {}, h("p", {}, t("page.pin.new_code_hint")), h("div", { class: "actions" }, another));
  return [
    h("details", {}, h("summary", {}, t("page.pin.change")), old, choosing(desk, "change", () => desk.refresh(), more)),
    h("details", {}, h("summary", {}, t("page.pin.lost_code")), place),
  ];
}

function recover(reading, desk, after) {
  const code = codeField(t("page.pin.code"), t("page.pin.code_where"), { dir: "ltr" });
  const more = () => {
    const given = code.box.value.trim();
    wrong(code.box, given ? "" : t("page.pin.code_missing"));
    return given ? { recovery: given } : null;
  };
  more.box = code.box;
  return lock(t("page.pin.recover_title"),
    h("p", {}, t("page.pin.recover_hint")),
    h("details", {}, h("summary", {}, t("page.pin.have_code")), code, choosing(desk, "recover", after, more, "page.send")),
    h("details", {}, h("summary", {}, t("page.pin.ask_desk")), h("p", {}, t("page.pin.ask_hint")),
      choosing(desk, "ask", after, undefined, "page.pin.ask_send")));
}

function wait(reading) {
  return lock(t("page.pin.wait_title"), h("p", {}, t("page.pin.wait", { time: moment(reading.at, DAY) })), h("p", { class: "hint" }, t("page.pin.wait_hint")));
}

function ask(reading, desk, after) {
  const look = button(t("page.pin.look_again"), () => working(look, after), "wide");
  return lock(t("page.pin.ask_title"),
    h("p", {}, t("page.pin.ask_wait")),
    reading.check && h("p", { class: "secret", dir: "ltr" }, reading.check),
    h("div", { class: "actions" }, look));
}
