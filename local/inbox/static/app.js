// The page: loads the list, follows the live events, and the address after # (#/<id of a mail>).

import { byId } from "./dom.js";
import * as list from "./list.js";
import * as reader from "./reader.js";

const search = byId("search");
let selected = "";
let loading = null;

async function api(path, options) {
  const response = await fetch(`/api${path}`, options);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response.status === 204 ? null : response.json();
}

// Changes that come while the list is loading cause one more load, not one each.
function refresh() {
  if (loading) {
    loading.again = true;
    return;
  }
  loading = { again: false };
  const words = search.value.trim();
  api(`/mails?search=${encodeURIComponent(words)}`)
    .then(({ mails }) => {
      list.show(mails, words !== "");
      list.select(selected);
    })
    .catch((error) => say("offline", error.message))
    .finally(() => {
      const { again } = loading;
      loading = null;
      if (again) refresh();
    });
}

async function route() {
  selected = location.hash.startsWith("#/") ? location.hash.slice(2) : "";
  document.body.classList.toggle("reading", selected !== "");
  list.select(selected);
  const wanted = selected;
  const mail = wanted ? await api(`/mails/${encodeURIComponent(wanted)}`).catch(() => null) : null;
  if (wanted !== selected) return; // the reader has gone on meanwhile
  reader.show(mail);
  document.title = mail ? `${mail.subject || "(no subject)"} · Mailtrigger` : "Inbox · Mailtrigger";
  if (wanted && mail === null) location.hash = "";
}

function say(state, text = state) {
  byId("live").dataset.state = state;
  byId("live").textContent = text;
}

function follow() {
  const events = new EventSource("/api/events");
  events.addEventListener("open", () => {
    say("live");
    refresh();
  });
  events.addEventListener("error", () => say("offline"));
  events.addEventListener("change", refresh);
}

function move(steps) {
  const id = list.neighbour(selected, steps);
  if (id) location.hash = `#/${id}`;
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  j: () => move(1),
  k: () => move(-1),
  "/": () => search.focus(),
  Escape: () => (location.hash = ""),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === search) {
    if (event.key === "Escape") {
      search.value = "";
      search.blur();
      refresh();
    } else if (event.key === "ArrowDown" || event.key === "Enter") {
      search.blur();
      move(event.key === "Enter" ? 0 : 1);
    }
    return;
  }
  const action = KEYS[event.key] ?? (/^[1-5]$/.test(event.key) ? () => reader.openTab(event.key - 1) : null);
  if (!action) return;
  event.preventDefault();
  action();
});

search.addEventListener("input", refresh);
window.addEventListener("hashchange", route);
byId("delete").addEventListener("click", async () => {
  const gone = selected;
  const next = list.neighbour(gone, 1);
  location.hash = next === gone ? "" : `#/${next}`;
  await api(`/mails/${gone}`, { method: "DELETE" });
});
byId("clear").addEventListener("click", async () => {
  if (!window.confirm("Delete all mails of this inbox?")) return;
  await api("/mails", { method: "DELETE" });
  location.hash = "";
});

reader.wireTabs();
follow();
route();
