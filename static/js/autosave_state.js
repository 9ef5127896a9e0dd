// @ts-check
/* The state of the story form: two state machines, one for sending the form and one for autosave
   requests, and the progress of storing the typed text. */

/** A state machine. Its table has, for each state, the next state by event. */
class Machine {
  /** @param {Record<string, Record<string, string>>} transitions begins with the initial state */
  constructor(transitions) {
    this.transitions = transitions;
    this.state = Object.keys(transitions)[0];
  }

  /**
   * Changes the state; returns false if the current state has no transition for the event.
   * @param {string} event
   */
  send(event) {
    const next = this.transitions[this.state][event];
    if (next) this.state = next;
    return Boolean(next);
  }

  /** @param {...string} states */
  isIn(...states) {
    return states.includes(this.state);
  }
}

/* Sending the form. After the browser has left the page, the form cannot be sent again, so the session
   is checked first. */
export const submission = new Machine({
  editing: { submit: "checking" },
  checking: { available: "sending", unavailable: "waiting", cancel: "editing", restore: "editing" },
  waiting: { retry: "checking", cancel: "editing", restore: "editing" },
  // The browser checks the fields when the form is submitted; `invalid` means that it found an error.
  sending: { input: "sendingOlder", invalid: "editing", cancel: "editing", restore: "editing" },
  // Text typed while the form is being sent is not in the request, so its response does not confirm it.
  sendingOlder: { cancel: "editing", restore: "editing" },
});

/* Autosave requests: one at a time, because on a slow connection a new request would always abort the
   one before, and none would be confirmed. When logged out, it checks the session before it sends. */
export const connection = new Machine({
  idle: { save: "saving" },
  saving: { answered: "idle", failed: "idle", loggedOut: "loggedOut" },
  loggedOut: { save: "askingForLogin" },
  askingForLogin: { loggedIn: "idle", failed: "loggedOut" },
});

/** The action of a form that waits to be sent, and the id of the form that is being sent. */
export const pending = { action: "", formId: "" };

/** Counts inputs. `onServer` and `onDevice` are the number of the last input stored there. */
export const progress = {
  inputs: 0,
  onServer: 0,
  onDevice: 0,
  canStoreLocally: true,

  isOnServer() {
    return this.onServer >= this.inputs;
  },
  isOnDevice() {
    return this.onDevice >= this.inputs;
  },
};
