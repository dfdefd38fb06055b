// One mail: its head, and a tab for each way of reading it.

import { byId, element, exactTime, full, paintAvatar, size } from "./dom.js";

const TABS = ["html", "text", "headers", "attachments", "source"];
const REMOTE = /\b(?:src|srcset|background|poster)\s*=\s*["']?\s*(?:https?:)?\/\/|url\(\s*["']?\s*(?:https?:)?\/\/|<link\b[^>]*\bhref/i;
const SHOWN_SOURCE = 500_000; // characters; more makes browsers slow

let mail = null;
let preferred = "html"; // the tab the reader chose last, kept from mail to mail

export function show(loaded) {
  mail = loaded;
  byId("unselected").hidden = mail !== null;
  byId("mail").hidden = mail === null;
  for (const tab of TABS) byId(`panel-${tab}`).replaceChildren();
  if (mail === null) return;
  head();
  byId("tab-html").disabled = mail.html === null;
  byId("tab-text").disabled = mail.text === null;
  byId("tab-attachments").disabled = mail.attachments.length === 0;
  byId("tab-attachments").textContent = `Attachments${mail.attachments.length ? ` ${mail.attachments.length}` : ""}`;
  open(preferred);
}

export function openTab(number) {
  const tab = TABS[number];
  if (mail === null || tab === undefined || byId(`tab-${tab}`).disabled) return;
  preferred = tab;
  open(tab);
}

export function wireTabs() {
  TABS.forEach((tab, number) => byId(`tab-${tab}`).addEventListener("click", () => openTab(number)));
  byId("tab-html").parentElement.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const usable = TABS.filter((tab) => !byId(`tab-${tab}`).disabled);
    const at = usable.indexOf(event.target.id.slice("tab-".length));
    const next = usable[(at + step + usable.length) % usable.length];
    openTab(TABS.indexOf(next));
    byId(`tab-${next}`).focus();
  });
}

function open(wanted) {
  const tab = [wanted, "html", "text", "headers"].find((name) => !byId(`tab-${name}`).disabled);
  for (const name of TABS) {
    const selected = name === tab;
    byId(`tab-${name}`).setAttribute("aria-selected", String(selected));
    byId(`tab-${name}`).tabIndex = selected ? 0 : -1;
    byId(`panel-${name}`).hidden = !selected;
  }
  const panel = byId(`panel-${tab}`);
  if (!panel.hasChildNodes()) fill[tab](panel);
}

function head() {
  byId("subject").textContent = mail.subject || "(no subject)";
  byId("from").textContent = full(mail.from);
  byId("received").textContent = `${exactTime(mail.receivedAt)} · ${size(mail.size)}`;
  paintAvatar(byId("avatar"), mail.from);
  byId("people").replaceChildren(
    ...people("To", mail.to.map(full)),
    ...people("Cc", mail.cc.map(full)),
    ...people("Bcc", hidden(), "only in the envelope: no other recipient sees them"),
    ...people("Reply to", mail.replyTo.map(full)),
    element("dt", { title: "what the SMTP client said" }, "Envelope"),
    element("dd", { className: "said" }, `${mail.envelope.from || "<>"} → ${mail.envelope.to.join(", ")}`),
  );
}

function people(label, texts, title = "") {
  if (texts.length === 0) return [];
  const values = texts.map((text) => element("span", { className: "person" }, text));
  return [element("dt", { title }, label), element("dd", {}, ...values)];
}

function hidden() {
  const visible = new Set([...mail.to, ...mail.cc].map((person) => normal(person.address)));
  return mail.envelope.to.filter((address) => !visible.has(normal(address)));
}

// The envelope has domains in IDNA form, the head may have them in letters.
function normal(address) {
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1);
  const url = URL.canParse(`http://${domain}`) ? new URL(`http://${domain}`).hostname : domain;
  return `${address.slice(0, at)}@${url}`.toLowerCase();
}

const fill = {
  html(panel) {
    const address = `/mails/${mail.id}/html`;
    const frame = element("iframe", { src: address, title: "The mail as HTML", referrerPolicy: "no-referrer" });
    frame.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
    panel.append(frame);
    if (!REMOTE.test(mail.html)) return;
    const load = element("button", { type: "button" }, "Load them");
    const notice = element("p", { className: "notice" }, "Pictures from the net are not loaded. ", load);
    load.addEventListener("click", () => {
      frame.src = `${address}?remote=1`;
      notice.remove();
    });
    panel.prepend(notice);
  },

  text(panel) {
    panel.append(element("pre", { className: "text" }, ...linked(mail.text)));
  },

  headers(panel) {
    const rows = mail.headers.map(([name, value]) =>
      element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)),
    );
    panel.append(element("table", { className: "headers" }, element("tbody", {}, ...rows)));
  },

  attachments(panel) {
    const items = mail.attachments.map((file, number) => {
      const link = element("a", { href: `/mails/${mail.id}/attachments/${number}`, download: file.filename }, file.filename);
      const note = `${file.contentType} · ${size(file.size)}${file.inline ? " · inline" : ""}`;
      return element("li", {}, element("span", { className: "kind" }, extension(file.filename)),
        element("span", { className: "file" }, link, element("span", { className: "faint" }, note)));
    });
    panel.append(element("ul", { className: "files" }, ...items));
  },

  async source(panel) {
    const address = `/mails/${mail.id}/source`;
    const save = element("a", { className: "save", href: `${address}?download=1` }, "Save as .eml");
    const text = element("pre", {}, "…");
    panel.append(element("p", { className: "notice" }, save), text);
    const whole = await (await fetch(address)).text();
    const more = whole.length > SHOWN_SOURCE ? "\n\n… the rest is in the .eml file" : "";
    text.textContent = whole.slice(0, SHOWN_SOURCE) + more;
  },
};

const extension = (filename) => (/\.([a-z0-9]{1,4})$/i.exec(filename)?.[1] ?? "file").toUpperCase();

function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:!?])/g).map((piece, index) =>
    index % 2 ? element("a", { href: piece, target: "_blank", rel: "noopener noreferrer" }, piece) : piece,
  );
}
