// The details of one message.

function drawDetails(message) {
  const panel = byId("details"), requests = message ? store.requestsOf(message) : [];
  const version = [message, language, requests[0]?.number];
  const isOpen = !panel.hidden && panel.version?.[0];
  panel.hidden = !message;
  if (!message || panel.version?.every((value, index) => value === version[index])) {
    panel.version = version;
    return;
  }
  const focused = isOpen && panel.contains(document.activeElement) ? document.activeElement.dataset.does : null;
  panel.version = version;
  byId("details-close").href = addressOf(message.target_e164);
  byId("details-body").replaceChildren(...detailsOf(message, requests));
  if (focused) panel.querySelector(`[data-does="${focused}"]`)?.focus();
}

function detailsOf(message, requests) {
  const act = (does, name, label, run) => el("button", { type: "button", "data-does": does, onclick: run }, icon(name), label);
  return [
    el("p", { class: "big" }, statusOf(message.status), message.error_code ? el("bdi", { class: "error" }, message.error_code) : null),
    el("div", { class: "marks", role: "group", "aria-label": t("marks") },
      act("deliver", "checks", t("mark.delivered"), () => mark(message, "DELIVERED", null)),
      act("fail", "cross", t("mark.failed"), () => mark(message, "FAILED", "PROVIDER_REJECTED")),
      act("curl", "copy", t("copy.curl"), () => copy(sendAsCurl(message), t("copied.curl"))),
      act("delete", "clear", t("delete.do"), () => openDialog("delete"))),
    el("h3", {}, t("history")),
    el("ol", { class: "history" }, message.history.map((change, index) => step(change, message.history[index - 1]))),
    el("h3", {}, t("air")),
    message.segments ? meterOf(message.segments) : el("p", { class: "hint" }, t("air.other", message.channel_type)),
    el("h3", {}, t("facts")),
    el("dl", { class: "facts" }, factsOf(message)),
    requests.length ? el("h3", {}, t("its.requests")) : null,
    requests.length ? el("ol", { class: "its" }, requests.map(requestLink)) : null,
  ].filter(Boolean);
}

function requestLink(request) {
  return el("li", {}, el("a", { class: "more", href: `#/requests/${request.number}` }, headlineOf(request)),
    ` · ${answerWord(request)} · `, timeOf(request.at, "exact"));
}

function step(change, before) {
  const passed = before ? (new Date(change.at) - new Date(before.at)) / 1000 : 0;
  return el("li", { class: toneOf(change.status) },
    el("span", { class: "what" }, wordOf(change.status), change.error_code ? el("bdi", { class: "error" }, change.error_code) : null),
    el("span", { class: "at" }, timeOf(change.at, "exact"), before ? ` · ${t("later_by", secondsOf(passed))}` : null));
}

/** Parts as boxes, filled as far as the text reaches. */
function meterOf(segments) {
  const each = segments.room / segments.parts, unit = segments.encoding === "GSM-7" ? "air.septets" : "air.units";
  const boxes = Array.from({ length: Math.min(segments.parts, 12) }, (_, index) => {
    const fill = el("span", {});
    fill.style.width = `${Math.max(0, Math.min(1, segments.units / each - index)) * 100}%`;
    return el("span", { class: "part" }, fill);
  });
  return el("div", { class: "air" },
    el("p", {}, el("b", {}, t("parts", segments.parts)), ` ${t("air.in", segments.encoding)}`,
      el("span", { class: "quiet" }, ` · ${t(unit, segments.units, segments.room)}`)),
    el("div", { class: "parts", "aria-hidden": "true" }, boxes),
    segments.because_of
      ? el("p", { class: "hint" }, `${t("air.because")} `, [...segments.because_of].map((letter) => [el("kbd", {}, letter), " "]))
      : null);
}

function factsOf(message) {
  const { contact, campaign } = message, key = message.idempotency_key;
  return [
    fact(t("fact.to"), el("bdi", {}, spaced(message.target_e164))),
    fact(t("fact.operator"), operatorOf(message)),
    fact(t("fact.sender"), message.remitter.name),
    fact(t("fact.contact"), contact ? contactOf(contact) : t("none")),
    fact(t("fact.attempts"), message.attempts === 1 ? "1" : t("fact.attempts.many", message.attempts)),
    fact(t("fact.key"), key ? copier(key, key) : t("none")),
    fact(t("fact.id"), copier(message.id, message.id)),
    fact(t("fact.cost"), amountOf(message.cost)),
    campaign ? fact(t("fact.campaign"), el("a", { class: "more", href: `#/campaigns/${campaign.id}` }, el("bdi", {}, campaignName(campaign)))) : null,
  ];
}

function contactOf(contact) {
  return el("span", {}, el("bdi", {}, contact.name), contact.email ? el("bdi", { class: "line" }, contact.email) : null,
    contact.tags.length ? el("span", { class: "line" }, contact.tags.map((tag) => el("bdi", { class: "tag" }, tag))) : null);
}
