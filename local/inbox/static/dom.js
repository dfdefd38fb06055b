// Building blocks of the page. Text only ever becomes text nodes, never HTML.

export const byId = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children.filter((child) => child !== null));
  return node;
}

export const display = (person) => person.name || person.address || "(no sender)";

export const full = (person) =>
  person.name && person.address ? `${person.name} <${person.address}>` : display(person);

// The same sender has the same colour everywhere.
export function paintAvatar(node, person) {
  const text = person.address || person.name;
  let hash = 7;
  for (const letter of text.toLowerCase()) hash = (hash * 31 + letter.codePointAt(0)) % 360;
  node.style.setProperty("--hue", hash);
  node.textContent = ([...display(person).replace(/[^\p{L}\p{N}]/gu, "")][0] ?? "?").toUpperCase();
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function shortTime(iso) {
  const time = new Date(iso);
  const today = time.toDateString() === new Date().toDateString();
  return (today ? TIME : DAY).format(time);
}

export const exactTime = (iso) => EXACT.format(new Date(iso));
