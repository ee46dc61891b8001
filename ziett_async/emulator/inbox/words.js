// Words, times and elements. Texts of messages become text nodes and nothing else: there is no
// innerHTML here, and the page's policy would block it.

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

/** Make an element: attributes, `on...` listeners and `class`; null leaves one out. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

const MOVING = new Set(["PENDING", "SENT"]);
const ICONS = { PENDING: "clock", SENT: "check", DELIVERED: "checks" };
const TONES = { PENDING: "moving", SENT: "moving", DELIVERED: "good" };

const toneOf = (status) => TONES[status] ?? "bad";
const wordOf = (status) => status.charAt(0) + status.slice(1).toLowerCase();
const statusOf = (status) =>
  el("span", { class: `status ${toneOf(status)}` }, icon(ICONS[status] ?? "cross"), wordOf(status));

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const EXACT = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const MONEY = new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 });

const timeOf = (iso, format = TIME) => el("time", { datetime: iso, title: iso }, format.format(new Date(iso)));
const dayOf = (iso) => DAY.format(new Date(iso));
const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** Format a duration in seconds. */
function secondsOf(seconds) {
  if (seconds < 60) return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** Format an E.164 number in groups of digits. */
function spaced(number) {
  const angolan = /^\+244(\d{3})(\d{3})(\d{3})$/.exec(number);
  return angolan ? `+244 ${angolan.slice(1).join(" ")}` : number;
}

const nameOf = (message) => message.contact?.name ?? spaced(message.target_e164);

function initialsOf(message) {
  if (!message.contact) return message.target_e164.slice(-2);
  const words = message.contact.name.trim().split(/\s+/);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "").join("").toUpperCase();
}

/** One of six colours, always the same for a number. */
const hueOf = (number) => [...number].reduce((sum, digit) => (sum * 7 + digit.charCodeAt(0)) % 6, 0);

/** Indent a JSON text; any other text stays as it is. */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
