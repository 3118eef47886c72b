// One phone: draws what the simulator says of it, and sends what its owner does.
import { h, look, act, announce, padlock } from "/static/dom.js";
import { rich } from "/static/text.js";
import { View } from "/static/webview.js";

const TOAST_MS = 3500;
const languages = new Intl.DisplayNames(["en"], { type: "language" });

export class Phone {
  constructor(person, botName) {
    this.person = person;
    this.nodes = new Map(); // message_id -> {sign, node}
    this.toasts = null; // what was already shown; null before the first drawing
    this.build(botName);
  }

  path(verb) {
    return `/sim/people/${encodeURIComponent(this.person.name)}/${verb}`;
  }

  /** Do something as this person; a refusal is shown on the phone. */
  async does(verb, body) {
    this.notice.textContent = "";
    try {
      return await act(this.path(verb), body);
    } catch (error) {
      this.notice.textContent = error.message;
      return null;
    }
  }

  // -- building ---------------------------------------------------------------------------------

  build(botName) {
    const { name, role, language, slug } = this.person;
    this.badge = h("span", { class: "badge", hidden: true });
    this.lock = h("span", {});
    this.status = h("span", {}, "bot");
    this.log = h("div", { class: "log", role: "log", tabindex: "0", lang: language, "aria-label": `Chat on ${name}'s phone` });
    this.notice = h("p", { class: "notice", role: "alert" });
    this.keys = h("div", { class: "keys", hidden: true });
    this.commands = h("ul", { class: "commands", hidden: true, "aria-label": "Commands" });
    this.body = h("div", { class: "body" },
      h("div", { class: "lock", role: "note", "aria-label": "On the lock screen, for anybody to see" }, padlock(), this.lock),
      this.buildHead(botName), this.log,
      h("div", { class: "foot" }, this.notice, this.commands, this.buildWrite(name), this.keys));
    this.element = h("section", { class: "phone", id: `phone-${slug}`, "aria-label": `${name}'s phone` },
      h("div", { class: "owner" }, h("h2", {}, name), h("p", {}, describe(role, language)), this.badge), this.body);
    for (const kind of ["pointerdown", "focusin"]) this.element.addEventListener(kind, () => this.read());
  }

  buildHead(botName) {
    const link = h("input", { name: "payload", placeholder: "payload", autocomplete: "off", maxlength: "64" });
    this.block = h("button", { type: "button", class: "quiet", onclick: () => this.toggleBlock() }, "Block the bot");
    const sheet = h("div", { class: "sheet" },
      h("form", { onsubmit: (event) => this.openLink(event, link) },
        h("label", {}, "Open a deep link: ?start=", h("span", { class: "link" }, link, h("button", {}, "Open")))),
      h("button", { type: "button", class: "quiet", onclick: () => this.fromSheet("share-contact") }, "Share my contact"),
      this.block);
    this.sheet = h("details", { class: "more" },
      h("summary", { "aria-label": `More on ${this.person.name}'s phone` }, "⋯"), sheet);
    return h("div", { class: "head" },
      h("span", { class: "face", "aria-hidden": "true" }, [...botName][0]),
      h("div", { class: "who" }, h("strong", {}, botName), this.status), this.sheet);
  }

  buildWrite(name) {
    this.menu = h("button", { type: "button", class: "menu", onclick: () => this.pressMenu() }, "Menu");
    this.text = h("textarea", { rows: "1", placeholder: "Message", "aria-label": `Message from ${name}`, lang: this.person.language });
    this.text.addEventListener("input", () => fit(this.text));
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.say(event);
    });
    return h("form", { class: "write", onsubmit: (event) => this.say(event) },
      this.menu, this.text, h("button", { class: "send", "aria-label": "Send" }, "➤"));
  }

  // -- doing ------------------------------------------------------------------------------------

  async say(event) {
    event.preventDefault();
    const text = this.text.value;
    if (!text.trim()) return;
    if (await this.does("say", { text })) {
      this.text.value = "";
      fit(this.text);
    }
  }

  async openLink(event, input) {
    event.preventDefault();
    if (await this.fromSheet("open", { payload: input.value.trim() })) input.value = "";
  }

  fromSheet(verb, body) {
    this.sheet.open = false;
    return this.does(verb, body);
  }

  toggleBlock() {
    return this.fromSheet(this.state?.blocked ? "unblock" : "block");
  }

  read() {
    if (!this.state?.unread) return;
    this.state.unread = 0;
    act(this.path("read")).catch(() => {});
  }

  pressMenu() {
    if (this.state.menu.type === "web_app") this.openPage(this.state.menu.text);
    else this.commands.hidden = !this.commands.hidden;
  }

  async press(button, messageId, element) {
    if (button.web_app) return this.openPage(button.text, messageId);
    if (button.url) return window.open(button.url, "_blank", "noopener,noreferrer");
    if (button.copy_text) return navigator.clipboard?.writeText(button.copy_text.text);
    element.setAttribute("aria-busy", "true");
    setTimeout(() => element.removeAttribute("aria-busy"), 900);
    return this.does("press", { label: button.text, message_id: messageId });
  }

  async openPage(label, messageId) {
    const found = await this.does("webapp", { label, message_id: messageId });
    if (!found) return;
    this.view?.close(true);
    const back = document.activeElement;
    this.view = new View(this.body, label, found.url, this.person.slug, () => {
      this.view = null;
      back?.focus();
    });
  }

  // -- drawing ----------------------------------------------------------------------------------

  /** Fetch this phone and draw what differs. Calls that overlap become one. */
  async refresh() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    try {
      this.draw(await look(`/sim/page/${encodeURIComponent(this.person.name)}`));
    } finally {
      this.busy = false;
      if (this.again) {
        this.again = false;
        this.refresh();
      }
    }
  }

  draw(state) {
    this.state = state;
    this.element.classList.toggle("blocked", state.blocked || state.gone);
    this.badge.hidden = !state.unread;
    this.badge.textContent = state.unread;
    this.badge.setAttribute("aria-label", `${state.unread} unread`);
    this.lock.textContent = state.preview || "Nothing on the lock screen";
    this.lock.classList.toggle("idle", !state.preview);
    this.status.textContent = state.blocked ? "blocked" : state.typing ? "typing …" : "bot";
    this.status.classList.toggle("typing", state.typing && !state.blocked);
    this.block.textContent = state.blocked ? "Unblock the bot" : "Block the bot";
    this.drawFoot(state);
    this.drawLog(state);
    this.drawToasts(state);
    clearTimeout(this.typingEnds);
    if (state.typing) this.typingEnds = setTimeout(() => this.refresh(), 5200);
  }

  drawFoot(state) {
    const commands = state.menu.type !== "web_app";
    this.menu.hidden = commands && !state.commands.length;
    this.menu.textContent = commands ? "☰ Menu" : state.menu.text;
    if (!commands) this.commands.hidden = true;
    this.commands.replaceChildren(...state.commands.map((command) => h("li", {},
      h("button", { type: "button", onclick: () => { this.commands.hidden = true; this.does("say", { text: `/${command.command}` }); } },
        `/${command.command}`, h("span", {}, command.description)))));
    this.keys.hidden = !state.keyboard.length;
    this.keys.replaceChildren(...state.keyboard.map((row) => h("div", {}, row.map((key) =>
      h("button", { type: "button", onclick: () => this.does("press", { label: key.text }) }, key.text)))));
  }

  drawLog(state) {
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
    const before = this.newest ?? state.newest;
    const kept = new Map();
    const children = state.chat.length ? [] : [this.welcome(state)];
    if (state.earlier) children.push(h("p", { class: "day" }, `${state.earlier} earlier messages`));
    let day = "";
    let fresh = false;
    for (const message of state.chat) {
      const date = new Date(message.date * 1000).toLocaleDateString(undefined, { day: "numeric", month: "long" });
      if (date !== day) children.push(h("p", { class: "day" }, (day = date)));
      if (!fresh && state.unread && message.from === "bot" && !message.deleted && message.message_id > state.read_upto) {
        children.push(h("p", { class: "fresh" }, "New"));
        fresh = true;
      }
      children.push(this.messageNode(message, kept));
    }
    this.nodes = kept;
    reconcile(this.log, children);
    if (atEnd || state.newest > before) this.toEnd();
    if (state.newest > before) this.tellNewest(state);
    this.newest = state.newest;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    // Once more when fonts and keyboards have found their size.
    requestAnimationFrame(() => { this.log.scrollTop = this.log.scrollHeight; });
  }

  messageNode(message, kept) {
    const sign = JSON.stringify({ ...message, toast: undefined });
    const old = this.nodes.get(message.message_id);
    const node = old?.sign === sign ? old.node : this.draw1(message);
    kept.set(message.message_id, { sign, node });
    return node;
  }

  draw1(message) {
    const own = message.from === "person";
    const time = new Date(message.date * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const who = own ? this.person.name : "Bot";
    if (message.deleted) {
      return h("div", { class: `msg gone${own ? " own" : ""}` }, h("div", { class: "bubble" }, "deleted"));
    }
    const bubble = h("div", { class: "bubble" },
      h("span", { class: "hidden" }, `${who}: `), media(message.media),
      h("div", { class: "text", dir: "auto" }, rich(message.text, message.entities)),
      h("span", { class: "meta" }, message.edited ? `edited ${time}` : time));
    const rows = message.buttons.map((row) => h("div", {}, row.map((button) => this.inlineButton(button, message))));
    const kind = `msg${own ? " own" : ""}${rows.length ? " wide" : ""}`;
    return h("div", { class: kind }, bubble, rows.length ? h("div", { class: "rows" }, rows) : null);
  }

  inlineButton(button, message) {
    const mark = button.web_app ? "page" : button.url ? "away" : "";
    const element = h("button", { type: "button", class: `${button.style ?? ""} ${mark}`.trim() }, button.text);
    if (mark) element.setAttribute("aria-label", `${button.text}, opens a page`);
    element.addEventListener("click", () => this.press(button, message.message_id, element));
    return element;
  }

  welcome(state) {
    const words = state.description || "No messages here yet.";
    const start = h("button", { type: "button", onclick: () => this.does("open", { payload: "" }) }, "Start");
    return h("div", { class: "start" }, h("p", {}, words), state.blocked || state.gone ? null : start);
  }

  tellNewest(state) {
    const newest = state.chat.at(-1);
    if (newest?.from === "bot") announce(`${this.person.name}'s phone: ${newest.text}`);
  }

  drawToasts(state) {
    const shown = new Map(state.chat.filter((m) => m.toast).map((m) => [m.message_id, m.toast]));
    if (this.toasts) {
      for (const [id, words] of shown) if (this.toasts.get(id) !== words) this.toast(words, state.alerts.includes(id));
    }
    this.toasts = shown;
  }

  toast(words, alert) {
    announce(`${this.person.name}'s phone: ${words}`);
    if (alert) {
      const dialog = document.getElementById("alert");
      document.getElementById("alert-text").textContent = words;
      if (!dialog.open) dialog.showModal();
      return;
    }
    const element = h("div", { class: "toast" }, words);
    this.body.append(element);
    setTimeout(() => element.remove(), TOAST_MS);
  }
}

function describe(role, language) {
  return [role || "stranger", languages.of(language) ?? language].join(" · ");
}

function fit(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

function media(found) {
  if (!found) return null;
  if (found.kind === "photo") return h("img", { src: `/sim/file/${found.file_id}`, alt: "Photo" });
  if (found.kind === "document") return h("a", { href: `/sim/file/${found.file_id}`, download: found.file_name ?? "file" }, found.file_name ?? "File");
  const words = { contact: `Contact ${found.phone_number}`, sticker: found.emoji ?? "Sticker", voice: "Voice message", video: "Video", location: "Location" };
  return h("div", {}, words[found.kind]);
}

/** Put children in place without touching those that are there already. */
function reconcile(parent, children) {
  children.forEach((child, index) => {
    if (parent.childNodes[index] !== child) parent.insertBefore(child, parent.childNodes[index] ?? null);
  });
  while (parent.childNodes.length > children.length) parent.lastChild.remove();
}
