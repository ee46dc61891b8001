// Events from the emulator, and actions of the user.

let frame = 0;
const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; draw(); }); };

function connect() {
  const source = new EventSource("/_emulator/events");
  const on = (name, take) => source.addEventListener(name, (event) => { take(JSON.parse(event.data)); soon(); });
  source.onopen = () => said(byId("live"), "Live", "on");
  source.onerror = () => {
    said(byId("live"), "Reconnecting", "off");
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
  on("state", (state) => {
    const isFirst = !view.isDrawn;
    store.begin(state);
    if (isFirst) for (const [newest] of conversationsOf(state.messages)) store.seen.set(newest.target_e164, newest.id);
    if (view.id && !store.messages.has(view.id)) location.hash = "#/";
  });
  on("message", (message) => { if (store.take(message)) announce(message); });
  on("request", (request) => store.note(request));
  on("account", (account) => { store.account = account; });
}

function said(place, words, tone) {
  place.dataset.tone = tone;
  if (place.textContent !== words) place.textContent = words;
}

let heard = [];
/** Announce a message to screen readers; several at once in one sentence. */
function announce(message) {
  if (heard.push(message) > 1) return;
  setTimeout(() => {
    const words = heard.length > 1 ? `${heard.length} new messages` : `New message to ${nameOf(heard[0])}: ${heard[0].content}`;
    byId("heard").replaceChildren(el("p", {}, words));
    heard = [];
  }, 400);
}

let toasting = 0;
function toast(words) {
  clearTimeout(toasting);
  byId("toast").textContent = words;
  toasting = setTimeout(() => { byId("toast").textContent = ""; }, 4000);
}

async function copy(text, words = `Copied ${text}`) {
  try {
    await navigator.clipboard.writeText(text);
    toast(words);
  } catch {
    toast("The browser does not let this page copy");
  }
}

/** Call the control API; return its answer, or throw an error with its reasons. */
async function callApi(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`/_emulator/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const document = await response.json();
  if (response.ok) return document;
  throw new Error(Object.values(document.fields ?? {}).join("; ") || document.message);
}

async function mark(message, status, errorCode) {
  try {
    store.take(await callApi("POST", `messages/${message.id}`, { status, error_code: errorCode }));
    toast(`Marked ${status.toLowerCase()}`);
    soon();
  } catch (error) {
    toast(error.message);
  }
}

const FAULTS = {
  502: { kind: "gateway_error", status: 502 },
  504: { kind: "gateway_error", status: 504 },
  503: { kind: "status", status: 503 },
  500: { kind: "status", status: 500 },
  429: { kind: "status", status: 429, headers: { "Retry-After": "2" } },
  slow: { kind: "slow", seconds: 5 },
  truncate: { kind: "truncate", at: 10 },
  running: { kind: "running", seconds: 5 },
};

/** The command that each dialog sends, and the words that confirm it. */
const COMMANDS = {
  faults: (form) => [{ ...(FAULTS[form.get("fault")] ?? { kind: form.get("fault") }), operation: "send_message", times: Number(form.get("times")) }, "The next send will break"],
  balance: (form) => [{ amount: form.get("amount").trim() }, "Topped up"],
  clock: (form) => [{ seconds: Number(form.get("seconds")) }, "It is later now"],
  reset: () => [{}, "Cleared"],
};

async function submit(event) {
  event.preventDefault();
  const form = event.target, { path } = form.dataset, problem = form.querySelector(".problem");
  const [body, words] = COMMANDS[path](new FormData(form));
  problem.textContent = "";
  try {
    await callApi("POST", path, body);
    form.closest("dialog").close();
    toast(words);
  } catch (error) {
    problem.textContent = error.message;
  }
}

function travel() {
  const before = { ...view };
  locate();
  draw();
  if (view.id && view.id !== before.id) byId("details-title")?.focus({ preventScroll: wide.matches });
  else if (before.id && !view.id) focusOn(`#thread [data-key="${CSS.escape(before.id)}"] [data-does="open"]`);
  else if (view.number && view.number !== before.number && !wide.matches) byId("thread-title").focus();
  else if (before.number && !view.number) focusOn(`#people [data-key="${CSS.escape(before.number)}"] a`);
}

const focusOn = (selector) => document.querySelector(selector)?.focus({ preventScroll: wide.matches });

function steer(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1 }, list = event.target.closest("#people, #thread");
  if (event.key === "Escape" && view.id && !document.querySelector("dialog[open]")) {
    location.hash = `#/to/${encodeURIComponent(view.number)}`;
  } else if (list && (steps[event.key] || event.key === "Home" || event.key === "End")) {
    const stops = [...list.querySelectorAll("[data-does=choose], [data-does=open]")];
    const index = stops.indexOf(event.target.closest("[data-key]")?.querySelector("[data-does=choose], [data-does=open]"));
    const to = { Home: 0, End: stops.length - 1 }[event.key] ?? index + steps[event.key];
    stops[to]?.focus();
    event.preventDefault();
  }
}

for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => {
    const dialog = byId(button.dataset.opens);
    dialog.querySelector(".problem").textContent = "";
    dialog.showModal();
  });
}
for (const button of document.querySelectorAll("[data-closes]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
for (const form of document.querySelectorAll("dialog form")) form.addEventListener("submit", submit);
byId("faults-clear").addEventListener("click", () => callApi("DELETE", "faults").then(() => toast("Called off"), (error) => toast(error.message)));
byId("search").addEventListener("input", (event) => { view.words = event.target.value; soon(); });
byId("filter").addEventListener("change", (event) => { view.status = event.target.value; soon(); });
byId("kind").addEventListener("change", (event) => { view.kind = event.target.value; soon(); });
byId("thread").addEventListener("click", (event) => {
  const message = event.target.closest(".bubble");
  if (message && getSelection().isCollapsed) message.closest("li").querySelector("[data-does=open]").click();
});
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); byId("main").focus(); });
document.addEventListener("keydown", steer);
document.addEventListener("visibilitychange", soon);
addEventListener("hashchange", travel);
wide.addEventListener("change", soon);
locate();
connect();
