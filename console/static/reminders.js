// Reminders as their reader wishes them: on or off, quiet hours, days, and the zone of this very phone.

import { button, card, choices, field, h, language, t, working } from "./ui.js";

const MONDAY = Date.UTC(2024, 0, 1);
const DAY = 86400000;

export function reminders(view, desk) {
  const now = view.reminders;
  const on = h("input", { type: "checkbox", checked: now.on });
  const from = h("input", { type: "time", value: now.quiet_from });
  const to = h("input", { type: "time", value: now.quiet_to });
  const days = choices("checkbox", t("page.me.days"), [0, 1, 2, 3, 4, 5, 6].map((day) => (
    { id: String(day), label: weekday(day), chosen: now.days.includes(day) })));
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  const moved = here && here !== view.timezone && h("input", { type: "checkbox" });
  const save = button(t("page.me.save"), () => working(save, async () => {
    await desk.step("reminders", {
      on: on.checked, quiet_from: from.value, quiet_to: to.value, days: days.values(),
      timezone: moved && moved.checked ? here : "",
    });
  }));
  return card(t("page.me.reminders"), h("details", {}, h("summary", {}, t(now.on ? "page.me.reminders_on" : "page.me.reminders_off")),
    h("label", { class: "choice" }, on, h("span", {}, t("page.me.remind_me"))),
    field(t("page.me.quiet_from"), from, t("page.me.quiet_hint")), field(t("page.me.quiet_to"), to),
    days,
    h("p", { class: "hint" }, t("page.me.zone", { zone: view.timezone })),
    moved && h("label", { class: "choice" }, moved, h("span", {}, t("page.me.zone_here", { zone: here }))),
    h("div", { class: "actions" }, save)));
}

function weekday(day) {
  return new Intl.DateTimeFormat(language(), { weekday: "long", timeZone: "UTC" }).format(MONDAY + day * DAY);
}
