// @ts-check
/* The texts of scripts in the language of the page. The server puts the translations into pages that are
   not in English (`script_texts` in spectator/script_texts.py). */

/** @type {Record<string, string | Record<string, string>>} */
const translations = JSON.parse(document.getElementById("translations")?.textContent || "{}");
const language = document.documentElement.lang || "en";

/** @typedef {Record<string, string | number>} Values */

/**
 * @param {string} text
 * @param {Values} values
 */
const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_match, name) => String(values[name]));

/** Returns a number with its digits in groups. */
export const formatNumber = (/** @type {number} */ number) =>
  number.toLocaleString(`${language}-u-nu-latn`);

/**
 * Returns a moment as a date and a time, in the time zone that the page names.
 * @param {Date} moment
 */
export function formatTime(moment) {
  // English pages write dates as most of Africa does (spectator/formats.py).
  const locale = `${language === "en" ? "en-GB" : language}-u-nu-latn-ca-gregory`;
  /** @type {Intl.DateTimeFormatOptions} */
  const style = { dateStyle: "medium", timeStyle: "medium" };
  try {
    return moment.toLocaleString(locale, { ...style, timeZone: document.body.dataset.zone });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return moment.toLocaleString(locale, style); // a browser that does not know the zone yet
  }
}

/**
 * Returns the translation of a text, with its placeholders such as %(name)s filled in.
 * @param {string} text
 * @param {Values} values
 */
export const gettext = (text, values = {}) => fill(String(translations[text] || text), values);

/**
 * Returns the translation of a text for a number of things, which is %(count)s in it.
 * @param {string} singular
 * @param {string} plural
 * @param {number} count
 * @param {Values} values
 */
export function ngettext(singular, plural, count, values = {}) {
  const forms = /** @type {Record<string, string>} */ (translations[singular] || {});
  const text = forms[new Intl.PluralRules(language).select(count)] || forms.other;
  return fill(text || (count === 1 ? singular : plural), { count: formatNumber(count), ...values });
}

/**
 * Returns texts as one, with the last two joined by “and”.
 * @param {string[]} texts
 */
export function joinList(texts) {
  const [last, ...others] = [...texts].reverse();
  if (!others.length) return last;
  return gettext("%(first)s and %(last)s", { first: others.reverse().join(", "), last });
}
