// Secure pages inside a phone. Each phone has an origin of its own, NAME.localhost, so no two share storage.
import { h, announce } from "/static/dom.js";

const open = new Map(); // a frame's window -> View
const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\]|.*\.localhost)$/;

/** http://127.0.0.1:8080/x -> http://mali.localhost:8080/x; other hosts stay. */
export function ownAddress(url, slug) {
  const address = new URL(url);
  if (LOOPBACK.test(address.hostname)) address.hostname = `${slug}.localhost`;
  return address;
}

/** As Telegram does, tell the page at once which colours the phone has. */
function dressed(address) {
  const launch = new URLSearchParams(address.hash.slice(1));
  launch.set("tgWebAppThemeParams", JSON.stringify(theme()));
  address.hash = launch.toString();
  return address;
}

/** One open Mini App over one phone's chat. */
export class View {
  constructor(phone, label, url, slug, whenClosed) {
    this.address = dressed(ownAddress(url, slug));
    this.whenClosed = whenClosed;
    this.confirm = false;
    this.back = h("button", { type: "button", hidden: true, onclick: () => this.tell("back_button_pressed") }, "‹ Back");
    this.frame = h("iframe", {
      title: `${label}, opened on this phone`,
      allow: "clipboard-write",
      referrerpolicy: "no-referrer",
    });
    const close = h("button", { type: "button", "aria-label": "Close the page", onclick: () => this.close() }, "Close");
    this.element = h("section", { class: "view", "aria-label": label },
      h("header", {}, this.back, h("strong", {}, label), close),
      h("p", { class: "address" }, this.address.origin),
      this.frame);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    phone.append(this.element);
    this.frame.src = this.address.href;
    open.set(this.frame.contentWindow, this);
    close.focus();
  }

  /** Telegram's events to the page: a JSON text {"eventType", "eventData"}. */
  tell(eventType, eventData = null) {
    this.frame.contentWindow?.postMessage(JSON.stringify({ eventType, eventData }), this.address.origin);
  }

  close(force = false) {
    if (this.confirm && !force && !window.confirm("Close the page? What was typed there may be lost.")) return;
    open.delete(this.frame.contentWindow);
    this.element.remove();
    this.whenClosed();
  }

  /** What a page may ask of its client. */
  heard(eventType, data) {
    const does = {
      web_app_ready: () => announce("The page is ready"),
      web_app_expand: () => this.element.classList.add("expanded"),
      web_app_close: () => this.close(true),
      web_app_setup_back_button: () => { this.back.hidden = !data?.is_visible; },
      web_app_setup_closing_behavior: () => { this.confirm = Boolean(data?.need_confirmation); },
      web_app_open_link: () => openLink(data?.url),
      web_app_request_theme: () => this.tell("theme_changed", { theme_params: theme() }),
      web_app_request_viewport: () => this.tell("viewport_changed", this.size()),
    };
    does[eventType]?.();
  }

  size() {
    return { height: this.frame.clientHeight, width: this.frame.clientWidth, is_state_stable: true, is_expanded: true };
  }
}

function openLink(url) {
  if (/^https?:\/\//.test(url ?? "")) window.open(url, "_blank", "noopener,noreferrer");
}

function theme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    bg_color: colour("--card"), text_color: colour("--ink"), hint_color: colour("--soft"), link_color: colour("--green"),
    button_color: colour("--green"), button_text_color: colour("--green-ink"), secondary_bg_color: colour("--chat"),
  };
}

window.addEventListener("message", (event) => {
  const view = open.get(event.source);
  if (!view || event.origin !== view.address.origin) return;
  try {
    const said = typeof event.data === "string" ? JSON.parse(event.data) : event.data;
    if (typeof said?.eventType === "string") view.heard(said.eventType, said.eventData);
  } catch {
    // Not the bridge's language: some pages post other things to their parent.
  }
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const view of open.values()) view.tell("theme_changed", { theme_params: theme() });
});
