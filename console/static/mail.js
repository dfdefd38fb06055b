// One mail: what became of it, and what stands in it.

import * as actions from "./actions.js";
import * as api from "./api.js";
import { byId, element, exactTime, number, plain, state, time } from "./dom.js";
import { title } from "./list.js";

const TABS = ["html", "text", "source"];
const SHOWN_SOURCE = 500_000; // characters; more makes browsers slow
const NAMES = { retry: "Retry…", resend: "Resend…", cancel: "Cancel…" };
const OUTCOMES = { accepted: "accepted", rejected: "refused for good", pending: "refused for now" };

let id = null;
let loaded = null;
let preferred = "html";
let reloading = false;

const query = (more = {}) => new URLSearchParams({ id, ...more });

export function prepare() {
  TABS.forEach((tab) => byId(`tab-${tab}`).addEventListener("click", () => openTab((preferred = tab))));
  byId("tab-html").parentElement.addEventListener("keydown", (event) => {
    const usable = TABS.filter((tab) => !byId(`tab-${tab}`).disabled);
    const at = usable.indexOf(preferredTab());
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: usable.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    openTab((preferred = usable[(next + usable.length) % usable.length]));
    byId(`tab-${preferred}`).focus();
  });
}

export async function open(wanted) {
  id = wanted;
  loaded = null;
  for (const tab of TABS) byId(`panel-${tab}`).replaceChildren();
  byId("subject").textContent = "…";
  await load();
  if (loaded && id === wanted) byId("subject").focus({ preventScroll: true });
}

export function close() {
  id = null;
}

export function news({ mails, removed, more }) {
  if (id === null || reloading) return;
  if (!more && !removed.includes(id) && !mails.some((mail) => mail.id === id)) return;
  reloading = true;
  setTimeout(() => {
    reloading = false;
    if (id !== null) load();
  }, 500);
}

async function load() {
  const wanted = id;
  let mail = null;
  let problem = "";
  try {
    mail = await api.get(`/api/mail?${query()}`);
  } catch (error) {
    problem = error.message;
  }
  if (id !== wanted) return; // the reader has gone on meanwhile
  byId("failure").hidden = problem === "";
  byId("failure").textContent = problem;
  if (mail === null) {
    if (loaded === null) byId("subject").textContent = "Not found";
    return;
  }
  const changed = JSON.stringify(mail) !== JSON.stringify(loaded);
  const contentChanged = loaded === null || content(loaded) !== content(mail);
  loaded = mail;
  if (changed) show(mail);
  if (contentChanged) showContent(mail);
  else byId("panel-source").replaceChildren();
  if (changed) openTab(preferred);
}

const content = ({ subject, text, hasHtml, rendered, problems }) => JSON.stringify([subject, text, hasHtml, rendered, problems]);

function show(mail) {
  document.title = `${title(mail)} · Mailtrigger`;
  byId("subject").textContent = title(mail);
  byId("mail-state").replaceChildren(state(mail));
  byId("mail-error").hidden = !mail.error;
  byId("mail-error").textContent = plain(mail.error ?? "");
  const focused = document.activeElement?.dataset?.one;
  byId("mail-actions").replaceChildren(...mail.can.map((kind) => action(kind, mail)));
  if (focused) byId("mail-actions").querySelector(`[data-one="${focused}"]`)?.focus();
  byId("about").replaceChildren(...about(mail));
  byId("history").replaceChildren(...mail.history.map(step));
  byId("answers-section").hidden = mail.answers.length === 0 && !mail.response;
  byId("answers").replaceChildren(...mail.answers.map(answer));
  const rest = mail.answerCount - mail.answers.length;
  byId("answers-note").textContent = [rest > 0 ? `and ${number(rest)} more; the source has all.` : "", mail.response ? `Last reply: ${plain(mail.response)}` : ""].join(" ");
}

function action(kind, mail) {
  const button = element("button", { type: "button" }, NAMES[kind]);
  button.dataset.one = kind;
  button.addEventListener("click", () => actions.one(kind, mail, load));
  return button;
}

function about(mail) {
  const rows = [
    ["Id", mail.id],
    ["From", mail.people.from],
    ["To", mail.people.to],
    ["Cc", mail.people.cc],
    ["Bcc", mail.people.bcc],
    ["Users", mail.uids ? `${number(mail.uids)} by id` : ""],
    ["Template", mail.template],
    ["Transport", mail.transport],
    ["Priority", mail.priority],
    ["Message-ID", mail.messageId],
    ["Attachments", mail.attachments],
    ["Worker", mail.worker],
  ];
  const found = rows.flatMap(([label, value]) => pair(label, Array.isArray(value) ? value : [value]));
  const links = [
    mail.flower.tasks && away(mail.flower.tasks, "Celery tasks with this mail"),
    mail.flower.worker && away(mail.flower.worker, "Tasks on this worker’s machine"),
  ].filter(Boolean);
  if (links.length) found.push(element("dt", {}, "Flower"), element("dd", {}, ...links));
  return found;
}

function pair(label, values) {
  const texts = values.filter(Boolean).slice(0, 50);
  if (texts.length === 0) return [];
  if (values.length > 50) texts.push(`and ${number(values.length - 50)} more`);
  return [element("dt", {}, label), element("dd", {}, ...texts.map((text) => element("span", { className: "person" }, plain(text))))];
}

const away = (href, text) => element("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);

function step({ text, at, kind }) {
  const item = element("li", {}, at ? time(at, exactTime) : element("span", { className: "faint" }, kind === "now" ? "now" : ""), element("span", {}, plain(text)));
  item.dataset.kind = kind;
  return item;
}

function answer({ recipient, outcome, code, response }) {
  const word = element("span", { className: "outcome" }, OUTCOMES[outcome]);
  word.dataset.outcome = outcome;
  return element("tr", {}, element("th", { scope: "row" }, plain(recipient)), element("td", {}, word), element("td", {}, code === null ? "" : String(code)), element("td", {}, plain(response ?? "")));
}

function showContent(mail) {
  for (const tab of TABS) byId(`panel-${tab}`).replaceChildren();
  byId("mail-template").replaceChildren(
    ...(mail.rendered ? [element("p", { className: "notice" }, "HTML and text are rendered with the template as it is now: a mail that went out before may have been different.")] : []),
    ...mail.problems.map((problem) => element("p", { className: "notice bad" }, plain(problem))),
  );
  byId("tab-html").disabled = !mail.hasHtml;
  byId("tab-text").disabled = !mail.text;
}

function preferredTab() {
  return [preferred, ...TABS].find((name) => !byId(`tab-${name}`).disabled);
}

function openTab() {
  const tab = preferredTab();
  for (const name of TABS) {
    const selected = name === tab;
    byId(`tab-${name}`).setAttribute("aria-selected", String(selected));
    byId(`tab-${name}`).tabIndex = selected ? 0 : -1;
    byId(`panel-${name}`).hidden = !selected;
  }
  const panel = byId(`panel-${tab}`);
  if (!panel.hasChildNodes()) fill[tab](panel);
}

const fill = {
  html(panel) {
    const address = `/mail/html?${query()}`;
    const frame = element("iframe", { title: "The mail as HTML", referrerPolicy: "no-referrer" });
    frame.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
    frame.src = address;
    panel.append(frame);
    if (!loaded.hasRemote) return;
    const button = element("button", { type: "button" }, "Load them");
    const notice = element("p", { className: "notice" }, "Pictures from the net are not loaded: they tell the sender that the mail was read. ", button);
    button.addEventListener("click", () => {
      frame.src = `/mail/html?${query({ remote: "1" })}`;
      notice.remove();
    });
    panel.prepend(notice);
  },

  text(panel) {
    panel.append(element("pre", { className: "text" }, plain(loaded.text)));
    if (loaded.textIsCut) panel.append(element("p", { className: "notice" }, "… the rest is in the source."));
  },

  async source(panel) {
    const address = `/mail/source?${query()}`;
    const save = element("a", { href: address, download: "" }, "Save as JSON");
    const text = element("pre", {}, "…");
    panel.append(element("p", { className: "notice" }, "The document as it stands in MongoDB. ", save), text);
    const whole = await api.text(address).catch((error) => error.message);
    text.textContent = plain(whole.slice(0, SHOWN_SOURCE)) + (whole.length > SHOWN_SOURCE ? "\n\n… the rest is in the file" : "");
  },
};

