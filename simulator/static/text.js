// A message's text with its entities as elements. Offsets count UTF-16 units, as JavaScript's strings do.
import { h } from "/static/dom.js";

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote",
  expandable_blockquote: "blockquote", spoiler: "span", text_link: "a", bot_command: "span",
};

/** rich("hi", [{type: "bold", offset: 0, length: 2}]) -> nodes. */
export function rich(text, entities = []) {
  const known = entities.filter((entity) => TAGS[entity.type]);
  return inside(text, 0, text.length, known);
}

function inside(text, from, to, entities) {
  const nodes = [];
  let at = from;
  const rest = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  while (rest.length) {
    const entity = rest.shift();
    const end = entity.offset + entity.length;
    if (entity.offset < at || end > to) continue;
    if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
    const within = rest.filter((other) => other.offset >= entity.offset && other.offset + other.length <= end);
    nodes.push(element(entity, inside(text, entity.offset, end, within)));
    at = end;
  }
  if (at < to) nodes.push(text.slice(at, to));
  return nodes;
}

function element(entity, children) {
  const safe = entity.type === "text_link" && /^https?:\/\//.test(entity.url ?? "");
  const attributes = safe ? { href: entity.url, target: "_blank", rel: "noopener noreferrer" } : {};
  return h(TAGS[entity.type], attributes, children);
}
