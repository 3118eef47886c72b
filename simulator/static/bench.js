// The workbench: faults, limits, traffic. Only for whoever plays Telegram, never a thing that people have.
import { h, look, act } from "/static/dom.js";

const KINDS = ["429", "500", "timeout", "drop-reply", "duplicate-update"];

export class Bench {
  constructor(element, button) {
    this.element = element;
    this.button = button;
    this.open = new Set(); // calls whose details are unfolded
    this.wrong = h("p", { class: "wrong", role: "alert" });
    this.faults = h("ul", { "aria-label": "Faults that are set" });
    this.calls = h("div", { class: "calls" });
    button.addEventListener("click", () => this.show(element.hidden));
    element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.show(false);
    });
    element.append(
      h("header", {}, h("h2", {}, "Workbench"), h("button", { type: "button", class: "quiet", onclick: () => this.show(false) }, "Close")),
      this.wrong,
      h("h2", {}, "Make Telegram misbehave"),
      h("p", { class: "note" }, "The next calls fail, or a share of them until lifted."),
      this.faultForm(), this.faults,
      h("h2", {}, "Limits"),
      h("p", { class: "note" }, "Messages a second, answered with 429 beyond. Empty lifts."),
      this.limitForm(),
      h("h2", {}, "Start again"),
      h("p", { class: "note" }, "Forgets chats, traffic and faults. People stay."),
      h("button", { type: "button", class: "quiet", onclick: () => this.reset() }, "Empty all phones"),
      h("h2", {}, "What the bot did"), this.calls);
  }

  show(visible) {
    this.element.hidden = !visible;
    this.button.setAttribute("aria-expanded", String(visible));
    if (visible) {
      this.refresh();
      this.element.querySelector("button").focus();
    } else this.button.focus();
  }

  faultForm() {
    const kind = h("select", { name: "kind" }, KINDS.map((name) => h("option", {}, name)));
    const method = h("input", { name: "method", placeholder: "any", autocomplete: "off" });
    const count = h("input", { name: "count", type: "number", min: "1", placeholder: "1" });
    const rate = h("input", { name: "rate", type: "number", min: "0", max: "100", step: "any", placeholder: "–" });
    const send = (event) => {
      event.preventDefault();
      const body = { kind: kind.value };
      if (method.value) body.method = method.value;
      if (count.value) body.count = Number(count.value);
      if (rate.value) body.rate = Number(rate.value) / 100;
      this.does("/sim/faults", body);
    };
    return h("form", { onsubmit: send }, h("label", {}, "Kind", kind), h("label", {}, "Method", method),
      h("label", {}, "How many calls", count), h("label", {}, "Share, %", rate), h("button", {}, "Set"));
  }

  limitForm() {
    const overall = h("input", { type: "number", min: "0.1", step: "any", placeholder: "none" });
    const chat = h("input", { type: "number", min: "0.1", step: "any", placeholder: "none" });
    const send = (event) => {
      event.preventDefault();
      const number = (input) => (input.value ? Number(input.value) : null);
      this.does("/sim/limits", { overall_per_s: number(overall), per_chat_per_s: number(chat) });
    };
    return h("form", { onsubmit: send }, h("label", {}, "Overall", overall), h("label", {}, "In one chat", chat), h("button", {}, "Set"));
  }

  async does(path, body) {
    this.wrong.textContent = "";
    try {
      await act(path, body);
    } catch (error) {
      this.wrong.textContent = error.message;
    }
    await this.refresh();
  }

  reset() {
    if (window.confirm("Empty all phones?")) this.does("/sim/reset");
  }

  async refresh() {
    if (this.element.hidden) return;
    const [faults, calls] = await Promise.all([look("/sim/faults"), look("/sim/page/traffic")]);
    this.faults.replaceChildren(...faults.map((fault) => this.faultRow(fault)));
    this.calls.replaceChildren(...calls.map((call) => this.callRow(call)));
  }

  faultRow(fault) {
    const share = fault.rate < 1 ? `${Math.round(fault.rate * 1000) / 10} %` : "";
    const words = [fault.kind, fault.method, share, fault.left ? `${fault.left} left` : ""].filter(Boolean).join(", ");
    const lift = { kind: fault.kind, rate: 0, ...(fault.method ? { method: fault.method } : {}) };
    return h("li", {}, `${words} `, h("button", { type: "button", class: "quiet", onclick: () => this.does("/sim/faults", lift) }, "Lift"));
  }

  callRow(call) {
    const time = new Date(call.at * 1000).toLocaleTimeString();
    const result = call.ok ? "" : h("span", { class: "bad" }, String(call.error_code ?? call.fault ?? "failed"));
    const details = h("details", { open: this.open.has(call.n) },
      h("summary", {}, h("span", {}, call.method), result, h("span", {}, time)),
      h("pre", {}, JSON.stringify(call.params, null, 1) + (call.description ? `\n${call.description}` : "")));
    details.addEventListener("toggle", () => (details.open ? this.open.add(call.n) : this.open.delete(call.n)));
    return details;
  }
}
