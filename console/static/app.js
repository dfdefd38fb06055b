// The page: who we are, what happens now, and the address after #.
//   #/?state=ERROR&since=1h&after=…   the list          #/mail?id=…        one mail
//   #/templates                       the templates     #/template?name=…  one of them

import * as api from "./api.js";
import * as charts from "./charts.js";
import { byId, number } from "./dom.js";
import * as list from "./list.js";
import * as mail from "./mail.js";
import * as templates from "./templates.js";

function say(state, text = state) {
  const live = byId("live");
  live.dataset.state = state;
  if (live.textContent !== text) live.textContent = text;
}

let events = null;

// A page that nobody sees does not follow: browsers open six connections to a server, for all tabs.
function follow() {
  if (document.hidden || events) return;
  events = new EventSource("/api/events");
  const on = (name, action) => events.addEventListener(name, (event) => action(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    say("offline");
    if (events?.readyState !== EventSource.CLOSED) return;
    events = null; // logged out, or too many browsers: EventSource itself gives up
    setTimeout(() => api.get("/api/session").then(follow, follow), 5000);
  });
  on("stream", ({ open }) => say(open ? "live" : "waiting", open ? "live" : "MongoDB tells no changes"));
  on("counts", showCounts);
  on("hour", charts.show);
  on("mails", (news) => {
    list.news(news);
    mail.news(news);
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    events?.close();
    events = null;
    return;
  }
  follow();
  list.news({ mails: [], removed: [], more: true });
  mail.news({ mails: [], removed: [], more: true });
});

function showCounts({ states, other, total }) {
  const tiles = Object.entries(states).map(([name, count]) => [name, count, `#/?state=${name}`]);
  tiles.push(["SUCCESS", other, "#/?state=SUCCESS"]);
  const wanted = list.filter().get("state") ?? "";
  list.states(byId("states"), tiles, wanted);
  byId("states").setAttribute("aria-description", `${number(total)} mails in all`);
}

function route() {
  const [path, query] = location.hash.slice(1).split("?", 2);
  const parameters = new URLSearchParams(query ?? "");
  const shown = ["mail", "templates", "template"].find((name) => path === `/${name}`) ?? "overview";
  for (const name of ["overview", "mail", "templates", "template"]) byId(name).hidden = name !== shown;
  byId("failure").hidden = true;
  if (shown !== "mail") mail.close();
  if (shown === "mail") mail.open(parameters.get("id") ?? "");
  else if (shown === "templates") templates.openAll();
  else if (shown === "template") templates.open(parameters.get("name") ?? "");
  else {
    list.open(parameters);
    document.title = "Mails · Mailtrigger";
  }
  // On a phone the counts and the charts fill the screen.
  const below = shown === "overview" && parameters.size > 0 && matchMedia("(max-width: 760px)").matches;
  if (below) byId("list-title").scrollIntoView();
  else window.scrollTo(0, 0);
}

byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address after # is ours
  byId("main").focus();
});
byId("logout").addEventListener("click", async () => {
  await api.logOut();
  location.replace("/login");
});

const session = await api.begin().catch((error) => {
  byId("failure").textContent = error.message;
  byId("failure").hidden = false;
  throw error;
});
byId("logout").hidden = !session.canLogOut;
byId("templates-link").hidden = !session.templates;
if (session.flower) {
  byId("flower").href = session.flower;
  byId("flower").hidden = false;
}
list.prepare(session.states);
mail.prepare();
window.addEventListener("hashchange", route);
route();
follow();
