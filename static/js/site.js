/* On every reader's page: say when a request failed, and fetch the suggestions where the search box is shown. */
(() => {
  "use strict";
  const { search, sheet } = document.currentScript.dataset;
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

  /** Takes back what was said of an earlier request of the same control. */
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
  /** Takes away the results of other words; the address becomes that of what was typed, so that a reload asks for it. */
  const failSearch = (form, code) => {
    const typed = String(
      new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim())),
    );
    history.replaceState(history.state, "", typed ? `${form.action}?${typed}` : form.action);
    document.getElementById("results").replaceChildren(
      say("Could not show the results.", code, () => {
        form.elements.q.focus();
        form.dispatchEvent(new Event("input", { bubbles: true }));
      }),
    );
  };
  /** Nobody asked for related stories: the link to the section stays, and the room kept for them is given back. */
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

  /* Who presses Enter or follows a link leaves the page: an answer that came after that would put its address in place of
     the one that the back button leads to. */
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

  /* Room is kept for related stories only where htmx has come to fetch them. */
  const noteHtmx = () => document.documentElement.classList.add("has-htmx");
  for (const name of ["htmx:load", "htmx:after:init"])
    document.addEventListener(name, noteHtmx, { once: true });
  document.addEventListener("DOMContentLoaded", () => window.htmx && noteHtmx()); // it may have begun before us

  const wide = matchMedia("(min-width: 60rem)"); // where the stylesheet shows the search box
  const loadSearch = () => {
    if (!wide.matches) return;
    wide.removeEventListener("change", loadSearch);
    const script = Object.assign(document.createElement("script"), { src: search });
    script.dataset.sheet = sheet;
    document.head.append(script);
  };
  wide.addEventListener("change", loadSearch);
  loadSearch();
})();
