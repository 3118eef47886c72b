// Small parts that every page is made of. All words come from the server's texts; all content is set as text,
// never as markup.

let texts = {};
let tongue = "en";
let zone;

export const language = () => tongue;

/** From now on speak this language, in this time zone; `words` are its texts by key. */
export function speak(newLanguage, direction, words, timezone) {
  texts = newLanguage === tongue ? { ...texts, ...words } : { ...words }; // a page behind this one keeps its words
  tongue = newLanguage;
  zone = timezone;
  document.documentElement.lang = newLanguage;
  document.documentElement.dir = direction;
}

/** Words that came with what they are about. */
export function learn(words) {
  Object.assign(texts, words);
}

/** The words of a text key; the key itself where there are none. */
export function t(key, params = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);
}

/** The first of these keys that has words, or ''. */
export function anyOf(...keys) {
  const found = keys.find((key) => texts[key]);
  return found ? t(found) : "";
}

/** An element. `on…` attributes are listeners; true sets an attribute, false and null leave it out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child || child === "0"));
  return element;
}

const LONG = { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };
const SHORT = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };

/** 'Tuesday 3 March at 14:30' in the person's language and time zone: the same time as in the chat. */
export function moment(iso, shape = LONG) {
  const spoken = tongue === "en" ? "en-GB" : tongue;
  return new Intl.DateTimeFormat(spoken, { ...shape, timeZone: zone }).format(new Date(iso));
}

/** '3 Mar, 14:30'. */
export const shortMoment = (iso) => moment(iso, SHORT);

export function time(iso) {
  return h("time", { datetime: iso }, moment(iso));
}

/** Say something to a screen reader without moving the focus. */
export function announce(words) {
  document.getElementById("live").textContent = words;
}

/** Nothing is under way any more; what was said of its end is left to be read aloud. */
function sent() {
  const live = document.getElementById("live");
  if (live.textContent === t("page.sending")) live.textContent = "";
}

let names = 0;
export const newId = () => `n${++names}`;

/** A card with a heading of its own. */
export function card(title, ...children) {
  const id = newId();
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

/** Numbers for whoever cannot wait, each to be pressed; whatever stands beside a number is said, not called. */
export function danger(lines) {
  const number = (line) => line.match(/\+?[\d -]*\d/)?.[0].replace(/[ -]/g, "") ?? "";
  return h("div", { class: "danger" }, h("p", {}, t("page.danger")),
    h("ul", {}, ...lines.map((line) => h("li", {}, h("a", { href: `tel:${number(line)}` }, line)))));
}

export function button(words, onclick, kind = "") {
  return h("button", { type: "button", class: kind, onclick }, words);
}

/** A field under its label; `hint` is read out with it. */
export function field(label, input, hint = "") {
  input.id ||= newId();
  if (!hint) return h("div", { class: "field" }, h("label", { for: input.id }, label), input);
  const hintId = `${input.id}h`;
  describe(input, hintId);
  return h("div", { class: "field" }, h("label", { for: input.id }, label), h("p", { id: hintId, class: "hint" }, hint), input);
}

/** The element with this id is read out with the field. */
export function describe(input, id) {
  const before = input.getAttribute("aria-describedby");
  input.setAttribute("aria-describedby", before ? `${before} ${id}` : id);
}

/** Radio buttons or checkboxes as large rows. `choices`: {id, label | label_key, chosen}. */
export function choices(type, legend, items, onchange = () => {}, legendClass = null) {
  const name = newId();
  const rows = items.map((item) =>
    h("label", { class: "choice" },
      h("input", { type, name, value: item.id, checked: item.chosen, onchange }),
      h("span", {}, item.label || t(item.label_key))));
  const set = h("fieldset", {}, h("legend", { class: legendClass }, legend), ...rows);
  set.values = () => [...set.querySelectorAll("input:checked")].map((input) => input.value);
  return set;
}

/** A text box with a quiet count of what is left, spoken only near the end. */
export function writing(label, limit, hint = "", rows = 5) {
  const box = h("textarea", { id: newId(), rows, maxlength: limit });
  const count = h("p", { class: "count", "aria-hidden": "true" });
  const show = () => {
    const left = limit - box.value.length;
    count.textContent = box.value ? t("page.left", { count: left }) : "";
    if (left === 100 || left === 0) announce(count.textContent);
  };
  box.addEventListener("input", show);
  show();
  const whole = h("div", {}, field(label, box, hint), count);
  whole.box = box;
  whole.count = show;
  return whole;
}

/** A field with something wrong says so right below it, and a screen reader reads it out with the field. */
export function wrong(input, words) {
  const id = `${input.id}e`;
  let place = document.getElementById(id);
  if (!place) {
    place = h("p", { class: "missing", id, role: "alert" });
    (input.closest(".withbutton") ?? input).after(place);
    describe(input, id);
  }
  place.textContent = words;
  input.setAttribute("aria-invalid", String(Boolean(words)));
  if (words) input.focus();
}

let askPin = null;

/** Whoever knows how to ask for the PIN: `asker(again)` gives an element. */
export const pinAsker = (asker) => { askPin = asker; };

/** The words of a refusal, the waiting time included. */
export function reason(refusal) {
  if (refusal.code === "offline") return anyOf("page.offline", "page.boot.offline");
  const wait = refusal.minutes > 0 && refusal.code === "error.wrong_pin" && anyOf("page.pin.minutes");
  const words = refusal.message || anyOf("page.boot.failed");
  return wait ? `${words} ${t("page.pin.minutes", { minutes: refusal.minutes })}` : words;
}

/** What went wrong, where it was tried, with a way to try again. Nothing typed is touched. */
export function trouble(refusal, again) {
  if (refusal.code === "error.pin_needed" && askPin && again) return askPin(again);
  const over = refusal.code === "error.session_over"; // only the chat can open it again
  return h("div", { class: "trouble", role: "alert", tabindex: "-1" },
    h("p", {}, reason(refusal)),
    again && !over && button(anyOf("page.again", "page.boot.again"), again));
}

/** Do something slow behind a button: pressed once, shown as under way, trouble shown beside it. */
export async function working(pressed, work) {
  if (pressed.getAttribute("aria-disabled") === "true") return;
  const words = pressed.textContent;
  const place = pressed.closest(".actions") ?? pressed;
  if (place.nextElementSibling?.matches(".trouble, .asking")) place.nextElementSibling.remove();
  pressed.setAttribute("aria-disabled", "true");
  pressed.textContent = t("page.sending");
  announce(t("page.sending"));
  try {
    await work();
  } catch (refusal) {
    if (!(refusal.code ?? "")) throw refusal;
    const again = ["offline", "error.pin_needed"].includes(refusal.code);
    const shown = trouble(refusal, again ? () => pressed.click() : null);
    place.after(shown);
    shown.focus();
  } finally {
    sent();
    pressed.textContent = words;
    pressed.removeAttribute("aria-disabled");
  }
}
