// Requests to the console. Whoever is not logged in any more is sent to the login page.

let token = "";

export class Problem extends Error {}

export async function get(path) {
  return (await send(path)).json();
}

export async function text(path) {
  return (await send(path)).text();
}

export async function begin() {
  const session = await get("/api/session");
  token = session.token;
  return session;
}

export const logOut = () => send("/logout", { method: "POST" });

// Runs a change; `progress` is told each line, the last one is returned.
export async function change(wish, progress, signal) {
  const response = await send("/api/changes", {
    method: "POST",
    body: JSON.stringify(wish),
    headers: { "Content-Type": "application/json" },
    signal,
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let last = null;
  for (;;) {
    const { value, done } = await reader.read();
    rest += value ?? "";
    const lines = rest.split("\n");
    rest = lines.pop();
    for (const line of lines) progress((last = JSON.parse(line)));
    if (done) break;
  }
  if (!last || last.error || !last.done) throw new Problem(last?.error ?? "The console ended before the change did");
  return last;
}

async function send(path, options = {}) {
  const response = await fetch(path, {
    ...options,
    headers: { ...options.headers, ...(options.method === "POST" ? { "X-CSRF-Token": token } : {}) },
  }).catch((error) => {
    throw error.name === "AbortError" ? error : new Problem("The console does not answer");
  });
  if (response.ok) return response;
  if (response.status === 401) {
    if (token === "") throw new Problem("The browser keeps no cookie of this page, which needs one");
    location.reload(); // to the login page, if a password is asked for
    throw new Problem("Log in first");
  }
  const said = await response.json().catch(() => ({}));
  throw new Problem(said.error ?? `${response.status} ${response.statusText}`);
}
