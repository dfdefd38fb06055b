// The list of mails, newest first; lines are kept and reused by the mail's id.

import { byId, display, element, paintAvatar, shortTime } from "./dom.js";

const lines = new Map();
const unread = new Set();
let seen = null; // ids of the first load: those are not news

export function show(mails, searching) {
  if (seen === null) seen = new Set(mails.map((mail) => mail.id));
  for (const { id } of mails) {
    if (seen.has(id)) continue;
    seen.add(id);
    unread.add(id);
  }
  const ids = new Set(mails.map((mail) => mail.id));
  for (const id of lines.keys()) if (!ids.has(id)) lines.delete(id);
  for (const mail of mails) if (!lines.has(mail.id)) lines.set(mail.id, line(mail));
  replace(byId("mails"), mails.map((mail) => lines.get(mail.id)));
  byId("nothing").hidden = mails.length > 0;
  byId("nothing-text").textContent = searching ? "Nothing found" : "No mails yet";
  byId("count").textContent = `${mails.length} ${mails.length === 1 ? "mail" : "mails"}${searching ? " found" : ""}`;
}

export function select(id) {
  if (unread.delete(id)) lines.get(id)?.classList.remove("unread");
  for (const [key, node] of lines) {
    const link = node.firstElementChild;
    if (key === id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  lines.get(id)?.scrollIntoView({ block: "nearest" });
}

// The id `steps` lines below the given one; the first or last where the list ends.
export function neighbour(id, steps) {
  const ids = [...byId("mails").children].map((node) => node.dataset.id);
  const at = ids.indexOf(id);
  const wanted = at === -1 ? 0 : Math.min(Math.max(at + steps, 0), ids.length - 1);
  return ids[wanted];
}

function replace(parent, nodes) {
  // Only what changed, so that focus and scroll position stay.
  const kept = new Set(nodes);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

function line(mail) {
  const avatar = element("span", { className: "avatar", ariaHidden: "true" });
  paintAvatar(avatar, mail.from);
  const time = element("time", { dateTime: mail.receivedAt }, shortTime(mail.receivedAt));
  const clip = mail.attachmentCount
    ? element("span", { className: "clip" }, `${mail.attachmentCount} ${mail.attachmentCount === 1 ? "file" : "files"}`)
    : null;
  const link = element(
    "a",
    { href: `#/${mail.id}` },
    avatar,
    element("span", { className: "who" }, display(mail.from)),
    time,
    element("span", { className: "what" }, mail.subject || "(no subject)"),
    clip,
    element("span", { className: "snippet" }, mail.snippet),
  );
  const node = element("li", { className: unread.has(mail.id) ? "unread" : "" }, link);
  node.dataset.id = mail.id;
  return node;
}
