// Events from the emulator, the address, the keyboard; and what has changed is drawn again, at most
// once per frame.

const PAGES = { messages: drawMessages, campaigns: drawCampaigns, requests: drawRequests };
let frame = 0;
const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; draw(); }); };

function draw() {
  if (!store.isKnown) return;
  for (const page of Object.keys(PAGES)) {
    byId(page).hidden = view.page !== page;
    if (view.page === page) byId(`tab-${page}`).setAttribute("aria-current", "page");
    else byId(`tab-${page}`).removeAttribute("aria-current");
  }
  drawAccount();
  PAGES[view.page]();
  const unseen = conversationsOf(store.newest()).reduce((sum, each) => sum + unseenIn(each), 0);
  document.title = `${unseen ? `(${unseen}) ` : ""}${t("title")}`;
}

function drawAccount() {
  const { balance, advanced, faults } = store.account, [next] = faults;
  say(byId("balance"), amountOf(balance));
  byId("clock").hidden = !advanced;
  say(byId("clock-words"), t("clock.ahead", secondsOf(advanced)));
  byId("faults").hidden = !faults.length;
  if (!next) return;
  const what = next.operation === "send_message" ? t("faults.send") : known(`op.${next.operation}`, t("faults.any"));
  say(byId("faults-said"), t(faults.length > 1 ? "faults.more" : "faults.next", what, faultOf(next.label), faults.length - 1));
}

function connect() {
  const source = new EventSource("/_emulator/events");
  const on = (name, take) => source.addEventListener(name, (event) => { take(JSON.parse(event.data)); soon(); });
  source.onopen = () => connection("on");
  source.onerror = () => {
    connection("lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
  on("state", (state) => {
    const isFirst = !store.isKnown;
    store.begin(state);
    if (isFirst) for (const [newest] of conversationsOf(state.messages)) store.seen.set(newest.target_e164, newest.id);
    if (view.id && !store.messages.has(view.id)) location.hash = addressOf(view.number);
    if (!store.campaigns.has(view.campaign)) view.campaign = null;
  });
  on("message", (message) => { if (store.take(message)) announce(message); });
  on("campaign", (campaign) => store.campaigns.set(campaign.id, campaign));
  on("request", (request) => store.note(request));
  on("account", (account) => { store.account = account; });
}

function connection(state) {
  byId("live").dataset.state = state;
  say(byId("live"), t(`live.${state}`));
}

let heard = [];
/** Announce a message to screen readers; several at once in one sentence. */
function announce(message) {
  if (heard.push(message) > 1) return;
  setTimeout(() => {
    const words = heard.length > 1 ? t("heard.many", heard.length) : t("heard.one", nameOf(heard[0]), heard[0].content);
    byId("heard").replaceChildren(el("p", {}, words));
    heard = [];
  }, 400);
}

/** Read the view and the selection from the address. */
function locate() {
  const [, page, name, id] = location.hash.split("/");
  view.page = Object.hasOwn(PAGES, page) ? page : "messages";
  view.number = page === "to" && name ? decoded(name) : null;
  view.id = view.number && id ? id : null;
  view.request = page === "requests" && name ? Number(name) : null;
  if (page === "campaign") view.campaign = name;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const focusOn = (selector) => (document.querySelector(selector) ?? byId("main")).focus({ preventScroll: wide.matches });
const keyed = (list, key) => `#${list} [data-key="${CSS.escape(key)}"]`;

/** Follow a link within the page: draw, and move the focus to what it led to. */
function travel() {
  const before = { ...view };
  locate();
  draw();
  const [, page, name] = location.hash.split("/");
  if (view.request) unfold(view.request);
  else if (page === "campaigns" && name) document.querySelector(`${keyed("campaign-list", name)} h3`)?.focus();
  else if (view.id && view.id !== before.id) byId("details-title").focus({ preventScroll: wide.matches });
  else if (before.id && !view.id) focusOn(`${keyed("thread", before.id)} [data-does="open"]`);
  else if (view.number && view.number !== before.number && !wide.matches) byId("thread-title").focus();
  else if (before.number && !view.number) focusOn(`${keyed("people", before.number)} a`);
}

function unfold(number) {
  const details = document.querySelector(`${keyed("log", String(number))} details`);
  if (!details) return;
  details.open = true;
  details.querySelector("summary").focus();
  details.scrollIntoView({ block: "nearest" });
}

function steer(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1 }, list = event.target.closest("#people, #thread");
  if (event.key === "Escape" && view.id && !document.querySelector("dialog[open], :popover-open")) {
    location.hash = addressOf(view.number);
  } else if (list && (steps[event.key] || event.key === "Home" || event.key === "End")) {
    const stops = [...list.querySelectorAll("[data-does=choose], [data-does=open]")];
    const index = stops.indexOf(event.target.closest("[data-key]")?.querySelector("[data-does=choose], [data-does=open]"));
    const to = { Home: 0, End: stops.length - 1 }[event.key] ?? index + steps[event.key];
    stops[to]?.focus();
    event.preventDefault();
  }
}

function speak(chosen) {
  language = chosen;
  translate();
  drawFaultChoices();
  connection(byId("live").dataset.state);
  byId("language").value = language;
  soon();
}

function dress(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").value = theme;
}

/** Open the menu below its button; on a phone it is at the bottom of the screen. */
function placeMenu() {
  const { left, bottom } = byId("more").getBoundingClientRect(), { style } = byId("menu");
  style.inset = wide.matches ? `${bottom + 8}px auto auto ${Math.min(left, innerWidth - 344)}px` : "";
}

const listen = (id, name, run) => byId(id).addEventListener(name, run);

for (const button of document.querySelectorAll("[data-opens]")) button.addEventListener("click", () => openDialog(button.dataset.opens));
for (const button of document.querySelectorAll("[data-closes]")) button.addEventListener("click", () => button.closest("dialog").close());
for (const form of document.querySelectorAll("dialog form")) form.addEventListener("submit", submit);
listen("faults-clear", "click", () => control("DELETE", "faults").then(() => toast(t("faults.cleared")), (error) => toast(error.message)));
listen("search", "input", (event) => { view.words = event.target.value; soon(); });
listen("filter", "change", (event) => { view.status = event.target.value; soon(); });
listen("show-all", "click", () => { view.campaign = null; byId("search").focus(); soon(); });
listen("kind", "change", (event) => { view.kind = event.target.value; soon(); });
listen("menu", "beforetoggle", placeMenu);
listen("language", "change", (event) => { kept.set("language", event.target.value); speak(event.target.value); });
listen("theme", "change", (event) => { kept.set("theme", event.target.value); dress(event.target.value); });
listen("thread", "click", (event) => {
  const message = event.target.closest(".bubble");
  if (message && getSelection().isCollapsed) message.closest("li").querySelector("[data-does=open]").click();
});
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); byId("main").focus(); });
document.addEventListener("keydown", steer);
document.addEventListener("visibilitychange", soon);
addEventListener("hashchange", travel);
wide.addEventListener("change", soon);
dress(kept.get("theme") ?? "auto");
locate();
speak(language);
connect();
