// The page's state, as received from the emulator so far, and what of it is selected.

const MOST = 3000;
const MOST_SHOWN = 200;

const view = {
  page: "messages", number: null, id: null, campaign: null, request: null,
  words: "", status: "", kind: "",
};

const store = {
  /** Whether the emulator's state has arrived: without it nothing is drawn, and nothing is missing. */
  isKnown: false,
  messages: new Map(),
  inAll: 0,
  campaigns: new Map(),
  requests: [],
  account: { balance: "0", limits: [], faults: [], now: "", advanced: 0 },
  /** The newest message seen in each conversation, by number. */
  seen: new Map(),

  /** Take the whole state: as the page connects, and after something was deleted or cleared. */
  begin(state) {
    this.isKnown = true;
    this.messages = byIdOf(state.messages);
    this.inAll = state.messages_in_all;
    this.campaigns = byIdOf(state.campaigns);
    this.requests = state.requests;
    this.account = state;
  },

  /** Take a message that is new or has changed; return whether it is new. */
  take(message) {
    const isNew = !this.messages.has(message.id);
    this.messages.set(message.id, message);
    if (isNew) this.inAll += 1;
    if (this.messages.size > MOST) this.messages.delete(this.messages.keys().next().value);
    return isNew;
  },

  note(request) {
    this.requests.unshift(request);
    this.requests.length = Math.min(this.requests.length, MOST);
  },

  /** Every message, the newest first. */
  newest() {
    return [...this.messages.values()].reverse();
  },

  /** Return the messages that match the search, the newest first. */
  find({ words, status, campaign }) {
    const wanted = folded(words.trim()), compact = wanted.replace(/[\s-]/g, "");
    return this.newest().filter((message) => {
      if (campaign && message.campaign?.id !== campaign) return false;
      if (status === "moving" && !MOVING.has(message.status)) return false;
      if (status === "delivered" && message.status !== "DELIVERED") return false;
      if (status === "failed" && toneOf(message.status) !== "bad") return false;
      const digits = [message.target_e164, ...message.codes];
      return (compact && digits.some((each) => each.includes(compact))) || haystackOf(message).includes(wanted);
    });
  },

  /** Return the message that a request made, repeated or read; where its answer is lost, by its key. */
  messageOf(request) {
    const { message_id: id, idempotency_key: key } = request;
    if (id || !key) return this.messages.get(id);
    return this.newest().find((message) => message.idempotency_key === key);
  },

  /** Return the requests that made, repeated or read a message, the newest first. */
  requestsOf(message) {
    const { id, idempotency_key: key } = message;
    return this.requests.filter((each) => each.message_id === id || (key && each.idempotency_key === key));
  },
};

/** Index rows, of which the newest comes first, from the oldest on. */
const byIdOf = (rows) => new Map(rows.toReversed().map((row) => [row.id, row]));

function haystackOf(message) {
  const { contact } = message;
  return folded([
    message.target_e164, message.content, message.id, message.idempotency_key, message.status,
    wordOf(message.status), message.error_code, contact?.name, contact?.email,
    ...(contact?.tags ?? []), message.campaign?.name,
  ].filter(Boolean).join("\n"));
}

/** Return one group of messages per number, the one with the newest message first. */
function conversationsOf(messages) {
  return [...Map.groupBy(messages, (message) => message.target_e164).values()];
}

/** Return how many messages of a conversation arrived since it was last opened. */
function unseenIn(conversation) {
  const last = store.seen.get(conversation[0].target_e164);
  const index = conversation.findIndex((message) => message.id === last);
  return index < 0 ? conversation.length : index;
}
