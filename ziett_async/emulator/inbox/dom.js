// Elements. Texts of messages become text nodes and nothing else: there is no innerHTML here, and
// the page's policy would block it.

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

/** Make a list show these items without touching unchanged ones: focus and reading position stay. */
function show(list, items, keyOf, sameAs, build) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && [focused.closest("[data-key]")?.dataset.key, focused.dataset.does];
  let at = list.firstElementChild;
  for (const item of items) {
    const key = keyOf(item), version = [language, ...sameAs(item)];
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
    (again ?? list.firstElementChild)?.querySelector(`[data-does="${does}"]`)?.focus({ preventScroll: true });
  }
}

/** Set a text only if it differs, so that a screen reader reads it once. */
function say(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

const MOVING = new Set(["PENDING", "SENT"]);
const ICONS = { PENDING: "clock", SENT: "check", DELIVERED: "checks" };
const TONES = { PENDING: "moving", SENT: "moving", DELIVERED: "good" };

const toneOf = (status) => TONES[status] ?? "bad";
const wordOf = (status) => known(`status.${status}`, status);
const statusOf = (status) =>
  el("span", { class: `status ${toneOf(status)}` }, icon(ICONS[status] ?? "cross"), wordOf(status));

const timeOf = (iso, format = "time") => el("time", { datetime: iso, title: iso }, inFormat(format, iso));
const nameOf = (message) => message.contact?.name ?? spaced(message.target_e164);

function initialsOf(message) {
  if (!message.contact) return message.target_e164.slice(-2);
  const words = message.contact.name.trim().split(/\s+/);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "").join("").toUpperCase();
}

/** One of six colours, always the same for a number. */
const hueOf = (number) => [...number].reduce((sum, digit) => (sum * 7 + digit.charCodeAt(0)) % 6, 0);

/** A button that copies a text. */
function copier(text, label, words = t("copied", text)) {
  return el("button", { type: "button", class: "copy", "data-does": `copy-${label.replace(/\W/g, "")}`, onclick: () => copy(text, words) },
    icon("copy"), el("bdi", {}, label));
}

const fact = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];
