// @ts-check
/* Requests with a time limit. */

const SESSION_TIMEOUT_MS = 8000;

/**
 * Fetches a URL; returns null if there is no complete response within the time limit.
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

/** Returns whether the person is logged in, null without a response of the site: no network, an error, or
    the page of a Wi-Fi hotspot. */
export async function isLoggedIn() {
  const url = "/newsroom/fragments/session";
  const response = await fetchText(url, { cache: "no-store" }, SESSION_TIMEOUT_MS);
  const pattern = /data-(?:outcome|reason)="(in|out|logged-out)"/;
  const [, outcome] = (response && pattern.exec(response.text)) || [];
  return outcome ? outcome === "in" : null;
}
