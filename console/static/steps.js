// The steps that a view offers, as data: each is pressed, or opens and asks for what it needs. A new page needs no
// more than `stepForm` for what its view lists.

import { anyOf, button, choices, field, h, newId, t, working, writing, wrong } from "./ui.js";

const OUTCOMES = ["met", "partly_met", "unmet"];
const TEXT_LIMIT = 4000;

/** Steps that need nothing more than a press, the likeliest first. `body`: what goes with each of them. */
export function pressing(steps, desk, body = {}) {
  const hints = steps.map((step) => anyOf(`page.hint.${step.id}`)).filter(Boolean);
  const buttons = steps.map((step, index) => {
    const press = button(t(step.label_key), () => working(press, () => desk.step(step.id, body)), index ? "wide" : "big");
    return press;
  });
  return h("div", { class: "card step" }, ...hints.map((hint) => h("p", {}, hint)), h("div", { class: "actions" }, ...buttons));
}

/** One step behind its summary, and what it needs: a yes, a text, a code, a reason, a PIN, or how it ended. */
export function stepForm(step, desk, body = {}) {
  const label = t(step.label_key);
  const hint = anyOf(`page.hint.${step.id}`, step.hint_key);
  const kind = step.danger ? "careful" : "big";
  // A dangerous step is asked for once more, whatever it needs.
  const form = (NEEDS[step.needs || "yes"] ?? NEEDS.text)(step, desk);
  const send = button(t(form.yes ? "page.yes" : "page.send"), () => {
    const given = form.read();
    form.missing.textContent = given || form.shown ? "" : t("page.choose_one");
    if (given) working(send, () => desk.step(step.id, { ...body, ...given }));
    else form.whole.querySelector("input, textarea")?.focus();
  }, kind);
  const details = h("details", { class: kind },
    h("summary", {}, label),
    hint && h("p", {}, hint), form.whole, form.missing,
    h("div", { class: "actions" }, send, form.yes && button(t("page.no"), () => { details.open = false; }, "plain")));
  return details;
}

/** A step among the facts that it is about: a quiet button, or what it asks for. */
export function act(step, desk, body = {}) {
  if (step.needs || step.danger) return stepForm(step, desk, body);
  const press = button(t(step.label_key), () => working(press, () => desk.step(step.id, body)), "wide");
  return h("div", { class: "actions" }, press);
}

/** Every step of a view, quick ones first, each in its place. */
export function allSteps(steps, desk, body = {}) {
  const simple = steps.filter((step) => !step.danger && !step.needs);
  const asking = steps.filter((step) => step.danger || step.needs);
  return [
    simple.length && pressing(simple, desk, body),
    ...asking.map((step) => h("div", { class: step.danger ? "card" : "card step" }, stepForm(step, desk, body))),
  ].filter(Boolean);
}

/** A field for digits or letters that must never be remembered by the phone. */
export function codeField(label, hint = "", more = {}) {
  const box = h("input", { id: newId(), type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 200, ...more });
  const whole = field(label, box, hint);
  whole.box = box;
  return whole;
}

/** A PIN: digits on the phone's number pad, hidden until shown. Pasting works; Thai and Arabic digits are digits. */
export function pinField(label, hint = "", onenter = () => {}) {
  const whole = codeField(label, hint, { type: "password", inputmode: "numeric", maxlength: 24, class: "pin", dir: "ltr" });
  const box = whole.box;
  const look = button(t("page.pin.show"), () => {
    const hidden = box.type === "text";
    box.type = hidden ? "password" : "text";
    look.textContent = t(hidden ? "page.pin.show" : "page.pin.hide");
    box.focus();
  }, "plain");
  const beside = h("div", { class: "withbutton" });
  box.replaceWith(beside);
  beside.append(box, look);
  box.addEventListener("keydown", (event) => { if (event.key === "Enter") onenter(); });
  whole.value = () => plainDigits(box.value);
  whole.fits = () => {
    const fine = /^\d{6,12}$/.test(whole.value());
    wrong(box, fine ? "" : t("page.pin.length"));
    return fine;
  };
  return whole;
}

function plainDigits(text) {
  return text.replace(/[\s-]/g, "").replace(/[๐-๙]/g, (d) => d.charCodeAt(0) - 0xe50)
    .replace(/[٠-٩]/g, (d) => d.charCodeAt(0) - 0x660).replace(/[۰-۹]/g, (d) => d.charCodeAt(0) - 0x6f0);
}

export const missing = () => h("p", { class: "missing", role: "alert" });

export const NEEDS = {
  yes: (step) => ({
    whole: h("p", {}, anyOf(`page.confirm.${step.id}`, "page.confirm.default")),
    missing: missing(),
    yes: true,
    read: () => ({ yes: true }),
  }),
  text: (step, desk) => {
    const text = writing(anyOf(`page.ask.${step.id}`, "page.matter.write", "page.write"), TEXT_LIMIT, "", 3);
    desk.draft(text.box, step.id);
    return { whole: text, missing: missing(), read: () => text.box.value.trim() && { text: text.box.value } };
  },
  code: (step) => {
    const code = codeField(anyOf(`page.ask.${step.id}`, "page.code"));
    return { whole: code, missing: missing(), read: () => code.box.value.trim() && { code: code.box.value.trim() } };
  },
  pin: () => {
    const pin = pinField(t("page.pin.label"));
    return { whole: pin, missing: missing(), shown: true, read: () => pin.fits() && { pin: pin.value() } };
  },
  reason: (step) => {
    const reasons = choices("radio", anyOf(`page.ask.${step.id}`, "page.matter.reason", "page.reason"), step.choices);
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
