// The components of the page, one function for each.

/** Make a list show these items without touching unchanged ones: focus and reading position stay. */
function show(list, items, keyOf, sameAs, build) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && [focused.closest("[data-key]")?.dataset.key, focused.dataset.does];
  let at = list.firstElementChild;
  for (const item of items) {
    const key = keyOf(item), version = sameAs(item);
    let node = old.get(key);
    old.delete(key);
    if (!node || node.version.some((value, index) => value !== version[index])) {
      const fresh = Object.assign(build(item, !node), { version });
      fresh.dataset.key = key;
      if (node === at && node) at = node.nextElementSibling;
      node?.remove();
      node = fresh;
    }
    if (node === at) at = at.nextElementSibling;
    else list.insertBefore(node, at);
  }
  for (const node of old.values()) node.remove();
  if (focused && document.activeElement !== focused) {
    const [key, does] = place;
    const again = [...list.children].find((child) => child.dataset.key === key);
    again?.querySelector(`[data-does="${does}"]`)?.focus({ preventScroll: true });
  }
}

function person(conversation, isChosen) {
  const [newest] = conversation, unseen = unseenIn(conversation), number = newest.target_e164;
  return el("li", {},
    el("a", {
      class: "person", href: `#/to/${encodeURIComponent(number)}`, "data-does": "choose",
      "aria-current": isChosen ? "true" : null,
    },
    el("span", { class: `face hue-${hueOf(number)}`, "aria-hidden": "true" }, initialsOf(newest)),
    el("span", { class: "who" },
      el("bdi", { class: "name" }, nameOf(newest)),
      el("bdi", { class: "snippet" }, newest.content)),
    el("span", { class: "when" },
      timeOf(newest.created_at, isToday(newest) ? TIME : SHORT_DAY),
      unseen
        ? el("span", { class: "badge" }, String(unseen), el("span", { class: "unseen" }, " new"))
        : el("span", { class: `dot ${toneOf(newest.status)}` }, el("span", { class: "unseen" }, wordOf(newest.status))))));
}

function isToday(message) {
  return dayOf(message.created_at) === dayOf(store.account.now || new Date().toISOString());
}

/** A text with its codes highlighted. */
function textOf(message) {
  if (!message.codes.length) return [message.content];
  const pieces = message.content.split(new RegExp(`(?<!\\d)(${message.codes.join("|")})(?!\\d)`));
  return pieces.map((piece, index) => (index % 2 ? el("b", { class: "code" }, piece) : piece));
}

function bubble(message, isChosen, isNew, isFirstOfDay) {
  const { segments } = message, href = `#/to/${encodeURIComponent(message.target_e164)}/${message.id}`;
  return el("li", { class: isNew ? "new" : null },
    isFirstOfDay ? el("h3", { class: "day" }, dayOf(message.created_at)) : null,
    el("article", { class: "message", "aria-label": `From ${message.remitter.name}`, "data-chosen": String(isChosen) },
      el("p", { class: "sender" }, message.remitter.name),
      el("p", { class: "bubble", dir: "auto" }, textOf(message)),
      message.codes.length
        ? el("div", { class: "chips" }, message.codes.map((code) => copier(code, `Copy code ${code}`)))
        : null,
      el("p", { class: "meta" },
        timeOf(message.created_at), statusOf(message.status),
        message.error_code ? el("bdi", { class: "error" }, message.error_code) : null,
        segments && segments.parts > 1 ? el("span", {}, plural(segments.parts, "part")) : null,
        message.attempts > 1 ? el("span", {}, `${message.attempts} attempts`) : null,
        el("a", {
          class: "more", href, "data-does": "open", "aria-current": isChosen ? "true" : null,
        }, "Details", el("span", { class: "unseen" }, ` of the message at ${EXACT.format(new Date(message.created_at))}`)))));
}

function copier(text, label) {
  return el("button", { type: "button", class: "copy", "data-does": `copy-${text.replace(/\W/g, "")}`, onclick: () => copy(text) },
    icon("copy"), el("bdi", {}, label));
}

function detailsOf(message) {
  return [
    el("p", { class: "big" }, statusOf(message.status), message.error_code ? el("bdi", { class: "error" }, message.error_code) : null),
    el("div", { class: "marks", role: "group", "aria-label": "Mark this message" },
      el("button", { type: "button", "data-does": "deliver", onclick: () => mark(message, "DELIVERED", null) }, icon("checks"), "Mark delivered"),
      el("button", { type: "button", "data-does": "fail", onclick: () => mark(message, "FAILED", "PROVIDER_REJECTED") }, icon("cross"), "Mark failed")),
    el("h3", {}, "History"),
    el("ol", { class: "history" }, message.history.map((change, index) => step(change, message.history[index - 1]))),
    el("h3", {}, "On the air"),
    message.segments ? meterOf(message.segments) : el("p", { class: "hint" }, `Sent by ${wordOf(message.channel_type)}.`),
    el("h3", {}, "Facts"),
    el("dl", { class: "facts" }, factsOf(message).flatMap(([name, ...value]) => [el("dt", {}, name), el("dd", {}, ...value)])),
  ];
}

function step(change, before) {
  const passed = before ? (new Date(change.at) - new Date(before.at)) / 1000 : 0;
  return el("li", { class: toneOf(change.status) },
    el("span", { class: "what" }, wordOf(change.status), change.error_code ? el("bdi", { class: "error" }, change.error_code) : null),
    el("span", { class: "at" }, timeOf(change.at, EXACT), before ? ` · ${secondsOf(passed)} later` : null));
}

/** Parts as boxes, filled as far as the text reaches. */
function meterOf(segments) {
  const each = segments.room / segments.parts;
  const boxes = Array.from({ length: Math.min(segments.parts, 12) }, (_, index) => {
    const fill = el("span", {});
    fill.style.width = `${Math.max(0, Math.min(1, segments.units / each - index)) * 100}%`;
    return el("span", { class: "part" }, fill);
  });
  return el("div", { class: "air" },
    el("p", {}, el("b", {}, plural(segments.parts, "part")), ` in ${segments.encoding}`,
      el("span", { class: "quiet" }, ` · ${segments.units} of ${segments.room} ${segments.encoding === "GSM-7" ? "septets" : "units"}`)),
    el("div", { class: "parts", "aria-hidden": "true" }, boxes),
    segments.because_of
      ? el("p", { class: "hint" }, "Not GSM-7 because of ", [...segments.because_of].map((letter) => [el("kbd", {}, letter), " "]))
      : null);
}

function factsOf(message) {
  const { contact, campaign } = message, key = message.idempotency_key;
  return [
    ["To", el("bdi", {}, spaced(message.target_e164))],
    ["Operator", message.channel_destination],
    ["Sender", message.remitter.name],
    ["Contact", contact
      ? el("span", {}, el("bdi", {}, contact.name), contact.email ? el("bdi", { class: "line" }, contact.email) : null,
        contact.tags.length ? el("span", { class: "line" }, contact.tags.map((tag) => el("bdi", { class: "tag" }, tag))) : null)
      : "none"],
    ["Attempts", message.attempts === 1 ? "1" : `${message.attempts}, one message`],
    ["Idempotency key", key ? copier(key, key) : "none"],
    ["Message id", copier(message.id, message.id)],
    ["Cost", MONEY.format(message.cost)],
    ...(campaign ? [["Campaign", el("bdi", {}, campaign.name ?? campaign.id)]] : []),
  ];
}
