// Asking for help, on one calm page: where, how soon, whom not to ask, who would be asked, a note, and the yes.

import { announce, button, card, choices, danger, field, h, moment, newId, t, trouble, working, writing } from "./ui.js";

const MANY_AREAS = 30; // more than this is looked up by typing

export function show(view, desk) {
  const page = new PlanPage(view, desk);
  return page.content();
}

/** `step`: the name of the step that the yes takes, under which drafts are kept too. */
export class PlanPage {
  constructor(view, desk, step = "file") {
    this.view = view;
    this.desk = desk;
    this.step = step;
    this.asked = 0; // counts previews: only the newest answer is shown
    this.fresh = true; // does the plan on the screen belong to the choices above it?
    const change = () => this.preview();
    this.need = view.categories.length ? choices("radio", t("page.plan.need"), view.categories, change) : null;
    this.area = areaSelect(view.areas, change);
    this.urgency = choices("radio", t("page.plan.when"), view.urgencies, change, "unseen");
    this.danger = h("div", { role: "status" });
    this.organizations = choices("checkbox", t("page.plan.not_these"), view.organizations, change);
    this.kinds = choices("checkbox", t("page.plan.not_kinds"), view.kinds, change);
    this.must = choices("checkbox", t("page.plan.must"), view.must, change);
    this.about = choices("checkbox", t("page.plan.about"), view.about, change);
    this.whom = null; // comes once somebody at a partner is meant: a network has many organisations
    this.whomPlace = h("div", {});
    this.changed = change;
    this.story = writing(t("page.plan.note"), view.note_limit, t("page.plan.note_hint"), 6);
    this.number = h("input", { type: "tel", autocomplete: "off", maxlength: 40, dir: "ltr" });
    this.times = ["days", "parts", "how"].filter((name) => view[name].length)
      .map((name) => [name, choices("checkbox", t(`page.plan.call_${name}`), view[name])]);
    this.youngCard = h("div", {});
    this.young = [];
    this.forThem = ["behalf", "agreed", "spans"].filter((name) => view[name].length)
      .map((name) => [name === "spans" ? "span" : name, choices("radio", t(`page.plan.${name}`), view[name], change)]);
    this.outcome = h("div", { class: "outcome" });
    this.consent = h("div", {});
    this.missing = h("p", { class: "missing", role: "alert" });
    this.yes = button(t("page.plan.yes"), () => this.file(), "big");
  }

  content() {
    const calling = this.calling();
    this.desk.draft(this.story.box, `${this.step}.story`, this.story.count);
    this.desk.draft(this.number, `${this.step}.number`, () => { calling.open = true; });
    const again = this.restore();
    this.showOutcome();
    if (again) this.preview();
    return [
      this.view.before && h("p", { class: "stage" }, t("page.plan.next_need", { code: this.view.before })),
      h("h1", {}, t("page.plan.title")),
      h("p", { class: "lead" }, t("page.plan.lead", { category: t(this.view.category_key) })),
      this.need && h("section", { class: "card" }, this.need),
      this.view.about.length && card(t("page.plan.about_title"), h("p", { class: "hint" }, t("page.plan.about_hint")), this.about, this.whomPlace),
      this.where(),
      card(t("page.plan.how_soon"), this.urgency, this.danger),
      this.exclusions(),
      card(t("page.plan.who"), this.outcome),
      card(t("page.plan.tell"), this.story, calling),
      this.youngCard,
      this.onBehalf(),
      this.consent,
      this.view.no && h("div", { class: "actions" }, this.no()),
    ].filter(Boolean);
  }

  where() {
    return card(t("page.plan.where"), this.view.areas.length ? this.area.whole : h("p", {}, t("page.plan.no_areas")));
  }

  /** Somebody else wrote this for the reader, who may want none of it. */
  no() {
    const press = button(t(this.view.no), () => working(press, () => this.desk.step("no")), "plain");
    return press;
  }

  exclusions() {
    const chosen = [this.organizations, this.kinds, this.must].some((set) => set.values().length);
    const id = newId();
    return h("section", { class: "card", "aria-labelledby": id },
      h("details", { open: chosen },
        h("summary", { id }, t("page.plan.not_asked")),
        h("p", { class: "hint" }, t("page.plan.not_asked_hint")),
        this.view.organizations.length && this.organizations,
        this.view.kinds.length && this.kinds,
        this.view.must.length && this.must));
  }

  calling() {
    return h("details", {},
      h("summary", {}, t("page.plan.call_me")),
      h("p", { class: "hint" }, t("page.plan.call_hint")),
      field(t("page.plan.number"), this.number),
      ...this.times.map(([, set]) => set));
  }

  /** For somebody who cannot decide: who agreed, why, until when. */
  onBehalf() {
    if (!this.forThem.length) return null;
    const id = newId();
    return h("section", { class: "card", "aria-labelledby": id },
      h("details", { open: this.forThem.some(([, set]) => set.values().length) },
        h("summary", { id }, t("page.plan.for_them")),
        h("p", { class: "hint" }, t("page.plan.for_them_hint")),
        ...this.forThem.map(([, set]) => set),
        button(t("page.plan.decides"), () => { this.clear(this.forThem); this.preview(); }, "plain")));
  }

  /** Of somebody under 18: their own yes, and whether anybody at home may be spoken with. */
  showYoung() {
    const asked = ["assents", "homes"].filter((name) => this.view[name].length);
    if (asked.length === this.young.length) return;
    this.young = asked.map((name) => [name.slice(0, -1), choices("radio", t(`page.plan.${name}`), this.view[name])]);
    this.youngCard.replaceChildren(...(asked.length ? [card(t("page.plan.young"), ...this.young.map(([, set]) => set))] : []));
  }

  clear(sets) {
    for (const [, set] of sets) set.querySelectorAll("input").forEach((input) => { input.checked = false; });
  }

  /** What was chosen before the page was left, if anything. */
  restore() {
    const kept = JSON.parse(this.desk.kept(`${this.step}.wishes`) || "null");
    if (!kept) return false;
    this.area.choose(kept.area);
    const tick = (set, ids) => set.querySelectorAll("input").forEach((input) => { input.checked = ids.includes(input.value); });
    tick(this.urgency, [kept.urgency]);
    if (this.need) tick(this.need, [kept.category]);
    tick(this.organizations, kept.exclude_organizations);
    tick(this.kinds, kept.exclude_kinds);
    tick(this.must, kept.must ?? []);
    tick(this.about, kept.about ?? []);
    this.keptWhom = kept.about_organizations;
    for (const [name, set] of this.forThem) tick(set, [kept[name]]);
    return Boolean(this.area.select.value);
  }

  wishes() {
    return {
      ...(this.need && { category: this.need.values()[0] ?? "" }),
      area: this.area.select.value,
      urgency: this.urgency.values()[0] ?? "",
      exclude_organizations: this.organizations.values(),
      exclude_kinds: this.kinds.values(),
      must: this.must.values(),
      ...(this.view.about.length && { about: this.about.values(), about_organizations: this.whom ? this.whom.values() : this.keptWhom ?? [] }),
      ...this.said(),
    };
  }

  /** On behalf: nothing until all three are chosen, so that a plan can be looked at meanwhile. */
  said() {
    const chosen = this.forThem.map(([name, set]) => [name, set.values()[0] ?? ""]);
    return chosen.every(([, code]) => code) ? Object.fromEntries(chosen) : {};
  }

  /** Look again who would be asked, after anything above has changed. */
  async preview() {
    const mine = ++this.asked;
    this.fresh = false;
    this.outcome.setAttribute("aria-busy", "true");
    this.yes.setAttribute("aria-disabled", "true");
    this.desk.keep(`${this.step}.wishes`, JSON.stringify(this.wishes()));
    try {
      const view = await this.desk.ask("preview", this.wishes());
      if (mine !== this.asked) return;
      this.take(view);
      this.fresh = true;
      this.showOutcome();
      const count = this.view.plan.length;
      announce(count ? t("page.plan.found", { count }) : t("page.plan.looked"));
    } catch (refusal) {
      if (mine === this.asked) this.outcome.replaceChildren(trouble(refusal, () => this.preview()));
    } finally {
      if (mine === this.asked) this.outcome.setAttribute("aria-busy", "false");
    }
  }

  /** What a preview has brought. */
  take(view) {
    this.view = view;
  }

  /** Where whoever it is about works; asked only where that says more. */
  showWhom() {
    const known = this.view.about_organizations;
    if (known.length && this.whom) return;
    this.whom = known.length ? choices("checkbox", t("page.plan.about_whom"), known, this.changed) : null;
    this.keptWhom = [];
    this.whomPlace.replaceChildren(...(this.whom ? [this.whom] : []));
  }

  showOutcome() {
    this.showWhom();
    this.danger.replaceChildren(...this.emergency());
    this.showYoung();
    this.outcome.replaceChildren(...this.people().filter(Boolean));
    this.yes.textContent = t(this.view.nobody ? "page.plan.yes_nobody" : "page.plan.yes");
    this.yes.removeAttribute("aria-disabled");
    const text = this.view.consent_text;
    this.consent.replaceChildren(...(text ? [this.consentCard(text)] : []));
  }

  emergency() {
    const lines = this.view.emergency_lines;
    if (!lines.length || !(this.view.call_now || this.urgency.values()[0] === "emergency")) return [];
    return [danger(lines)];
  }

  people() {
    if (this.need && !this.need.values().length) return [h("p", { class: "hint" }, t("page.plan.first_need"))];
    if (!this.area.select.value) return [h("p", { class: "hint" }, t("page.plan.first_where"))];
    if (this.view.nobody) return [h("p", {}, t(this.view.about.length ? "page.plan.nobody.no_desk" : "page.plan.nobody"))];
    return [
      this.view.same_since && h("p", { class: "hint" }, t("page.plan.same", { day: moment(this.view.same_since) })),
      h("p", {}, t(this.view.parted ? "page.plan.each_part" : "page.plan.one_after_other")),
      ...partners(this.view.plan),
    ];
  }

  consentCard(text) {
    return card(t("page.plan.consent"),
      this.view.changes.length && h("ul", {}, ...this.view.changes.map(([key, name]) => h("li", {}, t(key, { name })))),
      h("p", { class: "words", dir: "auto" }, text),
      this.missing, h("div", { class: "actions" }, this.yes));
  }

  body() {
    return {
      ...this.wishes(),
      plan: this.view.plan.map((line) => line.service_id),
      draft: this.view.draft,
      consent_digest: this.view.consent_digest,
      story: this.story.box.value,
      contact: this.number.value.trim(),
      ...Object.fromEntries(this.times.map(([name, set]) => [`call_${name}`, set.values()])),
      ...Object.fromEntries(this.young.map(([name, set]) => [name, set.values()[0] ?? ""])),
    };
  }

  file() {
    if (!this.fresh) return;
    const begun = this.forThem.some(([, set]) => set.values().length);
    if (begun && !this.said().behalf) return announce(this.missing.textContent = t("page.plan.for_them_all"));
    const body = this.body();
    working(this.yes, async () => {
      try {
        await this.desk.step(this.step, body);
      } catch (refusal) {
        // Somebody closed meanwhile: the new plan is shown, and the yes is asked for again.
        if (refusal.code === "error.plan_changed") await this.preview();
        throw refusal;
      }
    });
  }
}

/** Whom it leads to, in order: one list, or one for each part of a plan, below that part's name. */
function partners(plan) {
  const parts = [...new Set(plan.map((line) => line.task_key))];
  return parts.flatMap((part) => [
    part && h("h3", {}, t(part)),
    h("ol", { class: "partners" }, ...plan.filter((line) => line.task_key === part).map(partner))]);
}

function partner(line) {
  const reasons = line.reasons.map(([key, params]) => h("li", {}, t(key, params)));
  return h("li", {},
    h("p", {}, h("strong", {}, line.organization)),
    h("p", { class: "kind" }, t(line.kind_key)),
    h("p", {}, line.service),
    h("ul", { class: "reasons", "aria-label": t("page.plan.why") }, ...reasons));
}

/** The area tree as a native list (phones show it large); a long one can be narrowed by typing. */
function areaSelect(areas, onchange) {
  const select = h("select", { onchange: () => { unindent(); onchange(); } });
  const indented = (area, flat) => (flat ? "" : "\u00a0\u00a0\u00a0".repeat(area.depth)) + area.label;
  let narrowed = false;
  // The tree is for choosing; what was chosen stands at the edge of its box.
  const unindent = () => {
    for (const option of select.options) {
      const area = areas.find((one) => one.id === option.value);
      if (area) option.textContent = indented(area, narrowed || option.selected);
    }
  };
  const fill = (part) => {
    const kept = select.value;
    narrowed = Boolean(part);
    const wanted = areas.filter((area) => !part || area.id === kept || area.label.toLocaleLowerCase().includes(part));
    select.replaceChildren(
      h("option", { value: "" }, t("page.plan.choose")),
      ...wanted.map((area) => h("option", { value: area.id, selected: area.chosen }, indented(area, part))));
    if (kept) select.value = kept;
    unindent();
    return wanted.length;
  };
  fill("");
  const whole = h("div", {}, field(t("page.plan.area"), select, t("page.plan.area_hint")));
  if (areas.length > MANY_AREAS) {
    const find = h("input", { type: "search", autocomplete: "off" });
    find.addEventListener("input", () => announce(t("page.plan.areas_found", { count: fill(find.value.trim().toLocaleLowerCase()) })));
    whole.prepend(field(t("page.plan.find"), find));
  }
  const choose = (id) => {
    if (areas.some((area) => area.id === id)) select.value = id;
    unindent();
  };
  return { select, whole, choose };
}
