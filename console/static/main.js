// Every secure page begins here: prove the launch, get a session, show the view, follow steps and the way back.

import { launch, guessedLanguage, on, post, start } from "./bridge.js";
import { openSession, Refusal } from "./api.js";
import { anyOf, announce, button, h, speak, t, trouble } from "./ui.js";
import { showPlan } from "./plan.js";
import { showFiled } from "./filed.js";
import { showOffer } from "./offer.js";
import { showMatter } from "./matter.js";
import { showMe } from "./me.js";

const SHOW = { plan: showPlan, filed: showFiled, offer: showOffer, matter: showMatter, me: showMe };
const root = document.getElementById("page");
const trail = []; // the sessions behind this page, so that 'back' finds the menu again
let session = null;

const desk = {
  /** Take a step of this page and show what became of it. Raises Refusal, with everything typed still there. */
  async step(name, body = {}) {
    const view = await session.step(name, body);
    keepTyping(false);
    await follow(view);
    show(view);
    announce(t("page.done"));
  },
  /** Ask without changing the page (the plan's preview). */
  ask: (name, body) => session.step(name, body),
  /** Go on to another page from the menu. */
  async open(page) {
    const next = await session.onward(page);
    const view = await next.view();
    trail.push(session);
    session = next;
    show(view);
  },
  /** The same page in another language: its words come with a new session. */
  async speakAgain() {
    session = await session.onward(session.page);
    speak(session.language, session.direction, session.texts, session.timezone);
    show(await session.view());
  },
  page: () => session.page.split("/")[0],
  keepTyping,
  close,
};

/** Whoever accepts goes on with the matter at once. Without a line it can be read here, and the chat leads on. */
async function follow(view) {
  if (view.view !== "matter" || desk.page() !== "offer") return;
  try {
    session = await session.onward(`matter/${view.id}`);
  } catch {
    // The yes itself has been taken; the page says how to go on.
  }
}

function keepTyping(typed) {
  post("web_app_setup_closing_behavior", { need_confirmation: typed });
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
    show(await session.view());
  } catch (refusal) {
    showTrouble(refusal, () => { trail.push(session); back(); });
  }
}

function show(view) {
  const content = SHOW[view.view](view, desk);
  const top = h("header", { class: "top" },
    trail.length ? button(t("page.back"), back, "plain back") : h("span", { class: "mark", "aria-hidden": "true" }, "Pulang"),
    button(t("page.close"), close, "plain"));
  root.replaceChildren(top, ...content);
  root.setAttribute("aria-busy", "false");
  post("web_app_setup_back_button", { is_visible: trail.length > 0 });
  const heading = root.querySelector("h1");
  document.title = heading.textContent;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function showTrouble(refusal, again) {
  root.replaceChildren(h("div", { class: "wait" }, h("h1", { class: "mark" }, "Pulang"), trouble(refusal, again)));
  root.setAttribute("aria-busy", "false");
  root.querySelector(".trouble").focus();
}

async function begin() {
  root.replaceChildren(h("div", { class: "wait" }, h("span", { class: "leaf", "aria-hidden": "true" }), h("p", {}, t("page.boot.loading"))));
  try {
    if (!session) {
      if (!launch.initData) throw new Refusal("error.session_over", t("page.boot.chat"));
      session = await openSession(launch.initData, location.pathname.replace(/^\/p\//, ""));
      speak(session.language, session.direction, session.texts, session.timezone);
    }
    show(await session.view());
  } catch (refusal) {
    showTrouble(refusal, begin);
  }
}

const boot = JSON.parse(document.body.dataset.boot);
const guess = guessedLanguage() in boot ? guessedLanguage() : Object.keys(boot)[0];
speak(guess, "ltr", boot[guess]);
start();
on("back_button_pressed", back);
begin();
