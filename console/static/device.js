// This web view's own key, one for each account that opens it: P-256, made here, never leaving (docs/secure-pages.md).
// A second key seals drafts. Both are CryptoKeys that cannot be extracted, not even by this page.

import { readOrWrite } from "./kept.js";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const encoder = new TextEncoder();

/** SHA-256 in lower-case hex. */
export async function digest(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whose page this is; '' where the launch data does not say. Only its hash is used. */
function accountOf(initData) {
  try {
    return String(JSON.parse(new URLSearchParams(initData).get("user")).id);
  } catch {
    return "";
  }
}

/** `{account, publicKey, sign(...lines), sealing}` of the account in this launch data. */
export async function openDevice(initData) {
  const account = await digest(accountOf(initData));
  const keys = await readOrWrite("keys", account, await freshKeys());
  const raw = await crypto.subtle.exportKey("raw", keys.pair.publicKey);
  return {
    account,
    publicKey: base64url(raw),
    sealing: keys.sealing,
    async sign(...lines) {
      const how = { name: "ECDSA", hash: "SHA-256" };
      return base64url(await crypto.subtle.sign(how, keys.pair.privateKey, encoder.encode(lines.join("\n"))));
    },
  };
}

async function freshKeys() {
  return {
    pair: await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]),
    sealing: await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
  };
}

function base64url(buffer) {
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
