// What the four machines share: a state, a table, and a refusal of everything the table doesn't hold.
// Knows: how to look a step up. Refuses to know: what the steps are; nothing here reads, writes, sends or waits.

import { OutOfOrder } from "../../crypto_core/errors.js";

/** (state, event) → state, as rows. */
export type Transitions<S extends string, E extends string> = readonly (readonly [S, E, S])[];

/** Goes from state to state by a table. */
export class Machine<S extends string, E extends string> {
  readonly #transitions: Transitions<S, E>;
  #state: S;

  constructor(start: S, transitions: Transitions<S, E>) {
    this.#state = start;
    this.#transitions = transitions;
  }

  get state(): S {
    return this.#state;
  }

  /** The state after `event`. Throws OutOfOrder if the table has no such step: our mistake. */
  receive(event: E): S {
    const step = this.#transitions.find(([before, what]) => before === this.#state && what === event);
    if (step === undefined) throw new OutOfOrder(`${event} in ${this.#state}`);
    this.#state = step[2];
    return this.#state;
  }

  /** Throws OutOfOrder unless in one of these states. */
  require(...states: readonly S[]): void {
    if (!states.includes(this.#state)) throw new OutOfOrder(`not in ${this.#state}`);
  }
}
