// Small helpers: elements without innerHTML, and requests that say what went wrong.

/** h("button", {type: "button", onclick: f}, "Yes", child …): an element; text never becomes markup. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** GET as JSON. */
export async function look(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error((await answer.json()).error ?? answer.statusText);
  return answer.json();
}

/** POST JSON; throws an Error with the simulator's words on 4xx. */
export async function act(path, body = {}) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error ?? answer.statusText);
  return found;
}

/** Say something to whoever listens to a screen reader. */
export function announce(words) {
  const live = document.getElementById("live");
  live.textContent = "";
  requestAnimationFrame(() => {
    live.textContent = words;
  });
}

const LOCK =
  "M6 10V8a6 6 0 1 1 12 0v2h1a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1h1zm2 0h8V8a4 4 0 1 0-8 0v2z";

/** A padlock, drawn. */
export function padlock() {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const shape = document.createElementNS(space, "path");
  for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", width: "14", height: "14", "aria-hidden": "true" })) {
    svg.setAttribute(name, value);
  }
  shape.setAttribute("d", LOCK);
  shape.setAttribute("fill", "currentColor");
  svg.append(shape);
  return svg;
}
