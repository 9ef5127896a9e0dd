/* On every reader's page: reports failed requests of htmx, scrolls the navigation to the current section, and
   loads search suggestions if the search box is visible. */
import { gettext } from "./messages.js";
const getStatus = () => document.getElementById("status");

/* By event of htmx 2 and 4: the element that sent the request, and a code for the failure: the HTTP
   status, "timeout", or 0 if the site could not be reached. */
const FAILURES = {
  "htmx:responseError": ({ elt, xhr }) => [elt, xhr.status],
  "htmx:sendError": ({ elt }) => [elt, 0],
  "htmx:timeout": ({ elt }) => [elt, "timeout"],
  "htmx:response:error": ({ ctx }) => [ctx.sourceElement, ctx.response.status],
  "htmx:error": ({ ctx }) =>
    ctx && [ctx.sourceElement, ctx.request.signal?.reason === "timeout" ? "timeout" : 0],
};
const reason = (code) => {
  if (code === "timeout") return gettext("The site took too long to answer.");
  if (code) return gettext("The site could not answer.");
  return navigator.onLine ? gettext("The site could not be reached.") : gettext("You are offline.");
};

/** Returns a notice with a button that tries again. */
const makeNotice = (text, retry) => {
  const notice = Object.assign(document.createElement("div"), { className: "request-error" });
  const button = Object.assign(document.createElement("button"), {
    type: "button",
    textContent: gettext("Try again"),
  });
  notice.append(Object.assign(document.createElement("p"), { textContent: text }), button);
  button.addEventListener("click", retry);
  return notice;
};
/** Announces a failure to screen readers, and returns its notice. */
const report = (message, code, retry) => {
  const text = `${message} ${reason(code)}`;
  getStatus().textContent = text;
  return makeNotice(text, retry);
};

/** Removes the notice of an earlier request of the same control. */
const clear = (control) => {
  getStatus().textContent = "";
  if (control.previousElementSibling?.matches(".request-error"))
    control.previousElementSibling.remove();
};
const failMore = (link, code) => {
  clear(link);
  const retry = () => {
    link.focus();
    link.click();
  };
  link.before(report(gettext("Could not load more stories."), code, retry));
};
/** Replaces the results of the earlier query. The page gets the URL of the new query, so that reloading
    the page tries the new query again. */
const failSearch = (form, code) => {
  const query = String(
    new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim())),
  );
  history.replaceState(history.state, "", query ? `${form.action}?${query}` : form.action);
  document.getElementById("results").replaceChildren(
    report(gettext("Could not show the results."), code, () => {
      form.elements.q.focus();
      form.dispatchEvent(new Event("input", { bubbles: true }));
    }),
  );
};
/** Related stories fail silently: the link to the section remains. The stylesheet reserves space for the
    stories only while the element has `hx-get`. */
const failRelated = (section) => section.removeAttribute("hx-get");

const fail = (control, code) => {
  if (!control?.isConnected) return;
  if (control.matches("a.more")) failMore(control, code);
  else if (control.matches("form.search")) failSearch(control, code);
  else if (control.matches(".related")) failRelated(control);
};
for (const [name, read] of Object.entries(FAILURES))
  document.addEventListener(name, (event) => {
    const failure = read(event.detail);
    if (failure) fail(...failure);
  });

for (const name of ["htmx:beforeRequest", "htmx:before:request"])
  document.addEventListener(
    name,
    ({ target }) => target.matches("a.more, form.search") && clear(target),
  );

/* When somebody leaves the page, aborts the search request: its response would replace the URL to which
   the back button returns. */
let isLeaving = false;
const leave = ({ target }) => {
  const form = document.querySelector("form.search");
  if (!form || !(target === form || target.closest("a[href]"))) return;
  isLeaving = true;
  form.dispatchEvent(new CustomEvent("htmx:abort", { bubbles: true, detail: { elt: form } }));
};
for (const name of ["submit", "click"]) document.addEventListener(name, leave);
document.addEventListener("input", () => (isLeaving = false));
for (const name of ["htmx:beforeRequest", "htmx:before:request"])
  document.addEventListener(name, (event) => {
    if (isLeaving && event.target.matches("form.search")) event.preventDefault();
  });

/* Space is reserved for related stories only if htmx has loaded and will fetch them. */
const noteHtmx = () => document.documentElement.classList.add("has-htmx");
for (const name of ["htmx:load", "htmx:after:init"])
  document.addEventListener(name, noteHtmx, { once: true });
// htmx may have started before this script.
document.addEventListener("DOMContentLoaded", () => window.htmx && noteHtmx());

/* The stylesheet does this where the browser can: `scroll-initial-target`. */
const section = document.querySelector(".top .nav [aria-current]");
if (section && !CSS.supports("scroll-initial-target: nearest")) {
  const centre = (element) => {
    const { left, right } = element.getBoundingClientRect();
    return (left + right) / 2;
  };
  const list = section.closest(".nav");
  list.scrollLeft += centre(section) - centre(list);
}

const wide = matchMedia("(min-width: 60rem)"); // the stylesheet shows the search box from this width
const loadSearch = () => {
  if (!wide.matches) return;
  wide.removeEventListener("change", loadSearch);
  // search.js imports combobox.js: fetch both at the same time. Without them the box has no
  // suggestions.
  for (const module of ["./combobox.js", "./search.js"]) import(module).catch(() => {});
};
wide.addEventListener("change", loadSearch);
loadSearch();
