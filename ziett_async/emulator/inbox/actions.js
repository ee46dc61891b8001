// What a person does with the emulator, and what is said of it.

let toasting = 0;
function toast(words) {
  clearTimeout(toasting);
  byId("toast").textContent = words;
  toasting = setTimeout(() => { byId("toast").textContent = ""; }, 4000);
}

async function copy(text, words) {
  try {
    await navigator.clipboard.writeText(text);
    toast(words);
  } catch {
    toast(t("copy.refused"));
  }
}

/** Make a request; return the JSON of its answer, or throw an error with words for a person. */
async function call(method, path, body, headers, unanswered = "problem.unreachable") {
  let response, document;
  try {
    response = await fetch(path, { method, headers: { ...JSON_TYPE, ...headers }, body: body && JSON.stringify(body) });
    document = await response.json();
  } catch {
    throw new Error(t(unanswered));
  }
  if (response.ok) return document;
  throw new Error(problemOf(response.status, document));
}

const control = (method, path, body) => call(method, `/_emulator/${path}`, body);

function problemOf(status, { fields = {}, message }) {
  const named = Object.entries(fields).map(([name, words]) => known(`problem.${name}`, `${name}: ${words}`));
  return named.join(" ") || known(`problem.${status}`, t("problem.other", status, message));
}

async function mark(message, status, errorCode) {
  try {
    store.take(await control("POST", `messages/${message.id}`, { status, error_code: errorCode }));
    toast(t("marked", wordOf(status)));
    soon();
  } catch (error) {
    toast(error.message);
  }
}

/** The faults that the page offers: how the emulator names them, what they do, the command. */
const FAULTS = [
  ["lose_answer()", "sent_broken", { kind: "lose_answer" }],
  ["reset()", "not_sent", { kind: "reset" }],
  ["gateway_error(502)", "sent_html", { kind: "gateway_error", status: 502 }],
  ["gateway_error(504)", "sent_html", { kind: "gateway_error", status: 504 }],
  ["status(503)", "not_sent_html", { kind: "status", status: 503 }],
  ["status(500)", "not_sent", { kind: "status", status: 500 }],
  ["status(429)", "retry", { kind: "status", status: 429, headers: { "Retry-After": "2" } }],
  ["slow(5)", "sent_at_once", { kind: "slow", seconds: 5 }],
  ["stall(executes=True)", "sent_open", { kind: "stall" }],
  ["truncate(10)", "sent_cut", { kind: "truncate", at: 10 }],
  ["garbage()", "sent", { kind: "garbage" }],
  ["running(5)", "running", { kind: "running", seconds: 5 }],
];

/** Return a fault in words, from the name that the emulator has for it. */
function faultOf(label) {
  const [, kind, value] = /^(\w+)\((.*)\)$/.exec(label) ?? [null, label, ""];
  const isProxy = kind === "gateway_error" || (kind === "status" && ["502", "503", "504"].includes(value));
  const name = isProxy ? "proxy" : label === "status(429)" ? "429" : kind;
  return `fault.${name}` in TEXTS ? t(`fault.${name}`, value) : label;
}

function drawFaultChoices() {
  const legend = byId("fault-choices").firstElementChild;
  byId("fault-choices").replaceChildren(legend, ...FAULTS.map(([label, effect], index) =>
    el("label", {}, el("input", { type: "radio", name: "fault", value: String(index), checked: index === 0 }),
      el("span", {}, el("b", {}, faultOf(label)), el("small", {}, t(`effect.${effect}`))))));
}

/** Send a message as a program does; open its conversation. */
async function sendTest(form) {
  const to = form.get("target_e164").replace(/[\s()-]/g, ""), target_e164 = /^9\d{8}$/.test(to) ? `+244${to}` : to;
  const body = { remitter_id: "019b4b56-e704-7c30-83a0-527df63c3e00", channel_type: "SMS", target_e164, content: form.get("content") };
  await call("POST", "/c/v1/messages", body, { "X-API-KEY": "zk_test_local" }, "problem.no_answer");
  location.hash = addressOf(target_e164);
}

/** What each dialog does, by its id. */
const COMMANDS = {
  send: sendTest,
  break: (form) => control("POST", "faults", { ...FAULTS[form.get("fault")][2], operation: "send_message", times: Number(form.get("times")) }),
  top_up: (form) => control("POST", "balance", { amount: form.get("amount").trim() }),
  later: (form) => control("POST", "clock", { seconds: Number(form.get("seconds")) }),
  clear: () => control("POST", "reset", {}),
  delete: () => control("DELETE", `messages/${view.id}`).then(() => { location.hash = addressOf(view.number); }),
};

async function submit(event) {
  event.preventDefault();
  const dialog = event.target.closest("dialog"), problem = dialog.querySelector(".problem");
  problem.textContent = "";
  try {
    await COMMANDS[dialog.id](new FormData(event.target));
    dialog.close();
    toast(t(`${dialog.id}.done`));
  } catch (error) {
    problem.textContent = error.message;
  }
}

function openDialog(id) {
  const dialog = byId(id);
  dialog.querySelector(".problem").textContent = "";
  if (id === "send") dialog.querySelector("textarea").value ||= t("send.example");
  if (id === "later") say(byId("later-now"), t("clock.shows", inFormat("full", new Date(Date.now() + store.account.advanced * 1000))));
  byId("menu").hidePopover();
  dialog.showModal();
}
