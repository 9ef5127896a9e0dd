// @ts-check
/* How far the text of the story form has come: two machines with named states, and how much of what
   was typed is safe where. */

/** A state machine over a table: by state, the next state for each event that may happen in it. */
class Machine {
  /** @param {Record<string, Record<string, string>>} transitions the first state is the initial one */
  constructor(transitions) {
    this.transitions = transitions;
    this.state = Object.keys(transitions)[0];
  }

  /**
   * Moves on an event. False, and no move, where the state has no transition for it.
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

/* The form on its way to the server. A page that is left cannot send again, so the session is
   checked first. */
export const submission = new Machine({
  editing: { submit: "checking" },
  checking: { available: "sending", unavailable: "waiting", cancel: "editing", restore: "editing" },
  waiting: { retry: "checking", cancel: "editing", restore: "editing" },
  // The browser may find an invalid entry when it is asked to submit.
  sending: { input: "sendingOlder", invalid: "editing", cancel: "editing", restore: "editing" },
  // What was typed since is not in what is being sent, so its answer must not confirm it.
  sendingOlder: { cancel: "editing", restore: "editing" },
});

/* The autosave's requests: one at a time, since on a slow line each would cut off the one before, and
   none would ever be confirmed. Logged out, it asks for the session without sending the text. */
export const connection = new Machine({
  idle: { save: "saving" },
  saving: { answered: "idle", failed: "idle", loggedOut: "loggedOut" },
  loggedOut: { save: "askingForLogin" },
  askingForLogin: { loggedIn: "idle", failed: "loggedOut" },
});

/** The button whose form is not sent yet, and the id of the form that is being sent. */
export const pending = { action: "", formId: "" };

/** Counts inputs, and up to which of them the text is on the server and on this device. */
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
