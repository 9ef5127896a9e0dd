"use strict";
/* Copies of unsaved text on this device, in IndexedDB by user, story and opened form. They survive a lost connection, an
   expired login, a closed tab and the logout; they go when the server has confirmed what they hold, and 30 days after
   somebody has discarded them. */
(() => {
  const DISCARDED_KEPT = 30 * 24 * 3600 * 1000;
  const user = document.body.dataset.user;
  if (!user) return;

  let opened = null;
  const open = () => {
    opened ??= new Promise((resolve, reject) => {
      const asked = indexedDB.open("newsroom", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("copies", { keyPath: "id" });
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = asked.onblocked = () => reject(asked.error);
    });
    opened.catch(() => {
      opened = null;
    });
    return opened;
  };

  /* Resolves once the browser has committed, not before. */
  const use = async (mode, work) => {
    const store = (await open())
      .transaction("copies", mode, { durability: "strict" })
      .objectStore("copies");
    const asked = work(store);
    return new Promise((resolve, reject) => {
      store.transaction.oncomplete = () => resolve(asked.result);
      store.transaction.onerror = store.transaction.onabort = () => reject(store.transaction.error);
    });
  };

  const copies = {
    user,
    keep: (record) => use("readwrite", (store) => store.put(record)),
    forget: (id) => use("readwrite", (store) => store.delete(id)),
    everything: async () =>
      (await use("readonly", (store) => store.getAll())).filter((each) => each.user === user),
    all: async () => (await copies.everything()).filter((each) => !each.discarded),
  };
  window.spectatorCopies = copies;

  const confirmed = document.body.dataset.confirmed;
  const isDone = (record) =>
    (confirmed && record.copy === confirmed) ||
    (record.discarded && record.discarded < Date.now() - DISCARDED_KEPT);
  copies.ready = copies
    .everything()
    .then((found) => Promise.all(found.filter(isDone).map((each) => copies.forget(each.id))))
    .catch(() => {}); // a browser without storage has no copies either

  /* Logging out leaves the copies where they are, and says so. */
  const logout = document.querySelector("form[action$='/newsroom/logout']");
  const dialog = document.getElementById("logout-dialog");
  if (!logout || !dialog) return;
  let isSure = false;
  logout.addEventListener("submit", (event) => {
    if (isSure) return;
    event.preventDefault();
    const leave = () => {
      isSure = true;
      logout.requestSubmit();
    };
    copies.all().then((found) => {
      if (!found.length) return leave();
      dialog.querySelector("[data-part=count]").textContent =
        found.length === 1 ? "One story has" : `${found.length} stories have`;
      dialog.returnValue = "stay";
      dialog.showModal();
      dialog.addEventListener("close", () => dialog.returnValue === "leave" && leave(), {
        once: true,
      });
    }, leave);
  });
})();
