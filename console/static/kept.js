// What stays in this web view: keys that cannot be taken out, and sealed drafts. Where the web view keeps nothing,
// a page keeps it in memory for as long as it is open, and `lasting()` says so.

const STORES = ["keys", "drafts"];
const memory = Object.fromEntries(STORES.map((name) => [name, new Map()]));
let opening;
let broken = false;

export const lasting = () => !broken;

export const read = (store, key) => run(store, "readonly", (rows) => rows.get(key), (rows) => rows.get(key));
export const write = (store, key, value) =>
  run(store, "readwrite", (rows) => rows.put(value, key), (rows) => rows.set(key, value));
export const remove = (store, key) =>
  run(store, "readwrite", (rows) => rows.delete(key), (rows) => rows.delete(key));

/** Every row as [key, value]. */
export async function all(store) {
  const keys = await run(store, "readonly", (rows) => rows.getAllKeys(), (rows) => [...rows.keys()]);
  return Promise.all(keys.map(async (key) => [key, await read(store, key)]));
}

/** What is kept under a key; `fresh` only where there is nothing yet. Two pages that open at once agree. */
export async function readOrWrite(store, key, fresh) {
  const claim = (rows) => {
    const found = rows.get(key);
    found.onsuccess = () => { if (found.result === undefined) rows.put(fresh, key); };
    return found;
  };
  const found = await run(store, "readwrite", claim, (rows) => {
    const before = rows.get(key);
    if (!before) rows.set(key, fresh);
    return before;
  });
  return found ?? fresh;
}

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("pulang", 1);
    request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name));
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
  return opening;
}

async function run(store, mode, work, inMemory) {
  if (!broken) {
    try {
      const database = await open();
      return await new Promise((resolve, reject) => {
        const change = database.transaction(store, mode);
        const request = work(change.objectStore(store));
        change.oncomplete = () => resolve(request.result);
        change.onerror = change.onabort = () => reject(change.error);
      });
    } catch {
      broken = true; // private windows and old web views: from here on in memory
    }
  }
  return inMemory(memory[store]);
}
