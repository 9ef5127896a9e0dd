// @ts-check
/* Requests that end: with an answer, or with nothing after a time limit. */

const SESSION_TIMEOUT_MS = 8000;

/**
 * The text of a response; null where none came in time.
 * @param {string} url
 * @param {RequestInit} options
 * @param {number} timeout in milliseconds, for the whole response
 */
export async function fetchText(url, options, timeout) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeout);
  try {
    const response = await fetch(url, { ...options, signal: controller.signal });
    return { isOk: response.ok, text: await response.text() };
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether somebody is logged in; null where nobody answers who would know: no network, a fault, a
    hotspot's own page. */
export async function isLoggedIn() {
  const url = "/newsroom/fragments/session";
  const response = await fetchText(url, { cache: "no-store" }, SESSION_TIMEOUT_MS);
  const pattern = /data-(?:outcome|reason)="(in|out|logged-out)"/;
  const [, outcome] = (response && pattern.exec(response.text)) || [];
  return outcome ? outcome === "in" : null;
}
