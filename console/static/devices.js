// A person's own phones, their PIN, and for who looks after the network the phones that ask to be let in.

import { card, h, moment, t, time } from "./ui.js";
import { line, list } from "./lines.js";
import { card as pinCard } from "./pin.js";
import * as enrol from "./enrol.js";

export function show(view, desk) {
  const here = desk.reading().device;
  return [
    h("h1", {}, t("page.devices.title")),
    desk.reading().state !== "open" && pinCard(desk, enrol, () => desk.refresh()),
    view.asking.length && card(t("page.devices.asking"), list(view.asking.map((one) => asking(one, desk)))),
    h("section", { class: "card", "aria-label": t("page.devices.title") }, list(view.own.map((one) => own(one, desk, here)))),
    desk.reading().state === "open" && card(t("page.devices.pin"), ...enrol.changing(desk)),
  ];
}

const onDay = (key, iso) => h("p", { class: "hint" }, t(key, { day: moment(iso, { day: "numeric", month: "long", year: "numeric" }) }));

function own(one, desk, here) {
  return line(one.id === here ? [t(one.state_key), " · ", t("page.devices.this")] : t(one.state_key), one.steps, desk, { device: one.id },
    one.active_from && h("p", { class: "until" }, t("page.devices.from", { time: moment(one.active_from) })),
    onDay("page.devices.since", one.since),
    onDay("page.devices.seen", one.seen));
}

function asking(one, desk) {
  return line([t(one.who_key), one.organization].filter(Boolean).join(" · "), one.steps, desk, { device: one.id },
    h("p", {}, t("page.devices.check", { check: one.check })),
    one.one_yes && h("p", {}, t("page.devices.one_yes")),
    h("p", { class: "hint" }, time(one.since)));
}
