// The view of campaigns: each with what became of its messages.

const campaignName = (campaign) => campaign?.name ?? t("campaign.unnamed");

function drawCampaigns() {
  const shown = [...store.campaigns.values()].reverse().slice(0, MOST_SHOWN);
  show(byId("campaign-list"), shown, (each) => each.id, (each) => [each], campaignOf);
  byId("campaigns-empty").hidden = shown.length > 0;
}

function campaignOf(campaign) {
  const counts = { good: 0, moving: 0, bad: 0 };
  for (const [status, count] of Object.entries(campaign.statuses)) counts[toneOf(status)] += count;
  const progress = Object.entries(counts).map(([tone, count]) => t(`campaign.${tone}`, count)).join(", ");
  return el("li", { class: "campaign" },
    el("div", { class: "heading" },
      el("h3", { tabindex: "-1", "data-does": "campaign" }, el("bdi", {}, campaignName(campaign))),
      el("span", { class: `status ${campaignTone(campaign.status)}` }, known(`campaign.${campaign.status}`, campaign.status))),
    el("p", { class: "text", dir: "auto" }, campaign.content),
    el("div", { class: "stack", "aria-hidden": "true" }, Object.entries(counts).map(([tone, count]) => barOf(tone, count))),
    el("p", {}, progress),
    el("p", { class: "meta" },
      timeOf(campaign.created_at, "full"),
      el("span", {}, t("campaign.recipients", campaign.recipients)),
      el("span", {}, t("parts", campaign.segments.parts)),
      el("span", {}, t("campaign.cost", amountOf(campaign.cost))),
      el("a", { class: "more", href: `#/campaign/${campaign.id}` }, t("show.messages"), el("span", { class: "unseen" }, `: ${campaignName(campaign)}`))));
}

const campaignTone = (status) => (status === "COMPLETED" ? "good" : ["CANCELLED", "FAILED"].includes(status) ? "bad" : "moving");

function barOf(tone, count) {
  const bar = el("span", { class: tone });
  bar.style.flexGrow = String(count);
  return bar;
}
