// The sensitive tier of an open vault: opened by the PIN, closed by itself.
// Knows: how long it stays open, and that a step-up begins the time anew. Refuses to know: what is behind it.

import * as passphrase from "../crypto_core/sealing/passphrase.js";
import { forgetKeys } from "./door.js";
import { NetworkError, NotOpen, ServerFault } from "./errors.js";
import * as keychain from "./keychain.js";
import type { Machine } from "./protocol/machine.js";
import { Unlock, UnlockEvent } from "./protocol/unlock.js";
import type { Session } from "./session.js";
import type { Writer } from "./writer.js";

/** How long the sensitive tier stays open after a step-up. */
export const SENSITIVE_SECONDS = 120;

/** That of one session. `tell` hears until when it is open (milliseconds since 1970), or that it isn't (null). */
export class SensitiveTier {
  readonly #session: Session;
  readonly #writer: Writer;
  readonly #machine: Machine<Unlock, UnlockEvent>;
  readonly #tell: (until: number | null) => void;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #until = 0;
  #isOver = false;

  constructor(
    session: Session, writer: Writer, machine: Machine<Unlock, UnlockEvent>, tell: (until: number | null) => void,
  ) {
    this.#session = session;
    this.#writer = writer;
    this.#machine = machine;
    this.#tell = tell;
  }

  get isOpen(): boolean {
    return this.#timer !== null;
  }

  /** Opens it for two minutes, and sends what waited for it. Throws Refused (`pin_wrong`, `pin_locked`, …), and NotOpen if
   * the vault was locked while the answer was on its way. */
  async open(pin: string): Promise<void> {
    const { keyring, dropBox } = this.#session;
    const step = passphrase.derivePinStep(keyring.kPs, keyring.account, keyring.pinEpoch, pin);
    const answer = await this.#session.ask("POST", "/v1/pin", { body: { purpose: "step", x: step.tag } });
    if (!("share_S" in answer)) throw new ServerFault("the answer to another question");
    keychain.openSensitive(keyring, step, answer, dropBox);
    forgetKeys(step.tag, step.wrapping, answer.share_S);
    if (this.#isOver) {
      keyring.dropSensitive();
      throw new NotOpen();
    }
    this.#machine.receive(UnlockEvent.STEPPED_UP);
    this.#startTimer();
    try {
      await this.#session.locked(() => this.#writer.flush()); // what a conflict left to be sealed anew needs the PIN
    } catch (error) {
      if (!(error instanceof NetworkError || error instanceof ServerFault)) throw error;
    }
  }

  /** Closes it. Does nothing if it is closed. */
  close(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#session.keyring.dropSensitive();
    this.#tell(null);
    if (this.#machine.state === Unlock.SENSITIVE) this.#machine.receive(UnlockEvent.SENSITIVE_DROPPED);
  }

  /** Closes it if its time is over: the device may have slept over the timer. */
  closeIfLate(): void {
    if (Date.now() >= this.#until) this.close();
  }

  /** The vault is locked: it is closed, and nothing opens it again. */
  end(): void {
    this.#isOver = true;
    this.close();
  }

  #startTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), SENSITIVE_SECONDS * 1000);
    this.#until = Date.now() + SENSITIVE_SECONDS * 1000;
    this.#tell(this.#until);
  }
}
