// The page's state, as received from the emulator so far.

const MOST = 3000;

const store = {
  messages: new Map(),
  inAll: 0,
  requests: [],
  account: { balance: "0", limits: [], faults: [], now: "" },
  /** The newest message seen in each conversation, by number. */
  seen: new Map(),

  /** Take the whole state, as it is when the page connects and after everything was cleared. */
  begin(state) {
    const first = state.messages.toReversed();
    this.messages = new Map(first.map((message) => [message.id, message]));
    this.inAll = state.messages_in_all;
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

  /** Return the messages that match the search, the newest first. */
  find(words, status) {
    const wanted = words.trim().toLowerCase();
    const compact = wanted.replace(/[\s-]/g, "");
    return [...this.messages.values()].reverse().filter((message) => {
      if (status === "moving" && !MOVING.has(message.status)) return false;
      if (status === "delivered" && message.status !== "DELIVERED") return false;
      if (status === "failed" && toneOf(message.status) !== "bad") return false;
      const number = message.target_e164;
      return (compact && number.includes(compact)) || haystackOf(message).includes(wanted);
    });
  },
};

function haystackOf(message) {
  const { contact } = message;
  return [
    message.target_e164, message.content, message.id, message.idempotency_key, message.status,
    message.error_code, contact?.name, contact?.email, ...(contact?.tags ?? []), message.campaign?.name,
  ].filter(Boolean).join("\n").toLowerCase();
}

/** Return one group of messages per number, the one with the newest message first. */
function conversationsOf(messages) {
  const found = new Map();
  for (const message of messages) {
    const group = found.get(message.target_e164);
    if (group) group.push(message);
    else found.set(message.target_e164, [message]);
  }
  return [...found.values()];
}

/** Return how many messages of a conversation arrived since it was last opened. */
function unseenIn(conversation) {
  const last = store.seen.get(conversation[0].target_e164);
  const index = conversation.findIndex((message) => message.id === last);
  return index < 0 ? conversation.length : index;
}
