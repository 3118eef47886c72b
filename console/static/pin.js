// Reading asks for a PIN, in its place on the page and never as a wall.

import { button, card as boxed, h, moment, reason, t, working, wrong } from "./ui.js";
import { pinField } from "./steps.js";

/** The card for this device's state, nothing where reading is open. `enrol`: its script, where it is needed. */
export function card(desk, enrol, after = () => desk.refresh("[data-read] h2")) {
  const reading = desk.reading();
  if (reading.state === "open") return [];
  if (reading.state === "pin") return [prove(reading, desk, after)];
  return enrol ? [enrol.letIn(reading, desk, after)] : [];
}

export function lock(title, ...parts) {
  const made = boxed(title, ...parts);
  made.classList.add("lock");
  return made;
}

/** Words that say what went wrong, at the field that it is about. */
export function tell(input, refusal) {
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
