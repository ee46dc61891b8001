// Rendering: what has changed is drawn again, at most once per frame.

const MOST_SHOWN = 200;
const wide = matchMedia("(min-width: 800px)");
const view = { page: "messages", number: null, id: null, words: "", status: "", kind: "", isDrawn: false };

/** Read the view and the selection from the address. */
function locate() {
  const [, page, number, id] = location.hash.split("/");
  view.page = page === "requests" ? "requests" : "messages";
  view.number = page === "to" && number ? decoded(number) : null;
  view.id = view.number && id ? id : null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function draw() {
  view.isDrawn = true;
  for (const page of ["messages", "requests"]) {
    byId(page).hidden = view.page !== page;
    if (view.page === page) byId(`tab-${page}`).setAttribute("aria-current", "page");
    else byId(`tab-${page}`).removeAttribute("aria-current");
  }
  byId("balance").textContent = MONEY.format(store.account.balance);
  drawFaults();
  if (view.page === "requests") drawRequests();
  else drawMessages();
}

function drawFaults() {
  const { faults } = store.account, said = byId("faults-said");
  byId("faults").hidden = !faults.length;
  const [next] = faults;
  const words = next
    ? `Next ${next.operation === "send_message" ? "send" : next.operation ?? "request"}: ${next.label}${faults.length > 1 ? `, and ${faults.length - 1} more` : ""}`
    : "";
  if (said.textContent !== words) said.textContent = words;
}

function drawMessages() {
  const found = store.find(view.words, view.status), conversations = conversationsOf(found);
  if (!view.number && wide.matches && conversations.length) {
    view.number = conversations[0][0].target_e164;
    history.replaceState(null, "", `#/to/${encodeURIComponent(view.number)}`);
  }
  const all = [...store.messages.values()].reverse().filter((each) => each.target_e164 === view.number);
  const chosen = conversations.find((each) => each[0].target_e164 === view.number) ?? [];
  if (all.length && !document.hidden) store.seen.set(view.number, all[0].id);
  byId("messages").dataset.pane = view.id ? "details" : view.number ? "thread" : "list";
  drawPeople(conversations, found.length);
  drawThread(all, chosen);
  drawDetails(store.messages.get(view.id));
  const unseen = conversationsOf([...store.messages.values()].reverse()).reduce((sum, each) => sum + unseenIn(each), 0);
  document.title = `${unseen ? `(${unseen}) ` : ""}Ziett emulator`;
}

function drawPeople(conversations, count) {
  show(byId("people"), conversations.slice(0, MOST_SHOWN), (each) => each[0].target_e164,
    (each) => [each[0], unseenIn(each), each[0].target_e164 === view.number],
    (each) => person(each, each[0].target_e164 === view.number));
  const isFiltered = view.words.trim() || view.status;
  const older = store.inAll > store.messages.size ? ` of the newest ${store.messages.size}` : "";
  const words = isFiltered || older
    ? `${plural(count, "message")}${older}${isFiltered ? " found" : ""}`
    : plural(count, "message");
  if (byId("found").textContent !== words) byId("found").textContent = words;
}

function drawThread(all, shown) {
  const [newest] = all, nothing = byId("nothing");
  byId("phone").hidden = !newest;
  nothing.hidden = Boolean(newest);
  if (!newest) {
    if (!nothing.childElementCount || !store.messages.size) welcome(nothing);
    return;
  }
  const face = byId("face"), name = nameOf(newest), number = byId("thread-number");
  face.className = `face hue-${hueOf(newest.target_e164)}`;
  face.textContent = initialsOf(newest);
  if (byId("thread-title").textContent !== name) byId("thread-title").replaceChildren(el("bdi", {}, name));
  number.textContent = newest.contact ? spaced(newest.target_e164) : newest.channel_destination.replace("_AO", "");
  const list = byId("thread"), isSame = list.dataset.number === view.number;
  list.dataset.number = view.number;
  const rows = shown.slice(0, MOST_SHOWN).map((message, index) => ({
    message, isFirst: !index || dayOf(message.created_at) !== dayOf(shown[index - 1].created_at),
  }));
  show(list, rows, (row) => row.message.id,
    (row) => [row.message, row.message.id === view.id, row.isFirst],
    (row, isNew) => bubble(row.message, row.message.id === view.id, isNew && isSame, row.isFirst));
}

function drawDetails(message) {
  const panel = byId("details");
  const isOpen = !panel.hidden && panel.message;
  panel.hidden = !message;
  if (!message || panel.message === message) {
    panel.message = message;
    return;
  }
  const focused = isOpen && panel.contains(document.activeElement) ? document.activeElement.dataset.does : null;
  panel.message = message;
  byId("details-close").href = `#/to/${encodeURIComponent(message.target_e164)}`;
  byId("details-body").replaceChildren(...detailsOf(message));
  if (focused) panel.querySelector(`[data-does="${focused}"]`)?.focus();
}

function welcome(place) {
  const base = `${location.origin}/c/v1`;
  const settings = `ZIETT_BASE_URL=${base}\nZIETT_API_KEY=zk_test_local\nZIETT_REMITTER_ID=019b4b56-e704-7c30-83a0-527df63c3e00`;
  const call = `curl ${base}/messages \\\n  -H 'X-API-KEY: zk_test_local' -H 'Content-Type: application/json' \\\n  -d '{"remitter_id": "019b4b56-e704-7c30-83a0-527df63c3e00", "channel_type": "SMS",\n       "target_e164": "+244923456789", "content": "Your code is 482910."}'`;
  place.replaceChildren(
    el("h2", { class: "unseen" }, "Nothing to show"),
    el("p", { class: "lead" }, store.messages.size ? "Nothing here. Choose a recipient." : "Waiting for the first message"),
    ...(store.messages.size ? [] : [
      el("p", { class: "hint" }, "Tell your program to talk to this machine. Nothing leaves it, and nothing is charged."),
      example("In its environment", settings), example("Or by hand", call)]));
}

function example(title, text) {
  return el("section", { class: "example" },
    el("header", {}, el("h3", {}, title), el("button", { type: "button", class: "copy", "aria-label": `Copy: ${title}`, onclick: () => copy(text, "Copied") }, icon("copy"), "Copy")),
    el("pre", { tabindex: "0", "aria-label": title }, text));
}
