// Behind the menu button: one's own matters, the queue of a post, settings, privacy, and a way to be left alone.

import { reminders } from "./reminders.js";
import { matterRows as list, opener } from "./rows.js";
import { announce, anyOf, button, card, field, h, t, working } from "./ui.js";

export function show(view, desk) {
  const posts = view.roles.map((key) => t(key)).join(" · ");
  return [
    h("h1", {}, t("page.me.title")),
    posts && h("p", { class: "lead" }, posts),
    view.roles.length && card(t("page.me.queue"), list(view.queue, desk, "page.me.queue_empty")),
    (view.mine.length || !view.roles.length) && card(t("page.me.mine"), list(view.mine, desk, "page.me.mine_empty")),
    settings(view, desk),
    view.reminders && reminders(view, desk),
    card(t("page.me.more"), h("ul", { class: "matters" }, ...further(view).map((page) => h("li", {}, opener(desk, page, t(`page.me.go.${page}`)))))),
    card(t("page.me.privacy"), h("ul", { class: "plainlist" }, ...["1", "2", "3", "4"].map((n) => h("li", {}, t(`page.me.privacy.${n}`))))),
    hiding(view, desk),
  ].filter(Boolean);
}

/** Further pages: everybody's, and those of a post. The server decides again who may see them. */
function further(view) {
  const looksAfter = view.roles.some((key) => ["role.coordinator", "role.steward"].includes(key));
  const posts = { "role.coordinator": ["desk", "newcomer"], "role.mentor": ["members"], "role.worker": ["work"] };
  const own = view.roles.flatMap((key) => posts[key] ?? []);
  return [...own, "track", "devices", "mydata", view.tied && "link", looksAfter && "posts"].filter(Boolean);
}

function settings(view, desk) {
  const language = chooser(view.languages);
  const window = chooser(view.windows);
  const chosenWindow = window.value;
  const save = button(t("page.me.save"), () => working(save, async () => {
    const spoken = language.value !== view.language;
    if (window.value !== chosenWindow) await desk.ask("window", { window: window.value });
    if (spoken) await desk.ask("language", { language: language.value });
    await desk.speakAgain();
    announce(t("page.done"));
  }));
  return card(t("page.me.settings"),
    field(t("page.me.language"), language),
    field(t("page.me.window"), window, t("page.me.window_hint")),
    h("div", { class: "actions" }, save));
}

function chooser(items) {
  return h("select", {}, ...items.map((item) => h("option", { value: item.id, selected: item.chosen }, item.label || t(item.label_key))));
}

/** Neutral words: whoever looks over a shoulder learns nothing from this button. */
function hiding(view, desk) {
  const step = view.steps.find((one) => one.id === "hide");
  if (!step) return null;
  const yes = button(t("page.yes"), () => working(yes, () => desk.step("hide", { yes: true })), "careful");
  const details = h("details", {}, h("summary", {}, t(step.label_key)),
    h("p", {}, anyOf("page.confirm.hide", "page.confirm.default")),
    h("div", { class: "actions" }, yes, button(t("page.no"), () => { details.open = false; }, "plain")));
  return h("section", { class: "card" }, details);
}
