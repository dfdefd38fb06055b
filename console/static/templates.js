// The templates, and one of them with its sample. Only to be looked at.

import * as api from "./api.js";
import { byId, element, number, plain, time } from "./dom.js";

let opened = 0; // what is asked for later counts

const address = (name) => `#/template?${new URLSearchParams({ name })}`;

export async function openAll() {
  document.title = "Templates · Mailtrigger";
  const page = await ask("/api/templates");
  if (!page) return;
  byId("templates-rows").replaceChildren(...page.templates.map(row));
  const count = `${number(page.templates.length)} templates and partials`;
  byId("templates-note").textContent = page.more ? `${count}; ${number(page.more)} more are not shown: python -m tasks templates list` : count;
}

export async function open(name) {
  document.title = `${plain(name)} · Mailtrigger`;
  byId("template-title").textContent = plain(name);
  byId("template-content").replaceChildren();
  const query = new URLSearchParams({ name });
  const template = await ask(`/api/template?${query}`);
  if (!template) return;
  byId("template-content").replaceChildren(...(template.problems.length ? template.problems.map(bad) : content(template, query)));
  byId("template-title").focus({ preventScroll: true });
}

// Nothing: it failed, or the reader has gone on meanwhile.
async function ask(path) {
  const mine = ++opened;
  const here = location.hash;
  let page = null;
  let problem = "";
  try {
    page = await api.get(path);
  } catch (error) {
    problem = error.message;
  }
  if (mine !== opened || location.hash !== here) return null;
  byId("failure").hidden = problem === "";
  byId("failure").textContent = problem;
  return page;
}

function row(template) {
  const name = template.canPreview ? element("a", { href: address(template.name) }, plain(template.shown)) : plain(template.shown);
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, name, template.partial ? element("span", { className: "faint" }, " partial") : null),
    cell(template.fields.join(", ")),
    cell(template.data.join(", ")),
    cell([...template.partials, ...(template.computesPartials ? ["(computed)"] : [])].join(", ")),
    element("td", {}, time(template.changed ?? template.created), template.changed || !template.created ? null : element("span", { className: "faint" }, " made")),
    element("td", {}, ...template.errors.map((error) => element("p", { className: "problem" }, plain(error)))),
  );
}

const cell = (text) => element("td", {}, plain(text));

const bad = (text) => element("p", { className: "notice bad" }, plain(text));

function content(template, query) {
  const parts = [];
  if (!template.hasSample) parts.push(element("p", { className: "notice" }, "It has no sample: all its data is missing here."));
  const rows = [["Subject", template.subject ? [template.subject] : []], ["Attachments", template.attachments]];
  const about = rows.filter(([, values]) => values.length).flatMap(([label, values]) => [element("dt", {}, label), element("dd", {}, ...values.map((value) => element("span", { className: "person" }, plain(value))))]);
  if (about.length) parts.push(element("dl", { className: "about" }, ...about));
  if (template.hasHtml) {
    if (template.hasRemote) parts.push(element("p", { className: "notice" }, "Pictures and styles from the net are not loaded here."));
    const frame = element("iframe", { title: "The template as HTML", referrerPolicy: "no-referrer" });
    frame.setAttribute("sandbox", "");
    frame.src = `/template/html?${query}`;
    parts.push(element("h2", {}, "HTML"), frame);
  }
  if (template.text) parts.push(element("h2", {}, "Text"), element("pre", { className: "text" }, plain(template.text)));
  if (template.textIsCut) parts.push(element("p", { className: "notice" }, "… and more."));
  return parts;
}
