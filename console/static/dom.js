// Building blocks of the page. What stands in documents becomes text nodes, never HTML.

export const byId = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function shape(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// Control characters, and those that turn the direction of what follows, are shown as what they are.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

export const plain = (text) =>
  text.replace(HIDDEN, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);

const NUMBER = new Intl.NumberFormat("en");
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const number = (value) => NUMBER.format(value);

export function shortTime(iso) {
  const time = new Date(iso);
  return (time.toDateString() === new Date().toDateString() ? TIME : DAY).format(time);
}

export const exactTime = (iso) => EXACT.format(new Date(iso));

export function time(iso, write = shortTime) {
  if (!iso) return element("span", { className: "faint" }, "–");
  return element("time", { dateTime: iso, title: exactTime(iso) }, write(iso));
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 120) return `${value.toFixed(value < 10 ? 1 : 0)} s`;
  return value < 7200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3600)} h`;
}

export function state(mail) {
  const badge = element("span", { className: "state" }, plain(mail.state));
  badge.dataset.state = mail.known ? mail.state : "OTHER";
  return element("span", {}, badge, mail.inDoubt ? element("span", { className: "doubt" }, "in doubt") : null);
}
