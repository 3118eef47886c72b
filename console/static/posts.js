// Every post of the network: who may fill it, whether it is looked after, and what to do when a phone is lost.

import { button, card, h, t, time, working } from "./ui.js";
import { day, facts, line, list, once } from "./lines.js";
import { act } from "./steps.js";

export function show(view, desk) {
  return [
    h("h1", {}, t("page.posts.title")),
    view.invitation && invitation(view, desk),
    card(t("page.posts.first"),
      h("p", {}, t(view.desk_first ? "page.posts.first_on" : "page.posts.first_off")),
      view.waiting > 0 && h("p", { class: "until" }, t("page.posts.waiting", { count: view.waiting })),
      ...view.steps.map((step) => act(step, desk))),
    view.uncovered.length > 0 && card(t("page.posts.uncovered"), h("p", {}, t("page.posts.uncovered_hint")),
      h("ul", { class: "plainlist" }, ...view.uncovered.map((one) => h("li", {}, time(one.starts), " – ", time(one.ends))))),
    view.refused_count > 0 && card(t("page.posts.refused", { count: view.refused_count }),
      list(view.refused.map((one) => refusedLine(one, desk)), "page.posts.none")),
    ...desk.sections(view),
    card(t("page.posts.all"), list(view.posts.map((post) => postLine(post, desk)), "page.posts.none")),
  ];
}

function postLine(post, desk) {
  const where = post.organization ? ` · ${post.organization}` : "";
  return line(t(post.role_key) + where, post.steps, desk, { seat: post.id },
    h("p", { class: post.lost || (post.filled && !post.reachable) ? "until" : "hint" }, t(state(post))),
    facts([t("page.code"), post.id], [t("page.posts.since"), post.filled && post.since && day(post.since)]),
    post.invited === "open" && h("p", { class: "hint" }, t("page.posts.invited"), " ", time(post.invited_until)),
    post.invited === "asked" && h("div", {}, h("p", {}, t("page.posts.asked")), h("p", { class: "secret", dir: "ltr" }, post.check)));
}

/** A message that could not be delivered: what it would have said, and to which post. */
function refusedLine(one, desk) {
  return line(one.words || "–", one.steps, desk, { notice: one.id },
    h("p", { class: "hint" }, t(one.why_key)), facts([t("page.posts.whose"), one.post], [t("page.posts.since"), day(one.at)]));
}

function state(post) {
  if (post.lost) return "page.posts.lost";
  if (!post.filled) return "page.posts.empty";
  if (!post.reachable) return "page.posts.silent";
  return post.on_duty ? "page.posts.on_duty" : "page.posts.off_duty";
}

/** The link of an invitation, this once: it is handed over in person or by another way than this chat. */
function invitation(view, desk) {
  const bot = desk.bot();
  const link = bot ? `https://t.me/${bot}?start=${view.invitation}` : `/start ${view.invitation}`;
  const copied = h("p", { class: "hint", role: "status" });
  const copy = button(t("page.posts.copy"), () => working(copy, async () => {
    // Older web views have no clipboard for pages; the link is marked then, to be copied by hand.
    const fine = await navigator.clipboard?.writeText(link).then(() => true, () => false);
    if (fine) copied.textContent = t("page.posts.copied");
    else getSelection().selectAllChildren(made.querySelector(".secret"));
  }), "wide");
  const made = once(t("page.posts.invitation"), link,
    h("p", {}, t("page.posts.invitation_hint", { post: view.invited_to })), h("div", { class: "actions" }, copy), copied);
  made.querySelector(".secret").classList.add("link");
  return made;
}
