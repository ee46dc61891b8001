// The view of requests, their answers and the limits.

const BUCKETS = { send: "Send", list: "Lists", read: "Single reads", batch: "Campaigns" };

function drawRequests() {
  show(byId("limits"), store.account.limits, (each) => `${each.api_key} ${each.bucket}`,
    (each) => [each.free, each.limit, each.per], limitOf);
  const shown = store.requests.filter(isWanted).slice(0, MOST_SHOWN);
  show(byId("log"), shown, (each) => String(each.number), () => [], requestOf);
  byId("log-empty").hidden = shown.length > 0;
}

function isWanted(request) {
  const failed = !request.answer || request.answer.status >= 400 || endingOf(request);
  if (view.kind === "errors") return failed;
  if (view.kind === "sends") return request.method === "POST";
  return view.kind !== "reads" || request.method === "GET";
}

function limitOf(level) {
  const share = level.free / level.limit, fill = el("span", {});
  fill.style.width = `${share * 100}%`;
  const name = BUCKETS[level.bucket] ?? level.bucket;
  return el("div", { class: `limit${share ? (share < 0.25 ? " low" : "") : " empty"}` },
    el("h3", {}, name, level.api_key ? el("span", { class: "quiet" }, ` ${level.api_key}`) : null),
    el("p", {}, el("strong", {}, String(level.free)), el("span", { class: "quiet" }, ` of ${level.limit} left`)),
    el("div", {
      class: "gauge", role: "meter", "aria-label": `${name}, requests left`, "aria-valuemin": "0",
      "aria-valuemax": level.limit, "aria-valuenow": level.free,
    }, fill),
    el("p", { class: "hint" }, level.free
      ? `per ${level.per === 60 ? "minute" : secondsOf(level.per)}` : `next in ${secondsOf(Math.max(0.1, level.wait))}`));
}

/** How a request ended other than with a plain answer, in a few words. */
function endingOf(request) {
  const { answer, service_status: own } = request;
  if (own && answer && own !== answer.status) return `from a proxy after the service's ${own}`;
  const words = { reset: "connection reset", refused: "connection reset", stalled: "never answered", truncated: "cut off" };
  return words[request.ending] ?? (request.delay > 0 ? `${secondsOf(request.delay)} late` : "");
}

function requestOf(request) {
  const { answer } = request, ending = endingOf(request), status = answer?.status;
  const tone = ending || !answer || status >= 500 ? "bad" : status >= 400 ? "warn" : "good";
  return el("li", {},
    el("details", { class: "request" },
      el("summary", {},
        el("span", { class: `answer ${tone}` }, answer ? String(status) : "none"),
        el("span", { class: "verb" }, request.method),
        el("bdi", { class: "path" }, request.path),
        el("span", { class: "notes" },
          request.replayed ? el("span", { class: "tag" }, "replayed") : null,
          request.executed ? null : el("span", { class: "tag" }, "not carried out"),
          ending ? el("span", { class: "tag bad" }, ending) : null),
        timeOf(request.at, EXACT)),
      el("div", { class: "inside" },
        el("dl", { class: "facts" },
          fact("Operation", request.operation ?? "none"),
          fact("API key", request.api_key || "none"),
          fact("Idempotency key", request.idempotency_key ?? "none")),
        request.body ? block("Request", request.body) : null,
        answer ? block(`Answer${ending ? `, but ${ending}` : ""}`, answer.body, answer.headers) : null)));
}

function fact(name, value) {
  return [el("dt", {}, name), el("dd", {}, el("bdi", {}, value))];
}

function block(title, body, headers = []) {
  const head = headers.map(([name, value]) => `${name}: ${value}\n`).join("");
  return el("section", {}, el("h3", {}, title),
    el("pre", { tabindex: "0", "aria-label": title }, `${head}${head && body ? "\n" : ""}${readable(body)}`));
}
