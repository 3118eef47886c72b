// The bridge to the Telegram app around this page (core.telegram.org/api/web-events): read the launch data, take it
// out of the address at once, tell the app a few things, hear a few. Nothing here knows what the page is about.

const COLOR = /^#[0-9a-f]{6}$/i;
const listeners = {};

/** The launch data, and the fragment is gone from the address and from the history. */
function readLaunch() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname);
  return {
    initData: fragment.get("tgWebAppData") ?? "",
    version: fragment.get("tgWebAppVersion") ?? "",
    platform: fragment.get("tgWebAppPlatform") ?? "",
    theme: parsed(fragment.get("tgWebAppThemeParams")),
  };
}

export const launch = readLaunch();

/** The person's language as the app guesses it; only for the few words before the server answers. */
export function guessedLanguage() {
  const user = parsed(new URLSearchParams(launch.initData).get("user"));
  return String(user.language_code || navigator.language || "en").split("-")[0];
}

/** Tell the app something, by whichever way is there; false where no app is. No event says anything about a person. */
export function post(eventType, eventData = {}) {
  const proxy = window.TelegramWebviewProxy;
  if (proxy?.postEvent) proxy.postEvent(eventType, JSON.stringify(eventData));
  else if (typeof window.external?.notify === "function") {
    window.external.notify(JSON.stringify({ eventType, eventData }));
  } else if (window.parent !== window) {
    window.parent.postMessage(JSON.stringify({ eventType, eventData }), "*");
  } else return false;
  return true;
}

/** Whether the app is at least this version of the Bot API. */
export const atLeast = (version) => parseFloat(launch.version) >= version;

export function on(eventType, listener) {
  listeners[eventType] = listener;
}

/** Take light or dark from the app's own colours; the page keeps its own palette, which is checked for contrast. */
export function useTheme(theme) {
  const color = theme?.bg_color;
  if (!COLOR.test(color ?? "")) return;
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const dark = red * 0.299 + green * 0.587 + blue * 0.114 < 128;
  document.documentElement.dataset.scheme = dark ? "dark" : "light";
}

export function start() {
  window.addEventListener("message", (event) => {
    if (event.source === window.parent && event.source !== window) heard(parsed(event.data));
  });
  const receiveEvent = (eventType, eventData) => heard({ eventType, eventData });
  window.Telegram = { WebView: { receiveEvent } };
  window.TelegramGameProxy = { receiveEvent };
  window.TelegramGameProxy_receiveEvent = receiveEvent;
  on("theme_changed", (data) => useTheme(data?.theme_params));
  useTheme(launch.theme);
  post("web_app_ready");
  post("web_app_expand");
}

function heard(event) {
  const data = typeof event.eventData === "string" ? parsed(event.eventData) : event.eventData;
  listeners[event.eventType]?.(data);
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}
