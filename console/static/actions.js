// Retry, resend, cancel: first what it would be for, then the question, then the change.

import * as api from "./api.js";
import { byId, number } from "./dom.js";

const WORDS = {
  retry: { verb: "Retry", of: "failed", after: "will be sent again" },
  resend: { verb: "Resend", of: "sent", after: "will be sent once more" },
  cancel: { verb: "Cancel", of: "waiting", after: "cancelled" },
};
const TWICE = "It goes to every recipient once more, also to those who have got it.";

let running = null;

// All that a filter finds.
export async function all(kind, filter, then) {
  const words = WORDS[kind];
  begin(`${words.verb} all that the filter finds`, "Counting …");
  let counted;
  try {
    counted = await api.get(`/api/changes?${new URLSearchParams([...filter, ["kind", kind]])}`);
  } catch (error) {
    ask(error.message, null);
    return;
  }
  const { certain, inDoubt } = counted;
  const wish = { kind, filter: Object.fromEntries(filter), inDoubt: false };
  const text = `${certain.text} ${words.of} ${certain.text === "1" ? "mail" : "mails"}${filter.size ? " that the filter finds" : ""}. ${kind === "resend" ? "Everybody gets them once more." : ""}`;
  if (inDoubt.number > 0) {
    doubt(`Also the ${inDoubt.text} of which nobody knows whether somebody has got them. Look for them in the server’s log first: they may arrive twice.`);
  }
  const some = () => certain.number > 0 || (inDoubt.number > 0 && byId("dialog-tick").checked);
  const label = () => {
    const sum = certain.number + (byId("dialog-tick").checked ? inDoubt.number : 0);
    const exact = certain.isExact && (inDoubt.isExact || !byId("dialog-tick").checked);
    return `${words.verb} ${number(sum)}${exact ? "" : "+"} ${sum === 1 && exact ? "mail" : "mails"}`;
  };
  ask(text, wish, { label, allowed: some, then });
}

// One mail.
export function one(kind, mail, then) {
  const words = WORDS[kind];
  begin(`${words.verb} this mail?`, "");
  const wish = { kind, id: mail.id, inDoubt: false };
  const text = { retry: "It is sent again, with the document as it is now.", resend: TWICE, cancel: "It is not sent, unless a worker has just taken it." }[kind];
  if (kind === "retry" && mail.inDoubt) {
    doubt("Nobody knows whether somebody has got it. I have looked for its Message-ID in the server’s log; it may arrive twice.");
  }
  const must = kind === "retry" && mail.inDoubt;
  ask(text, wish, { label: () => words.verb, allowed: () => !must || byId("dialog-tick").checked, then });
}

function begin(title, text) {
  byId("dialog-title").textContent = title;
  byId("dialog-text").textContent = text;
  byId("dialog-doubt").hidden = true;
  byId("dialog-tick").checked = false;
  byId("dialog-tick").disabled = false;
  byId("dialog-progress").hidden = true;
  byId("dialog-do").hidden = true;
  byId("dialog-close").textContent = "Leave it";
  byId("dialog").showModal();
  byId("dialog-close").focus(); // nothing is done by a key pressed too often
}

function doubt(text) {
  byId("dialog-doubt-text").textContent = text;
  byId("dialog-doubt").hidden = false;
}

function ask(text, wish, options) {
  byId("dialog-text").textContent = text;
  const button = byId("dialog-do");
  button.hidden = wish === null;
  if (wish === null) return;
  const update = () => {
    button.textContent = options.label();
    button.disabled = !options.allowed();
  };
  byId("dialog-tick").onchange = update;
  button.onclick = () => run({ ...wish, inDoubt: byId("dialog-tick").checked }, options.then);
  update();
}

async function run(wish, then) {
  byId("dialog-do").hidden = true;
  byId("dialog-tick").disabled = true;
  byId("dialog-close").textContent = "Stop";
  byId("dialog-close").focus();
  const progress = byId("dialog-progress");
  progress.hidden = false;
  progress.removeAttribute("value");
  running = new AbortController();
  const { after } = WORDS[wish.kind];
  const say = ({ changed, lookedAt }) => `${number(changed)} of ${number(lookedAt)} ${after}`;
  try {
    const end = await api.change(wish, (line) => (byId("dialog-text").textContent = `${say(line)} …`), running.signal);
    const left = end.lookedAt - end.changed;
    byId("dialog-text").textContent = left > 0 ? `${say(end)}. The rest is not in a state for it (any more), or in doubt.` : `${say(end)}.`;
  } catch (error) {
    byId("dialog-text").textContent = error.name === "AbortError" ? "Stopped; what was changed stays changed." : error.message;
  }
  running = null;
  byId("dialog-close").textContent = "Close";
  progress.hidden = true;
  byId("dialog-doubt").hidden = true;
  then();
}

function leave() {
  if (running) running.abort();
  else byId("dialog").close();
}

byId("dialog-close").addEventListener("click", leave);
byId("dialog").addEventListener("cancel", (event) => {
  if (!running) return;
  event.preventDefault();
  leave();
});
