// The server, as this page sees it. The session lives in this module's memory and nowhere else.

import { language } from "./ui.js";

const PATIENCE_MS = 30000;

/** A refusal in the person's own words, or a line that is down (`code` 'offline'). */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** A session on one page. The menu's opens others, so each view holds its own. */
export class Session {
  constructor(page, answer) {
    this.page = page;
    Object.assign(this, answer);
  }

  view() {
    return this.#call("GET");
  }

  step(name, body) {
    return this.#call("POST", `/${name}`, body);
  }

  /** A session on another page: from the menu, or from an offer to the matter that was accepted with it. */
  async onward(page) {
    return new Session(page, await call("POST", "/p/session", { page }, this.session));
  }

  #call(method, path = "", body = undefined) {
    return call(method, `/p/api/${this.page}${path}`, body, this.session);
  }
}

export async function openSession(initData, page) {
  return new Session(page, await call("POST", "/p/session", { init_data: initData, page }));
}

async function call(method, path, body, session) {
  const headers = { "Accept-Language": language() };
  if (session) headers.Authorization = `Pulang ${session}`;
  if (body) headers["Content-Type"] = "application/json";
  const request = { method, headers, cache: "no-store", credentials: "omit", redirect: "error" };
  let answer, data;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    answer = await fetch(path, { ...request, signal, body: body && JSON.stringify(body) });
    data = await answer.json();
  } catch {
    throw new Refusal("offline", "");
  }
  if (!answer.ok) throw new Refusal(data.error ?? "error.unexpected", data.message ?? "");
  return data;
}
