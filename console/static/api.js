// The server, as this page sees it. The session lives in this module's memory and nowhere else; each request is
// signed by the device's key and carries a number higher than the last (docs/secure-pages.md).

import { digest } from "./device.js";
import { language, learn } from "./ui.js";

const PATIENCE_MS = 30000;

/** A refusal in the person's own words, or a line that is down (`code` 'offline'). `minutes`: how long to wait. */
export class Refusal extends Error {
  constructor(code, message, minutes = 0) {
    super(message);
    this.code = code;
    this.minutes = minutes;
  }
}

/** A session on one page. The menu's opens others, so each view holds its own. */
export class Session {
  #number = 0;
  #last = Promise.resolve();

  constructor(device, page, answer) {
    this.device = device;
    this.page = page;
    Object.assign(this, answer);
  }

  view() {
    return this.#call("GET", `/p/api/${this.page}`);
  }

  step(name, body = {}) {
    return this.#call("POST", `/p/api/${this.page}/${name}`, body);
  }

  /** PIN and devices: 'prove', 'enrol', 'recover', 'ask'. */
  prove(name, body) {
    return this.#call("POST", `/p/device/${name}`, body);
  }

  /** A session on another page: from the menu, or from an offer to the matter that was accepted with it. */
  async onward(page) {
    return new Session(this.device, page, await this.#call("POST", "/p/session", { page }));
  }

  /** One after the other, because a request that overtakes another is refused. An answer that was lost loses only
      its number. */
  #call(method, path, body = undefined) {
    const call = this.#last.then(() => this.#send(method, path, body));
    this.#last = call.catch(() => {});
    return call;
  }

  async #send(method, path, body) {
    const number = ++this.#number;
    const text = body && JSON.stringify(body);
    const lines = [await digest(this.session), number, method, path, text ? await digest(text) : ""];
    const proof = await this.device.sign("pulang-call-1", ...lines);
    const answer = await send(method, path, text, {
      Authorization: `Pulang ${this.session}`,
      "Pulang-Proof": `${number}.${proof}`,
    });
    if (answer.reading) this.reading = answer.reading;
    if (answer.words) learn(answer.words);
    // What is our own wording alone comes packed beside the view, by its place.
    answer.sections &&= answer.sections.map((one, place) => one ?? answer.parts[place]);
    return answer;
  }
}

export async function openSession(device, initData, page) {
  const proof = await device.sign("pulang-session-1", page, await digest(initData));
  const body = { init_data: initData, page, device: device.publicKey, proof };
  return new Session(device, page, await send("POST", "/p/session", JSON.stringify(body)));
}

async function send(method, path, body, headers = {}) {
  headers["Accept-Language"] = language();
  if (body) headers["Content-Type"] = "application/json";
  const request = { method, headers, body, cache: "no-store", credentials: "omit", redirect: "error" };
  let answer, data;
  try {
    answer = await fetch(path, { ...request, signal: patience() });
    data = await answer.json();
  } catch {
    throw new Refusal("offline", "");
  }
  if (!answer.ok) throw new Refusal(data.error ?? "error.unexpected", data.message ?? "", data.minutes ?? 0);
  return data;
}

/** Gives up after a while. Older web views have no AbortSignal.timeout. */
function patience() {
  const giveUp = new AbortController();
  setTimeout(() => giveUp.abort(), PATIENCE_MS);
  return giveUp.signal;
}
