// What was typed and not yet sent, sealed in this web view by page and field: a lost line, a session that ran out or
// a web view that died loses nothing. Gone when it is sent, after seven days, and when the person hides.

import { all, lasting, remove, write } from "./kept.js";

const LIVES_MS = 7 * 24 * 3600 * 1000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Drafts {
  #saving = new Map(); // by field: the last thing to keep, so that they are kept in the order of typing

  constructor(device, page) {
    this.device = device;
    this.page = page;
    this.found = {};
  }

  get lasting() {
    return lasting();
  }

  /** Read what was left on this page; what is older than a week goes, whosever it is. */
  async load() {
    const oldest = Date.now() - LIVES_MS;
    for (const [key, draft] of await all("drafts")) {
      if (!(draft?.at > oldest)) await remove("drafts", key);
      else if (key.startsWith(this.#key(""))) await this.#unseal(key, draft);
    }
    return this;
  }

  /** Keep a field's text as it is now; an empty one is forgotten. Called at every letter. */
  keep(field, text) {
    const key = this.#key(field);
    const before = this.#saving.get(key) ?? Promise.resolve();
    const saving = before.then(async () => {
      if (this.#saving.get(key) !== saving) return; // a newer one waits already
      if (text) await write("drafts", key, await this.#seal(key, text));
      else await remove("drafts", key);
    }).catch(() => {});
    this.#saving.set(key, saving);
    return saving;
  }

  /** It was sent: forget the fields of this step ('write', 'file.story'). */
  async sent(step) {
    const mine = (field) => field === step || field.startsWith(`${step}.`);
    for (const field of Object.keys(this.found).filter(mine)) delete this.found[field];
    await Promise.all(this.#saving.values());
    for (const [key] of await all("drafts")) {
      if (key.startsWith(this.#key("")) && mine(key.slice(this.#key("").length))) await remove("drafts", key);
    }
  }

  /** Everything of this account, on every page. */
  async clear() {
    this.found = {};
    await Promise.all(this.#saving.values());
    for (const [key] of await all("drafts")) if (key.startsWith(`${this.device.account} `)) await remove("drafts", key);
  }

  #key(field) {
    return `${this.device.account} ${this.page} ${field}`;
  }

  async #seal(key, text) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const how = { name: "AES-GCM", iv, additionalData: encoder.encode(key) };
    return { at: Date.now(), iv, sealed: await crypto.subtle.encrypt(how, this.device.sealing, encoder.encode(text)) };
  }

  async #unseal(key, draft) {
    const how = { name: "AES-GCM", iv: draft.iv, additionalData: encoder.encode(key) };
    try {
      const plain = await crypto.subtle.decrypt(how, this.device.sealing, draft.sealed);
      this.found[key.slice(this.#key("").length)] = decoder.decode(plain);
    } catch {
      await remove("drafts", key); // sealed by a key that is gone
    }
  }
}
