// The view of requests, their answers and the limits.

function drawRequests() {
  show(byId("limits"), store.account.limits, (each) => `${each.api_key} ${each.bucket}`,
    (each) => [each.free, each.limit, each.per], limitOf);
  const shown = store.requests.filter(isWanted).slice(0, MOST_SHOWN);
  show(byId("log"), shown, (each) => String(each.number), (each) => [store.messageOf(each)?.id], requestOf);
  byId("log-empty").hidden = shown.length > 0;
}

function isWanted(request) {
  if (request.number === view.request) return true;
  const failed = !request.answer || request.answer.status >= 400 || endingOf(request);
  if (view.kind === "errors") return failed;
  if (view.kind === "sends") return request.method === "POST";
  return view.kind !== "reads" || request.method === "GET";
}

function limitOf(level) {
  const share = level.free / level.limit, fill = el("span", {});
  fill.style.width = `${share * 100}%`;
  const name = known(`limit.${level.bucket}`, level.bucket);
  const per = level.per === 60 ? t("limit.minute") : t("limit.per", secondsOf(level.per));
  return el("div", { class: `limit${share ? (share < 0.25 ? " low" : "") : " empty"}` },
    el("h3", {}, name, level.api_key ? el("span", { class: "quiet" }, ` ${level.api_key}`) : null),
    el("p", {}, el("strong", {}, String(level.free)), el("span", { class: "quiet" }, ` ${t("limit.left", level.limit)}`)),
    el("div", {
      class: "gauge", role: "meter", "aria-label": t("limit.meter", name), "aria-valuemin": "0",
      "aria-valuemax": level.limit, "aria-valuenow": level.free,
    }, fill),
    el("p", { class: "hint" }, level.free ? per : t("limit.next", secondsOf(Math.max(0.1, level.wait)))));
}

/** How a request ended other than with a plain answer, in a few words. */
function endingOf(request) {
  const { answer, service_status: own } = request;
  if (own && answer && own !== answer.status) return t("ending.proxy", own);
  return known(`ending.${request.ending}`, request.delay > 0 ? t("ending.late", secondsOf(request.delay)) : "");
}

/** What a request was for, in words. */
function headlineOf(request) {
  const { recipients, to } = request;
  if (recipients !== null) return t("op.batch", amountOf(recipients));
  const message = store.messageOf(request);
  if (to !== null) return t("op.to", message ? nameOf(message) : spaced(to));
  if (message) return t("op.read", nameOf(message));
  return known(`op.${request.operation}`, t("op.other"));
}

const answerWord = (request) => (request.answer ? String(request.answer.status) : t("answer.none"));

function requestOf(request) {
  const { answer, seconds } = request, ending = endingOf(request), status = answer?.status;
  const tone = ending || !answer || status >= 500 ? "bad" : status >= 400 ? "warn" : "good";
  return el("li", {},
    el("details", { class: "request" },
      el("summary", { "data-does": "unfold" },
        el("span", { class: `answer ${tone}` }, answerWord(request)),
        el("span", { class: "for" },
          el("bdi", { class: "headline" }, headlineOf(request)),
          el("bdi", { class: "path" }, `${request.method} ${request.path}`)),
        el("span", { class: "notes" },
          request.replayed ? el("span", { class: "tag" }, t("tag.replayed")) : null,
          request.executed ? null : el("span", { class: "tag" }, t("tag.not_executed")),
          ending ? el("span", { class: "tag bad" }, ending) : null),
        el("span", { class: "took" }, seconds === null ? "" : el("span", { class: "unseen" }, t("took", "")), seconds === null ? "" : secondsOf(seconds)),
        timeOf(request.at, "exact")),
      el("div", { class: "inside" },
        el("dl", { class: "facts" },
          fact(t("fact.api_key"), request.api_key || t("none")),
          fact(t("fact.key"), el("bdi", {}, request.idempotency_key ?? t("none")))),
        el("div", { class: "chips" }, linksOf(request)),
        request.body ? block(t("request"), request.body) : null,
        answer ? block(ending ? t("answer.but", ending) : t("answer"), answer.body, answer.headers) : null)));
}

function linksOf(request) {
  const message = store.messageOf(request), campaign = request.campaign_id;
  return [
    message ? el("a", { class: "link", href: addressOf(message.target_e164, message.id), "data-does": "message" }, t("show.message")) : null,
    campaign && store.campaigns.has(campaign) ? el("a", { class: "link", href: `#/campaigns/${campaign}`, "data-does": "campaign" }, t("show.campaign")) : null,
    canBeCopied(request) ? copier(requestAsCurl(request), t("copy.curl"), t("copied.curl")) : null,
  ];
}

function block(title, body, headers = []) {
  const head = headers.map(([name, value]) => `${name}: ${value}\n`).join("");
  return el("section", {}, el("h3", {}, title),
    el("pre", { tabindex: "0", "aria-label": title }, `${head}${head && body ? "\n" : ""}${readable(body)}`));
}
