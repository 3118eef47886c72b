// A yes by word: a mentor and a member sit together; the words are read out, and what is said is written down.

import { button, card, choices, h, t, working } from "./ui.js";
import { once } from "./lines.js";
import { stepForm } from "./steps.js";
import { PlanPage } from "./plan.js";

export function show(view, desk) {
  if (view.to_choose.length) return choosing(view, desk);
  if (!view.plan) return given(view, desk);
  return new WordsPage(view, desk).content();
}

const head = (view) => [h("h1", {}, t("page.words.title")), h("p", { class: "lead" }, t("page.words.lead", { code: view.member }))];

/** What a chat could not name is chosen here. */
function choosing(view, desk) {
  const needs = choices("radio", t("page.words.need"), view.to_choose);
  const missing = h("p", { class: "missing", role: "alert" });
  const go = button(t("page.words.choose"), () => {
    const [category] = needs.values();
    missing.textContent = category ? "" : t("page.choose_one");
    if (category) working(go, async () => desk.open((await desk.ask("choose", { category })).go_on));
  }, "big");
  return [...head(view), h("section", { class: "card" }, needs, missing, h("div", { class: "actions" }, go))];
}

/** There is a yes: the code, this once, and what was agreed to. */
function given(view, desk) {
  return [
    ...head(view),
    view.receipt && once(t("page.words.code"), view.receipt, h("p", {}, t("page.words.code_once"))),
    card(t("page.words.given"),
      h("p", {}, t(view.stage_key)),
      view.consent_text && h("details", {}, h("summary", {}, t("page.agreed_words")), h("p", { class: "words", dir: "auto" }, view.consent_text)),
      ...view.steps.map((step) => stepForm(step, desk))),
    h("div", { class: "actions" }, button(t("page.to_chat"), desk.close, view.receipt ? "big" : "wide")),
  ];
}

class WordsPage extends PlanPage {
  constructor(view, desk) {
    super(view.plan, desk, "yes");
    this.words = view;
    this.language = choices("radio", t("page.words.language"), view.languages, () => this.preview());
    this.age = choices("radio", t("page.words.age"), view.ages, () => this.preview());
    this.ticks = ["read_out", "said_yes"].map((id) => choices("checkbox", t(`page.words.${id}`), [{ id, label_key: `page.words.${id}` }], () => {}, "unseen"));
  }

  content() {
    this.desk.draft(this.story.box, "yes.story", this.story.count);
    this.desk.draft(this.number, "yes.number");
    const again = this.restore();
    this.showOutcome();
    if (again) this.preview();
    return [
      ...head(this.words),
      h("p", { class: "stage" }, t(this.view.category_key)),
      this.words.phone && h("p", { class: "hint" }, t("page.words.phone")),
      this.need && h("section", { class: "card" }, this.need),
      card(t("page.words.who"), this.language, this.age),
      this.where(),
      card(t("page.plan.how_soon"), this.urgency, this.danger),
      this.exclusions(),
      card(t("page.plan.who"), this.outcome),
      card(t("page.words.note"), this.story),
      this.reach(),
      this.youngCard,
      this.onBehalf(),
      this.consent,
      this.refusal(),
    ].filter(Boolean);
  }

  /** For the helper, and for the desk where it has to ask whether the yes is true. */
  reach() {
    const calling = this.calling();
    return card(t("page.words.reach"), h("p", { class: "hint" }, t("page.words.reach_hint")), ...[...calling.children].slice(2));
  }

  restore() {
    const kept = JSON.parse(this.desk.kept("yes.wishes") || "null");
    for (const [set, chosen] of [[this.language, kept?.language], [this.age, kept?.age]]) {
      if (chosen) set.querySelectorAll("input").forEach((input) => { input.checked = input.value === chosen; });
    }
    return super.restore();
  }

  wishes() {
    return { ...super.wishes(), language: this.language.values()[0] ?? "", age: this.age.values()[0] ?? "" };
  }

  take(view) {
    this.words = view;
    super.take(view.plan);
  }

  people() {
    const own = this.words.left_out;
    return [...super.people(), own.length && h("p", { class: "hint" }, t("page.words.own"), " ", own.join(", "))];
  }

  consentCard(text) {
    this.yes.textContent = t("page.words.yes");
    if (this.words.refused_key) return card(t("page.words.read"), h("p", { class: "trouble", role: "alert" }, t(this.words.refused_key)));
    // Other words have not been read out yet.
    for (const tick of this.ticks) tick.querySelector("input").checked = false;
    return card(t("page.words.read"),
      h("p", { class: "words", dir: "auto", lang: this.language.values()[0] }, text),
      ...this.ticks, this.missing,
      h("div", { class: "actions" }, this.yes));
  }

  body() {
    const ticked = Object.fromEntries(this.ticks.map((tick) => tick.querySelector("input")).map((input) => [input.value, input.checked]));
    return { ...super.body(), ...ticked };
  }

  file() {
    const { read_out, said_yes, behalf } = this.body();
    const heard = read_out && (said_yes || behalf);
    this.missing.textContent = heard ? "" : t("page.words.tick");
    if (heard) super.file();
  }

  refusal() {
    const no = { id: "no", label_key: "page.words.no", hint_key: "page.words.no_sure", danger: true };
    return h("div", { class: "card" }, stepForm(no, this.desk));
  }
}
