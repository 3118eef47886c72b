// What is held about the reader: to look at, to take home, to have destroyed.

import { atLeast, post } from "./bridge.js";
import { button, card, h, t, time } from "./ui.js";
import { day, line, list, once } from "./lines.js";
import { act, stepForm } from "./steps.js";

export function show(view, desk) {
  if (view.view === "gone") return gone(view, desk);
  const quiet = view.steps.filter((step) => step.danger);
  const safe = view.steps.filter((step) => !step.danger);
  return [
    h("h1", {}, t("page.mydata.title")),
    h("p", { class: "lead" }, t("page.mydata.lead")),
    view.passphrase && archive(view),
    view.delete_at && h("p", { class: "said" }, t("page.mydata.delete_at"), " ", time(view.delete_at)),
    card(t("page.mydata.held"), list(view.held.map((held) => heldLine(held, desk)), "page.mydata.nothing")),
    safe.length && card(t("page.mydata.take"), ...(view.locked ? [h("p", { class: "hint" }, t("page.mydata.pin_first"))] : []),
      ...safe.map((step) => act(step, desk))),
    view.locked && desk.lock(() => desk.refresh()),
    quiet.length && card(t("page.mydata.remove"),
      view.stays.length && h("div", {}, h("p", {}, t("page.mydata.stays")), words(view.stays)),
      view.posts.length && h("div", {}, h("p", {}, t("page.mydata.posts")), words(view.posts)),
      ...quiet.map((step) => stepForm(step, desk))),
  ];
}

const words = (keys) => h("ul", { class: "plainlist" }, ...keys.map((key) => h("li", {}, t(key))));

function heldLine(held, desk) {
  return line(held.count > 1 ? `${t(held.what_key)} · ${held.count}` : t(held.what_key), [], desk, {},
    held.until && h("p", {}, t("page.mydata.until"), " ", day(held.until)),
    held.why_key && h("p", { class: "hint" }, t(held.why_key)));
}

/** The way home: a passphrase to write down, and a file that opens with it. */
function archive(view) {
  const name = "my-things.zip";
  const fetchIt = h("a", { class: "big", href: view.download, download: name, onclick: (event) => {
    // Inside the app a file is fetched by the app itself; elsewhere the link does it.
    if (atLeast(8) && post("web_app_request_file_download", { url: new URL(view.download, location.origin).href, file_name: name })) event.preventDefault();
  } }, t("page.mydata.download"));
  return once(t("page.mydata.passphrase"), view.passphrase,
    h("p", {}, t("page.mydata.passphrase_hint")),
    h("div", { class: "actions" }, fetchIt),
    view.download_until && h("p", { class: "until" }, t("page.mydata.download_until"), " ", time(view.download_until)));
}

function gone(view, desk) {
  return [
    h("h1", {}, t("page.mydata.gone")),
    h("p", { class: "lead" }, t(view.said_key)),
    view.stays.length && card(t("page.mydata.stays"), words(view.stays)),
    h("div", { class: "actions" }, button(t("page.to_chat"), desk.close, "big")),
  ];
}
