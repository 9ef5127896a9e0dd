/* On every reader's page: says when a request failed, and loads the suggestions where the search box is
   visible. */
const status = document.getElementById.bind(document, "status");

/* Events of htmx 2 and 4: the element that asked, and what became of the request. */
const FAILURES = {
  "htmx:responseError": ({ elt, xhr }) => [elt, xhr.status],
  "htmx:sendError": ({ elt }) => [elt, 0],
  "htmx:timeout": ({ elt }) => [elt, "timeout"],
  "htmx:response:error": ({ ctx }) => [ctx.sourceElement, ctx.response.status],
  "htmx:error": ({ ctx }) =>
    ctx && [ctx.sourceElement, ctx.request.signal?.reason === "timeout" ? "timeout" : 0],
};
const reason = (code) => {
  if (code === "timeout") return "The site took too long to answer.";
  if (code) return "The site could not answer.";
  return navigator.onLine ? "The site could not be reached." : "You are offline.";
};

/** Returns the notice that stands beside a control, or in place of what it would have shown. */
const makeNotice = (text, retry) => {
  const notice = Object.assign(document.createElement("div"), { className: "request-error" });
  const button = Object.assign(document.createElement("button"), {
    type: "button",
    textContent: "Try again",
  });
  notice.append(Object.assign(document.createElement("p"), { textContent: text }), button);
  button.addEventListener("click", retry);
  return notice;
};
const say = (what, code, retry) => {
  const text = `${what} ${reason(code)}`;
  status().textContent = text;
  return makeNotice(text, retry);
};

/** Removes the notice of an earlier request of the same control. */
const clear = (control) => {
  status().textContent = "";
  if (control.previousElementSibling?.matches(".request-error"))
    control.previousElementSibling.remove();
};
const failMore = (link, code) => {
  clear(link);
  const retry = () => {
    link.focus();
    link.click();
  };
  link.before(say("Could not load more stories.", code, retry));
};
/** Removes the results of other words. The address becomes that of what was typed, so that a reload asks
    for it. */
const failSearch = (form, code) => {
  const query = String(
    new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim())),
  );
  history.replaceState(history.state, "", query ? `${form.action}?${query}` : form.action);
  document.getElementById("results").replaceChildren(
    say("Could not show the results.", code, () => {
      form.elements.q.focus();
      form.dispatchEvent(new Event("input", { bubbles: true }));
    }),
  );
};
/** Related stories fail silently: the link to the section stays, without the space kept for them. */
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

/* Enter or a link leaves the page: a response that came after that would replace the address that the
   back button leads to. */
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

/* Space is kept for related stories only where htmx has loaded and will fetch them. */
const noteHtmx = () => document.documentElement.classList.add("has-htmx");
for (const name of ["htmx:load", "htmx:after:init"])
  document.addEventListener(name, noteHtmx, { once: true });
document.addEventListener("DOMContentLoaded", () => window.htmx && noteHtmx()); // htmx may have started before

const wide = matchMedia("(min-width: 60rem)"); // where the stylesheet shows the search box
const loadSearch = () => {
  if (!wide.matches) return;
  wide.removeEventListener("change", loadSearch);
  import("./combobox.js"); // at once, not when the next has come
  import("./search.js");
};
wide.addEventListener("change", loadSearch);
loadSearch();
