// The list: filter, table, pages. Its address is the filter, so that it can be sent to somebody.

import * as actions from "./actions.js";
import * as api from "./api.js";
import { byId, element, exactTime, number, plain, state, time } from "./dom.js";

const REFRESH = 2000; // milliseconds between two loads of the first page at least
const PROBABLE = { ERROR: "failed", NEW: "not seen yet", PENDING: "waiting", RETRY: "to be sent again", PROCESSING: "being sent" };

let parameters = new URLSearchParams();
let shown = new Map(); // id → row
let loading = 0;
let timer = null;
let last = 0;

export const filter = () => {
  const chosen = new URLSearchParams(parameters);
  chosen.delete("after");
  return chosen;
};

export function prepare(states) {
  const form = byId("filter");
  for (const name of states) form.elements.state.append(element("option", { value: name }, name));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim() !== ""));
    if (`#/?${chosen}` === location.hash) load();
    else location.hash = `/?${chosen}`;
  });
  byId("clear").addEventListener("click", () => {
    form.reset();
    location.hash = "/";
  });
  for (const button of document.querySelectorAll("[data-kind]")) {
    button.addEventListener("click", () => actions.all(button.dataset.kind, filter(), load));
  }
}

export function open(chosen) {
  parameters = chosen;
  const form = byId("filter");
  for (const field of form.elements) {
    if (field.type === "checkbox") field.checked = chosen.get(field.name) !== null;
    else if (field.name) field.value = chosen.get(field.name) ?? "";
  }
  if (["until", "template", "transport", "priority", "inDoubt"].some((name) => chosen.has(name))) byId("more-filters").open = true;
  const named = chosen.get("state");
  byId("list-title").textContent = named ? `Mails: ${named}` : [...filter().keys()].length ? "Mails found" : "All mails";
  for (const tile of byId("states").querySelectorAll("a")) mark(tile, named ?? "");
  load();
}

async function load() {
  const mine = ++loading;
  last = Date.now();
  byId("mails").setAttribute("aria-busy", "true");
  let page = null;
  let problem = "";
  try {
    page = await api.get(`/api/mails?${parameters}`);
  } catch (error) {
    problem = error.message;
  }
  if (mine !== loading) return; // another load has begun meanwhile
  byId("mails").setAttribute("aria-busy", "false");
  byId("filter-problem").textContent = problem;
  if (page) show(page);
}

function show(page) {
  const rows = page.mails.map((mail) => [mail.id, row(mail, shown.get(mail.id))]);
  shown = new Map(rows);
  arrange(byId("mails"), rows.map(([, node]) => node));
  byId("nothing").hidden = page.mails.length > 0;
  byId("nothing-hint").textContent = hint(page);
  byId("list-note").textContent = note(page);
  link("older", page.after, () => ({ after: page.after }));
  link("newest", parameters.has("after"), () => ({}));
}

function note(page) {
  if (page.isCutShort) {
    const back = page.searchedBackTo ? `back to ${exactTime(page.searchedBackTo)}` : "for as long as one page may take";
    return `Searched ${back}; “Older” goes on.`;
  }
  return `${page.mails.length} on this page, newest first`;
}

const hint = (page) =>
  parameters.get("state") || page.isCutShort ? "" : "Mails that the watcher has not seen yet are found by their state, NEW.";

function link(id, wanted, more) {
  byId(id).hidden = !wanted;
  if (!wanted) return;
  const chosen = filter();
  for (const [name, value] of Object.entries(more())) chosen.set(name, value);
  byId(id).href = `#/?${chosen}`;
}

// Only what changed, so that the focus and the place on the page stay.
function arrange(parent, nodes) {
  const kept = new Set(nodes);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

function row(mail, old) {
  const text = JSON.stringify(mail);
  if (old?.dataset.mail === text) return old;
  const node = old ?? element("tr", {});
  node.dataset.mail = text;
  node.setAttribute("role", "row");
  const focused = node.contains(document.activeElement);
  const subject = element("a", { href: `#/mail?${new URLSearchParams({ id: mail.id })}` }, title(mail));
  const cells = [
    ["Time", time(mail.start)],
    ["State", state(mail)],
    ["Recipients", recipients(mail)],
    ["Subject", subject],
    ["Attempts", mail.attempts === null ? "–" : number(mail.attempts)],
    ["Why", plain(mail.error ?? mail.waitsFor ?? "")],
    ["Transport", mail.transport === "default" ? "" : plain(mail.transport)],
  ];
  node.replaceChildren(
    ...cells.map(([label, content]) => {
      const cell = element("td", {}, content);
      cell.setAttribute("role", "cell");
      cell.dataset.label = label;
      return cell;
    }),
  );
  if (focused) subject.focus({ preventScroll: true });
  return node;
}

export function title(mail) {
  if (mail.subject) return plain(mail.subject);
  return mail.template ? `(template ${plain(mail.template)})` : "(no subject)";
}

function recipients(mail) {
  const first = mail.recipients[0];
  const others = mail.recipients.length - 1 + mail.more;
  if (first === undefined) return mail.more ? `${number(mail.more)} by id` : "–";
  return others > 0 ? `${plain(first)} and ${number(others)} more` : plain(first);
}

// Rows that stand there are changed at once; whether others belong there, MongoDB is asked.
export function news({ mails, removed, more }) {
  let others = more || removed.some((id) => shown.has(id));
  for (const mail of mails) {
    const old = shown.get(mail.id);
    if (old) row(mail, old);
    others = true;
  }
  if (others && !parameters.has("after") && !byId("overview").hidden && timer === null) {
    timer = setTimeout(refresh, Math.max(last + REFRESH - Date.now(), 0));
  }
}

function refresh() {
  timer = null;
  if (!document.hidden) load();
}

export function states(parent, tiles, wanted) {
  const known = new Map([...parent.children].map((item) => [item.dataset.state, item]));
  const items = tiles.map(([name, count, href]) => {
    const item = known.get(name) ?? tile(name, href);
    const text = number(count);
    const shownCount = item.querySelector("strong");
    if (shownCount.textContent !== text) shownCount.textContent = text;
    item.dataset.none = String(count === 0);
    mark(item.firstElementChild, wanted);
    return item;
  });
  arrange(parent, items);
}

function tile(name, href) {
  const label = element("span", {}, name, element("small", {}, name === "SUCCESS" ? "sent, and states of your own" : (PROBABLE[name] ?? "")));
  const item = element("li", {}, element("a", { href }, element("strong", {}), label));
  item.dataset.state = name;
  return item;
}

function mark(anchor, wanted) {
  if (anchor.parentElement.dataset.state === wanted) anchor.setAttribute("aria-current", "true");
  else anchor.removeAttribute("aria-current");
}
