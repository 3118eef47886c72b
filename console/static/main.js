// Every secure page begins here: prove the launch, get a session, show the view, follow steps and the way back.

import { launch, guessedLanguage, on, post, start } from "./bridge.js";
import { openSession, Refusal } from "./api.js";
import { openDevice } from "./device.js";
import { Drafts } from "./drafts.js";
import { anyOf, announce, button, describe, h, newId, pinAsker, speak, t, trouble } from "./ui.js";

// What a page leads to is fetched while it is read, so that a line that breaks behind a 'yes' still shows the receipt.
const LEADS_TO = { plan: "filed", offer: "matter" };

const MODULES = { gone: "mydata" };
// Pages that are nothing but sections.
for (const page of ["agreements", "attendance", "choose", "circle", "desk", "invited", "number", "receipt", "room", "rota", "tasks", "work"]) MODULES[page] = "sections";

const root = document.getElementById("page");
const trail = []; // the sessions behind this page, so that 'back' finds the menu again
let device, drafts;
let pin, enrol; // the scripts of a locked page, once it is one
let session = null;

const desk = {
  /** Take a step of this page and show what became of it. Raises Refusal, with everything typed still there. */
  async step(name, body = {}) {
    const view = await session.step(name, body);
    keepTyping(false);
    await (view.stage_key === "page.hidden" ? drafts.clear() : drafts.sent(name));
    await follow(view);
    await show(view);
    announce(t("page.done"));
  },
  /** Ask without changing the page (the plan's preview). */
  ask: (name, body) => session.step(name, body),
  /** PIN and devices; the answer as it is. */
  prove: (name, body) => session.prove(name, body),
  reading: () => session.reading ?? { state: "open" },
  /** Show this page again as it is now, and begin at `where`. */
  async refresh(where) {
    await show(await session.view(), where);
  },
  /** Go on to another page from the menu. */
  async open(page) {
    const next = await session.onward(page);
    const view = await next.view();
    await Promise.all([part(view.view), recall(page)]);
    trail.push(session);
    session = next;
    speak(session.language, session.direction, session.texts, session.timezone);
    await show(view);
  },
  /** The same page in another language: its words come with a new session. */
  async speakAgain() {
    session = await session.onward(session.page);
    speak(session.language, session.direction, session.texts, session.timezone);
    await show(await session.view());
  },
  page: () => session.page.split("/")[0],
  draft,
  part,
  /** What was typed for a step, and to keep it: for what is no text field. */
  kept: (step) => drafts.found[step],
  keep(step, text) {
    drafts.found[step] = text;
    return drafts.keep(step, text);
  },
  typing: () => keepTyping(true),
  bot: () => session.bot ?? "",
  /** The PIN's card (a list, perhaps empty), on a page whose view is locked. */
  lock: (after) => pin.card(desk, enrol, after),
  close,
};

/** A field whose text is kept until `step` has sent it; what was left there before stands in it again. */
function draft(box, step, onrestore = () => {}) {
  const before = drafts.found[step];
  if (before) {
    box.value = before;
    box.id ||= newId();
    const again = h("p", { class: "kept", id: `${box.id}k` }, t("page.kept"), " ", button(t("page.kept_clear"), () => {
      box.value = "";
      again.remove();
      box.dispatchEvent(new Event("input"));
      box.focus();
    }, "plain"));
    box.after(again);
    describe(box, again.id);
    onrestore();
  }
  box.addEventListener("input", () => {
    desk.typing();
    desk.keep(step, box.value);
  });
}

async function recall(page) {
  drafts = await new Drafts(device, page).load();
}

/** Whoever accepts goes on with the matter at once. Without a line it can be read here, and the chat leads on. */
async function follow(view) {
  if (view.view !== "matter" || desk.page() !== "offer") return;
  try {
    session = await session.onward(`matter/${view.id}`);
    speak(session.language, session.direction, session.texts, session.timezone);
    await recall(session.page);
  } catch {
    // The yes itself has been taken; the page says how to go on.
  }
}

/** The app asks before it closes, but only where nothing outlasts the page. */
function keepTyping(typed) {
  post("web_app_setup_closing_behavior", { need_confirmation: typed && !drafts?.lasting });
}

/** Leave at once, and leave nothing on the screen. */
function close() {
  session = null;
  root.replaceChildren(h("p", { class: "quiet" }, anyOf("page.closed")));
  keepTyping(false);
  post("web_app_close");
}

async function back() {
  if (!trail.length) return close();
  session = trail.pop();
  try {
    await recall(session.page);
    await show(await session.view());
  } catch (refusal) {
    showTrouble(refusal, () => { trail.push(session); back(); });
  }
}

let tries = 0;

/** A page's own script, fetched when it is first needed. A web view remembers a failure, so the next try differs. */
async function part(name) {
  try {
    return await import(`./${MODULES[name] ?? name}.js${tries ? `?${tries}` : ""}`);
  } catch {
    tries += 1;
    throw new Refusal("offline", "");
  }
}

/** What a locked page needs, before it is shown: where to look first must not move. */
async function locks() {
  const { state } = desk.reading();
  [pin, enrol] = await Promise.all([part("pin"), !["open", "pin"].includes(state) && part("enrol")]);
}

async function show(view, where) {
  // Sections bring their own script, and only pages that have some pay for it.
  const lists = view.sections?.some((one) => one.matters?.length || one.ways?.length);
  const [{ show: draw }, more, rows] = await Promise.all([part(view.view), view.sections?.length && part("sections"), lists && part("rows"), view.locked && locks()]);
  desk.rows = rows;
  desk.sections = (shown, here, late) => (more ? more.sections(shown, desk, here, late) : []);
  const content = draw(view, desk);
  const top = h("header", { class: "top" },
    trail.length ? button(t("page.back"), back, "plain back") : h("span", { class: "mark", "aria-hidden": "true" }, "Pulang"),
    button(t("page.close"), close, "plain"));
  root.replaceChildren(top, ...content.flat().filter(Boolean));
  root.setAttribute("aria-busy", "false");
  post("web_app_setup_back_button", { is_visible: trail.length > 0 });
  const heading = root.querySelector("h1");
  document.title = heading.textContent;
  const first = root.querySelector(where ?? "[data-first]") ?? heading;
  if (!first.matches("input, textarea")) first.tabIndex = -1;
  first.focus({ preventScroll: first === heading });
  if (first === heading) window.scrollTo(0, 0);
  if (LEADS_TO[view.view]) part(LEADS_TO[view.view]).catch(() => {});
}

function showTrouble(refusal, again) {
  root.replaceChildren(h("div", { class: "wait" }, h("h1", { class: "mark" }, "Pulang"), trouble(refusal, again)));
  root.setAttribute("aria-busy", "false");
  root.querySelector(".trouble").focus();
}

async function begin() {
  root.replaceChildren(h("div", { class: "wait" }, h("span", { class: "leaf", "aria-hidden": "true" }), h("p", {}, t("page.boot.loading"))));
  const page = location.pathname.replace(/^\/p\//, "");
  try {
    if (!session) {
      if (!launch.initData) throw new Refusal("error.session_over", t("page.boot.chat"));
      if (!globalThis.crypto?.subtle) throw new Refusal("error.session_over", t("page.boot.old"));
      part(page.split("/")[0]).catch(() => {}); // on its way while the server is asked
      device ??= await openDevice(launch.initData);
      session = await openSession(device, launch.initData, page);
      speak(session.language, session.direction, session.texts, session.timezone);
    }
    if (desk.reading().state === "pin") part("pin").catch(() => {});
    const [view] = await Promise.all([session.view(), recall(page)]);
    await show(view);
  } catch (refusal) {
    showTrouble(refusal, begin);
  }
}

/** Where a step finds that reading is locked, the PIN is asked in its place, and then the step is taken. */
pinAsker((again) => {
  const place = h("div", { class: "asking", tabindex: "-1" });
  locks().then(() => place.append(...desk.lock(again)), (refusal) => place.append(trouble(refusal, again)));
  return place;
});

const boot = JSON.parse(document.body.dataset.boot);
const guess = guessedLanguage() in boot ? guessedLanguage() : Object.keys(boot)[0];
speak(guess, "ltr", boot[guess]);
start();
on("back_button_pressed", back);
begin();
