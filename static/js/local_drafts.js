// @ts-check
/* Unsaved text on this device, in IndexedDB by user, story and open form. It survives a lost connection,
   an expired login, a closed tab and logging out. It is removed when the server has confirmed that it
   has the text, and 30 days after it was discarded. The names of the database, of its store and of the
   records' keys must not change, because people's browsers have stored them. */

/**
 * @typedef {object} LocalDraft
 * @property {string} id user, story and form, separated by slashes
 * @property {string} user
 * @property {string} story
 * @property {string} copy the id of the form
 * @property {string} version
 * @property {string} headline
 * @property {number} at when it was stored, in milliseconds
 * @property {Record<string, string>} values the form's fields by name
 * @property {string} wanted the action of a form that could not be sent yet
 * @property {string} after the id of the form that was being sent when this was written
 * @property {number} [discarded] when it was discarded, in milliseconds
 */

const DISCARDED_MAX_AGE_MS = 30 * 24 * 3600 * 1000;
const STORE = "copies";

export const user = document.body.dataset.user || "";

/** @type {Promise<IDBDatabase> | null} */
let database = null;

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  const opening = (database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("newsroom", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  }));
  opening.catch(() => (database = null));
  return opening;
}

/**
 * Runs a request on the store, and resolves once the browser has committed it.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} makeRequest
 * @returns {Promise<T>}
 */
async function withStore(mode, makeRequest) {
  const transaction = (await openDatabase()).transaction(STORE, mode, { durability: "strict" });
  const request = makeRequest(transaction.objectStore(STORE));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

/** @param {LocalDraft} draft */
export const save = (draft) => withStore("readwrite", (store) => store.put(draft));

/** @param {string} id */
export const remove = (id) => withStore("readwrite", (store) => store.delete(id));

/**
 * Returns the user's drafts, including discarded ones.
 * @returns {Promise<LocalDraft[]>}
 */
export async function all() {
  /** @type {LocalDraft[]} */
  const drafts = await withStore("readonly", (store) => store.getAll());
  return drafts.filter((draft) => draft.user === user);
}

export const unsaved = async () => (await all()).filter((draft) => !draft.discarded);

/** @param {LocalDraft} draft */
function isObsolete(draft) {
  const { confirmed } = document.body.dataset;
  const isConfirmed = Boolean(confirmed) && draft.copy === confirmed;
  const age = draft.discarded ? Date.now() - draft.discarded : 0;
  return isConfirmed || age > DISCARDED_MAX_AGE_MS;
}

/** Resolves when obsolete drafts are removed, or at once if the browser has no storage. */
export const cleanedUp = all()
  .then((drafts) => Promise.all(drafts.filter(isObsolete).map((draft) => remove(draft.id))))
  .catch(() => {});
