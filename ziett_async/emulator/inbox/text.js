// The language of the page, and times, amounts and numbers in it. `TEXTS` is strings.json.

const LANGUAGES = ["en", "pt"];
const COUNTRIES = { en: "en-GB", pt: "pt-AO" };

/** Choices that outlast the page; a browser may keep none. */
const kept = {
  get(name) {
    try {
      return localStorage.getItem(`ziett-${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`ziett-${name}`, value);
    } catch {
      // It holds until the page is closed.
    }
  },
};

const languageOf = (locale) => locale.split("-")[0].toLowerCase();

/** The language that was chosen, or the first of the browser's that the page has. */
let language = [kept.get("language"), ...navigator.languages.map(languageOf)]
  .find((each) => LANGUAGES.includes(each)) ?? "en";

/** Return a text in the page's language, with `{0}` filled in; "one|many" goes by the first value. */
function t(key, ...values) {
  const forms = TEXTS[key][LANGUAGES.indexOf(language)].split("|");
  const text = forms.length > 1 && values[0] !== 1 ? forms[1] : forms[0];
  return text.replace(/\{(\d)\}/g, (_, index) => values[index]);
}

/** Return the text of a key that may be unknown, such as a status of a later version. */
const known = (key, otherwise) => (key in TEXTS ? t(key) : otherwise);

/** Fill the texts of the page itself: those of `data-t`, and of attributes. */
function translate() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const name of ["aria-label", "placeholder"])
    for (const node of document.querySelectorAll(`[data-t-${name}]`)) node.setAttribute(name, t(node.getAttribute(`data-t-${name}`)));
}

const FORMATS = {
  time: { hour: "2-digit", minute: "2-digit" },
  exact: { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 },
  day: { weekday: "long", day: "numeric", month: "long" },
  short: { day: "numeric", month: "short" },
  full: { dateStyle: "medium", timeStyle: "medium" },
};
const formats = new Map();

/** Return a format of the page's language, in the browser's own variant of it if it has one. */
function formatOf(name) {
  const id = `${language} ${name}`;
  if (!formats.has(id)) {
    const locale = navigator.languages.find((each) => languageOf(each) === language) ?? COUNTRIES[language];
    formats.set(id, name === "number"
      ? new Intl.NumberFormat(locale, { maximumFractionDigits: 6 })
      : new Intl.DateTimeFormat(locale, FORMATS[name]));
  }
  return formats.get(id);
}

const inFormat = (name, iso) => formatOf(name).format(new Date(iso));
const dayOf = (iso) => inFormat("day", iso);
const amountOf = (value) => formatOf("number").format(value);

/** Format a duration in seconds. */
function secondsOf(seconds) {
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))}\u00a0ms`;
  if (seconds < 60) return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)}\u00a0s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)}\u00a0min`;
  if (seconds < 172800) return `${Number((seconds / 3600).toFixed(1))}\u00a0h`;
  return `${Number((seconds / 86400).toFixed(1))}\u00a0d`;
}

/** Format an E.164 number in groups of digits. */
function spaced(number) {
  const angolan = /^\+244(\d{3})(\d{3})(\d{3})$/.exec(number);
  return angolan ? `+244 ${angolan.slice(1).join(" ")}` : number;
}

/** Return a text as the search compares it: in lower case and without accents. */
const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Indent a JSON text; any other text stays as it is. */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
