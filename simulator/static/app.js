// Wires the page: people, phones, clock, workbench, and the stream of what has changed.
import { h, look, act, announce } from "/static/dom.js";
import { Phone } from "/static/phone.js";
import { Bench } from "/static/bench.js";

const phones = new Map(); // name -> Phone
const stage = document.getElementById("phones");
const chips = document.getElementById("people");
const bench = new Bench(document.getElementById("bench"), document.getElementById("open-bench"));
let clock = { offset_s: 0 };
let current = "";

async function refreshAll() {
  const state = await look("/sim/page");
  clock = state.clock;
  drawClock();
  document.title = `${state.bot.name} · phones of a demo network`;
  for (const person of state.people) addPhone(person, state.bot.name);
  for (const [name, phone] of phones) {
    if (!state.people.some((person) => person.name === name)) {
      phone.element.remove();
      phones.delete(name);
    }
  }
  await Promise.all([...phones.values()].map((phone) => phone.refresh()));
  drawChips();
  bench.refresh();
}

function addPhone(person, botName) {
  const old = phones.get(person.name);
  if (old && old.person.role === person.role) return;
  const phone = new Phone(person, botName);
  if (old) old.element.replaceWith(phone.element);
  else stage.append(phone.element);
  phones.set(person.name, phone);
  seen.observe(phone.element);
}

// -- people ------------------------------------------------------------------------------------------

function drawChips() {
  if (!phones.has(current)) current = phones.keys().next().value ?? "";
  const focused = chips.contains(document.activeElement) ? document.activeElement.dataset.name : null;
  chips.replaceChildren(...[...phones.values()].map(chip));
  if (focused) [...chips.children].find((element) => element.dataset.name === focused)?.focus();
}

function chip(phone) {
  const { name, role } = phone.person;
  const unread = phone.state?.unread;
  const mark = unread ? h("span", { class: "badge", "aria-label": `${unread} unread` }, String(unread)) : "";
  return h("button", {
    type: "button", class: "chip", "data-name": name, "aria-current": String(name === current), onclick: () => goTo(phone),
  }, `${name} `, h("small", {}, role || "stranger"), mark);
}

function goTo(phone) {
  phone.element.scrollIntoView({ behavior: "smooth", inline: "start", block: "nearest" });
  phone.text.focus({ preventScroll: true });
}

const seen = new IntersectionObserver((entries) => {
  const best = entries.filter((entry) => entry.isIntersecting).sort((a, b) => b.intersectionRatio - a.intersectionRatio)[0];
  const phone = best && [...phones.values()].find((one) => one.element === best.target);
  if (phone && matchMedia("(max-width: 760px)").matches) setCurrent(phone);
}, { root: stage, threshold: 0.6 });

stage.addEventListener("focusin", (event) => {
  const phone = [...phones.values()].find((one) => one.element.contains(event.target));
  if (phone) setCurrent(phone);
});

function setCurrent(phone) {
  if (current === phone.person.name) return;
  current = phone.person.name;
  drawChips();
  chips.querySelector("[aria-current=true]")?.scrollIntoView({ inline: "center", block: "nearest" });
}

// -- clock -------------------------------------------------------------------------------------------

function drawClock() {
  const now = new Date(Date.now() + clock.offset_s * 1000);
  const shape = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  document.getElementById("now").textContent = now.toLocaleString(undefined, shape);
  document.getElementById("ahead").textContent = ahead(clock.offset_s);
}

function ahead(seconds) {
  if (Math.abs(seconds) < 60) return "";
  const days = Math.floor(Math.abs(seconds) / 86400);
  const hours = Math.floor((Math.abs(seconds) % 86400) / 3600);
  const minutes = Math.floor((Math.abs(seconds) % 3600) / 60);
  const parts = [[days, "d"], [hours, "h"], [minutes, "min"]].filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`);
  return `${parts.join(" ")} ${seconds > 0 ? "ahead" : "behind"}`;
}

const steps = [...document.querySelectorAll("[data-advance]")];

async function advance(button) {
  for (const step of steps) step.disabled = true;
  try {
    await act("/sim/advance", { advance_s: Number(button.dataset.advance) });
    announce(`The clock has moved: ${button.textContent}`);
  } catch (error) {
    tell(error.message);
  }
  for (const step of steps) step.disabled = false;
  button.focus();
}

for (const step of steps) step.addEventListener("click", () => advance(step));
setInterval(drawClock, 10_000);

function tell(words) {
  document.getElementById("alert-text").textContent = words;
  document.getElementById("alert").showModal();
}

// -- a new phone -------------------------------------------------------------------------------------

const stranger = document.getElementById("stranger");
const form = document.getElementById("stranger-form");
document.getElementById("new-phone").addEventListener("click", () => stranger.showModal());
form.querySelector("[data-cancel]").addEventListener("click", () => stranger.close());
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const wrong = form.querySelector(".wrong");
  wrong.textContent = "";
  try {
    const person = await act("/sim/people", { name: form.elements.name.value.trim(), language: form.elements.language.value });
    stranger.close();
    form.reset();
    await refreshAll();
    goTo(phones.get(person.name));
  } catch (error) {
    wrong.textContent = error.message;
  }
});

// -- what has changed --------------------------------------------------------------------------------

const offline = document.getElementById("offline");
const stream = new EventSource("/sim/events");
stream.addEventListener("open", () => {
  offline.hidden = true;
  refreshAll();
});
stream.addEventListener("error", () => {
  offline.hidden = false;
});
stream.addEventListener("message", async (event) => {
  const changed = JSON.parse(event.data);
  if (changed.all) return refreshAll();
  if (changed.traffic) bench.refresh();
  await Promise.all(changed.people.map((name) => phones.get(name)?.refresh()));
  if (changed.people.length) drawChips();
});
