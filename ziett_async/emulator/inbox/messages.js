// The view of messages: recipients, and a conversation as on a phone.

const wide = matchMedia("(min-width: 800px)");
const addressOf = (number, id) => `#/to/${encodeURIComponent(number)}${id ? `/${id}` : ""}`;

function drawMessages() {
  const found = store.find(view), conversations = conversationsOf(found);
  if (!store.newest().some((each) => each.target_e164 === view.number)) leaveConversation();
  if (!view.number && wide.matches && conversations.length) {
    view.number = conversations[0][0].target_e164;
    history.replaceState(null, "", addressOf(view.number));
  }
  const all = store.newest().filter((each) => each.target_e164 === view.number);
  const chosen = conversations.find((each) => each[0].target_e164 === view.number) ?? [];
  if (all.length && !document.hidden) store.seen.set(view.number, all[0].id);
  byId("messages").dataset.pane = view.id ? "details" : view.number ? "thread" : "list";
  drawPeople(conversations, found.length);
  drawThread(all, chosen);
  drawDetails(store.messages.get(view.id));
}

/** Close a conversation that is gone: cleared, deleted, or never here. */
function leaveConversation() {
  if (view.number) history.replaceState(null, "", "#/");
  view.number = view.id = null;
}

function drawPeople(conversations, count) {
  show(byId("people"), conversations.slice(0, MOST_SHOWN), (each) => each[0].target_e164,
    (each) => [each[0], unseenIn(each), each[0].target_e164 === view.number],
    (each) => person(each, each[0].target_e164 === view.number));
  let words = t("count", count);
  if (store.inAll > store.messages.size) words = t("count.newest", words, store.messages.size);
  if (view.words.trim() || view.status) words = t("count.found", words);
  if (view.campaign) words = t("count.campaign", words, campaignName(store.campaigns.get(view.campaign)));
  say(byId("found-words"), words);
  byId("show-all").hidden = !view.campaign;
}

function person(conversation, isChosen) {
  const [newest] = conversation, unseen = unseenIn(conversation), number = newest.target_e164;
  return el("li", {},
    el("a", {
      class: "person", href: addressOf(number), "data-does": "choose", "aria-current": isChosen ? "true" : null,
    },
    el("span", { class: `face hue-${hueOf(number)}`, "aria-hidden": "true" }, initialsOf(newest)),
    el("span", { class: "who" },
      el("bdi", { class: "name" }, nameOf(newest)),
      el("bdi", { class: "snippet" }, newest.content)),
    el("span", { class: "when" },
      timeOf(newest.created_at, isToday(newest) ? "time" : "short"),
      unseen
        ? el("span", { class: "badge" }, String(unseen), el("span", { class: "unseen" }, ` ${t("new")}`))
        : el("span", { class: `dot ${toneOf(newest.status)}` }, el("span", { class: "unseen" }, wordOf(newest.status))))));
}

function isToday(message) {
  return dayOf(message.created_at) === dayOf(store.account.now || new Date().toISOString());
}

function drawThread(all, shown) {
  const [newest] = all, nothing = byId("nothing");
  byId("phone").hidden = !newest;
  nothing.hidden = Boolean(newest);
  if (!newest) {
    const version = `${language} ${store.messages.size > 0}`;
    if (nothing.dataset.version !== version) welcome(nothing);
    nothing.dataset.version = version;
    return;
  }
  const face = byId("face"), name = nameOf(newest), list = byId("thread");
  face.className = `face hue-${hueOf(newest.target_e164)}`;
  face.textContent = initialsOf(newest);
  if (byId("thread-title").textContent !== name) byId("thread-title").replaceChildren(el("bdi", {}, name));
  byId("thread-number").textContent = newest.contact ? spaced(newest.target_e164) : operatorOf(newest);
  byId("thread-empty").hidden = shown.length > 0;
  const isSame = list.dataset.number === view.number;
  list.dataset.number = view.number;
  const rows = shown.slice(0, MOST_SHOWN).map((message, index) => ({
    message, isFirst: !index || dayOf(message.created_at) !== dayOf(shown[index - 1].created_at),
  }));
  show(list, rows, (row) => row.message.id,
    (row) => [row.message, row.message.id === view.id, row.isFirst],
    (row, isNew) => bubble(row.message, row.message.id === view.id, isNew && isSame, row.isFirst));
}

const operatorOf = (message) => message.channel_destination.replace("_AO", "");

/** A text with its codes highlighted; one of six digits may stand there in two groups. */
function textOf(message) {
  if (!message.codes.length) return [message.content];
  const codes = message.codes.map((code) => code.replace(/^(\d{3})(\d{3})$/, "$1[\\s-]?$2"));
  const pieces = message.content.split(new RegExp(`(?<!\\d)(${codes.join("|")})(?!\\d)`));
  return pieces.map((piece, index) => (index % 2 ? el("b", { class: "code" }, piece) : piece));
}

function bubble(message, isChosen, isNew, isFirstOfDay) {
  const { segments, remitter } = message;
  return el("li", { class: isNew ? "new" : null },
    isFirstOfDay ? el("h3", { class: "day" }, dayOf(message.created_at)) : null,
    el("article", { class: "message", "aria-label": t("from", remitter.name), "data-chosen": String(isChosen) },
      el("p", { class: "sender" }, remitter.name),
      el("p", { class: "bubble", dir: "auto" }, textOf(message)),
      message.codes.length
        ? el("div", { class: "chips" }, message.codes.map((code) => copier(code, t("copy.code", code))))
        : null,
      el("p", { class: "meta" },
        timeOf(message.created_at), statusOf(message.status),
        message.error_code ? el("bdi", { class: "error" }, message.error_code) : null,
        segments && segments.parts > 1 ? el("span", {}, t("parts", segments.parts)) : null,
        message.attempts > 1 ? el("span", {}, t("attempts", message.attempts)) : null,
        el("a", {
          class: "more", href: addressOf(message.target_e164, message.id), "data-does": "open", "aria-current": isChosen ? "true" : null,
        }, t("details"), el("span", { class: "unseen" }, ` ${t("details.of", inFormat("exact", message.created_at))}`)))));
}

/** What a page without a conversation shows: how to send the first message. */
function welcome(place) {
  const base = `${location.origin}/c/v1`, sender = "019b4b56-e704-7c30-83a0-527df63c3e00";
  const settings = `export ZIETT_BASE_URL=${base}\nexport ZIETT_API_KEY=zk_test_local\nexport ZIETT_REMITTER_ID=${sender}`;
  const call = curlOf("POST", "/c/v1/messages", JSON_TYPE, JSON.stringify({ remitter_id: sender, channel_type: "SMS", target_e164: "+244923456789", content: t("send.example") }), "zk_test_local");
  const isEmpty = !store.messages.size;
  place.replaceChildren(
    el("h2", { class: "unseen" }, t("empty.title")),
    el("p", { class: "lead" }, isEmpty ? t("empty") : t("empty.choose")),
    ...(isEmpty
      ? [el("p", { class: "hint" }, t("empty.hint")), example(t("empty.settings"), settings), example(t("empty.call"), call)]
      : []));
}

function example(title, text) {
  return el("section", { class: "example" },
    el("header", {}, el("h3", {}, title), el("button", { type: "button", class: "copy", "aria-label": t("copy.named", title), onclick: () => copy(text, t("copied.text")) }, icon("copy"), t("copy"))),
    el("pre", { tabindex: "0", "aria-label": title }, text));
}
