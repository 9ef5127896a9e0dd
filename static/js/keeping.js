"use strict";
/* Sees to it that no text is lost: what is typed is kept on this device at once and on the server within two seconds, a
   form that cannot be sent is sent when it can, and one line says how it stands. It uses nothing of a third party, and
   stands before all scripts of third parties in the page: a CDN that does not answer holds up what follows it. */
(() => {
  const form = document.getElementById("story");
  const copies = window.spectatorCopies;
  if (!form || !copies) return;
  const line = document.getElementById("save-status");
  const stop = document.getElementById("stop-sending");
  const { story } = form.dataset;
  const UNKEPT = new Set(["csrf_token", "seq", "loss_asked", "then"]);
  const BYTES_A_MILLISECOND = 4; // a slow line: what is longer is given longer to arrive
  const [KEEP, KEEP_LATEST, SEND, SEND_LATEST, AGAIN, PATIENCE] = [
    700, 3000, 1200, 10000, 5000, 12000,
  ];
  const [PROBE, RETELL] = [8000, 60000];

  const field = (name) => form.elements.namedItem(name);
  const values = () => {
    const found = {};
    for (const { name, value, type, checked } of form.elements) {
      const isChoice = type === "radio" || type === "checkbox";
      if (
        name &&
        !["file", "submit", "button"].includes(type) &&
        !UNKEPT.has(name) &&
        (!isChoice || checked)
      ) {
        found[name] = value;
      }
    }
    return found;
  };
  const clock = () => new Date().toTimeString().slice(0, 5);

  let typed = 0; // counts what was typed; the next two say how much of it is safe, and where
  let onServer = 0;
  let onDevice = 0;
  let canKeep = true;
  let asked = 0; // when the server was asked last and has not answered, 0 when it has
  let isOut = false; // the server said that nobody is logged in
  let wanted = ""; // the button that was pressed and whose form is not sent yet
  let sent = ""; // the name of the form that is on its way to the server: the page waits for the answer

  const say = (words) => {
    if (line.textContent !== words) line.textContent = words;
  };

  /* ---- on this device ---- */
  const identity = () => `${copies.user}/${story}/${field("copy").value}`;
  const keep = async () => {
    const number = typed;
    const kept = values();
    const record = {
      id: identity(),
      user: copies.user,
      story,
      copy: kept.copy,
      version: kept.version,
    };
    try {
      await copies.keep({
        ...record,
        headline: kept.headline,
        at: Date.now(),
        values: kept,
        wanted,
        after: sent,
      });
      onDevice = Math.max(onDevice, number);
      canKeep = true;
      if (onServer >= typed && !wanted) await copies.forget(record.id);
    } catch {
      canKeep = false;
    }
  };

  /* Calls `act` when typing has paused, and at the latest after `latest` of typing without a pause. */
  const paced = (act, pause, latest) => {
    let timer = 0;
    let since = 0;
    return () => {
      clearTimeout(timer);
      since = since || Date.now();
      const left = Math.max(0, since + latest - Date.now());
      timer = setTimeout(
        () => {
          since = 0;
          act();
        },
        Math.min(pause, left),
      );
    };
  };
  const keepSoon = paced(keep, KEEP, KEEP_LATEST);

  /* ---- on the server ---- */
  let told = 0; // when it was last said that the text is on this device; again at every attempt would be noise
  const notSaved = async () => {
    asked = 0;
    if (onDevice < typed) await keep();
    if (wanted || sent || onServer >= typed) return;
    const isSaid =
      /^(Not saved|Offline) – kept/.test(line.textContent) && Date.now() - told < RETELL;
    if (!canKeep)
      say("Not saved. This browser cannot keep a copy, so copy your text somewhere safe.");
    else if (!isSaid) {
      told = Date.now();
      say(`${navigator.onLine ? "Not saved" : "Offline"} – kept on this device at ${clock()}`);
    }
  };
  /* "in", "out", or "" where nobody answers who would know: no network, a fault, a hotspot's own page. */
  const session = async () => {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PROBE);
    try {
      const answer = await fetch("/newsroom/fragments/session", {
        cache: "no-store",
        signal: patience.signal,
      });
      const [, outcome] =
        /data-(?:outcome|reason)="(in|out|logged-out)"/.exec(await answer.text()) || [];
      return outcome === "in" ? "in" : outcome ? "out" : "";
    } catch {
      return "";
    } finally {
      clearTimeout(timer);
    }
  };
  /* One at a time: on a slow line each would cut off the one before, and none would ever be confirmed. */
  const send = async () => {
    if (asked || onServer >= typed || wanted || sent) return;
    if (!navigator.onLine) return void notSaved();
    const now = Date.now();
    if (isOut) {
      asked = now; // a login is asked for without the text, and without saying the same words again
      isOut = (await session()) !== "in";
      asked = 0;
      if (isOut || wanted || sent) return;
    }
    asked = now;
    field("seq").value = String(typed);
    if (!/^(Not saved|Offline)/.test(line.textContent)) say("Saving…");
    hear(await autosave());
  };
  /* Returns the server's word on what is in the form, null where it did not answer or somebody else did. */
  const autosave = async () => {
    const body = new FormData(form);
    let size = 0;
    for (const [name, value] of [...body]) {
      if (value instanceof File) body.delete(name);
      else size += value.length;
    }
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE + size / BYTES_A_MILLISECOND);
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST",
        body,
        signal: patience.signal,
      });
      const page = new DOMParser().parseFromString(
        answer.ok ? await answer.text() : "",
        "text/html",
      );
      return page.querySelector("[data-outcome]");
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  };
  const sendSoon = paced(send, SEND, SEND_LATEST);

  const hear = (outcome) => {
    if (!outcome) return void notSaved();
    asked = 0;
    isOut = outcome.dataset.reason === "logged-out";
    if (!wanted && !sent) {
      line.textContent = "";
      line.append(outcome);
    }
    if (outcome.dataset.outcome === "refused") return void keep();
    onServer = Math.max(onServer, Number(outcome.dataset.seq));
    document.getElementById("weight").textContent = outcome.dataset.weight;
    if (onServer < typed) sendSoon();
    else if (!wanted && !sent) copies.forget(identity()).catch(() => {});
  };

  const newName = () =>
    [...crypto.getRandomValues(new Uint32Array(5))].map((part) =>
      part.toString(36).padStart(7, "0"),
    );
  form.addEventListener("input", (event) => {
    if (event.target.type === "file") return; // files are neither kept nor autosaved: nothing may be said of them
    if (sent && wanted) {
      // Not in what is being sent, so its answer must not confirm it.
      field("copy").value = newName().join("");
      wanted = "";
    }
    typed += 1;
    keepSoon();
    sendSoon();
  });
  const again = () => void (wanted ? probe() : send());
  setInterval(again, AGAIN);
  addEventListener("online", again);
  addEventListener("offline", () => onServer < typed && notSaved());
  document.addEventListener(
    "visibilitychange",
    () => document.hidden && onServer < typed && keep(),
  );
  const isBehind = () => onServer < typed && !(sent && wanted);
  addEventListener("pagehide", () => isBehind() && keep());
  addEventListener("beforeunload", (event) => {
    if (!isBehind() || onDevice >= typed) return;
    event.preventDefault();
    event.returnValue = true; // browsers of before 2024 look at nothing else
  });

  /* ---- sending the form: asked first whether it would arrive, since a page that is left cannot send again ---- */
  let isAsking = false;
  let isOurs = false; // the submit that follows is the one below
  let button = null;
  const end = () => {
    wanted = sent = "";
    stop.hidden = true;
  };
  const post = () => {
    say("Sending…");
    isOurs = true;
    if (form.requestSubmit) form.requestSubmit(button);
    else (button || form.querySelector("button[name=do]")).click();
    isOurs = false;
    if (sent) return void setTimeout(() => (stop.hidden = !sent), AGAIN);
    end(); // the browser found an entry wrong and says which
    say("Not sent.");
    return void keep();
  };
  const probe = async () => {
    if (isAsking || sent) return;
    isAsking = true;
    const outcome = await session();
    if (onDevice < typed) await keep();
    isAsking = false;
    if (!wanted) return;
    if (outcome === "in") return void post();
    stop.hidden = false;
    const where = canKeep
      ? "Kept on this device"
      : "This browser cannot keep it, so copy your text";
    if (outcome === "out") sayLoggedOut(`${where}.`);
    else if (navigator.onLine) say(`The server does not answer. ${where}; will send when it does.`);
    else say(`Offline. ${where}; will send when you're back online.`);
  };
  const sayLoggedOut = (where) => {
    if (line.querySelector("a")) return;
    const words = document.getElementById("logged-out").content.cloneNode(true);
    words.querySelector("[data-part=where]").textContent = where;
    line.replaceChildren(words);
  };
  form.addEventListener(
    "submit",
    (event) => {
      if (isOurs) return void (sent = field("copy").value);
      if ((event.submitter || document.activeElement)?.formTarget === "_blank") return; // the preview, in another tab
      event.preventDefault();
      if (wanted || sent) return;
      button = event.submitter;
      wanted = (button && button.value) || "save";
      say("Sending…");
      keep().then(probe);
    },
    true,
  );
  stop.addEventListener("click", async () => {
    const words = sent ? "Cancelled, but the server may already have it." : "Not sent.";
    const other = identity();
    if (sent) {
      window.stop();
      field("copy").value = sent;
    }
    end();
    if (button) button.focus();
    await keep();
    if (canKeep && other !== identity()) copies.forget(other).catch(() => {});
    say(words);
    send();
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    end();
    say("");
  });

  window.spectatorKeeping = {
    form,
    field,
    values,
    identity,
    say,
    keep,
    keepTyped: () => onServer < typed && keep(),
    canKeep: () => canKeep,
    cannotKeep: () => (canKeep = false),
  };
})();
