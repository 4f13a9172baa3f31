// What the page asks of the worker about deposit boxes: the person's own, and one of somebody else's.
// Knows: which call leads to which step. Refuses to know: how a deposit is sealed and proven, and the page.

import { fetched } from "../../sdk/door.js";
import type { Answering, Ground } from "../answering.js";
import type { BoxesApi } from "../boxes.js";
import type { Depositing } from "../depositing.js";
import { fileOf, pieceOf } from "../pieces.js";

export function boxesCalls(by: Answering): BoxesApi {
  /** Somebody's box, once its address was met. */
  let met: Depositing | null = null;
  by.atLock.push(() => met?.close());
  const put = <T>(act: (depositing: Depositing, ground: Ground) => T | Promise<T>): Promise<T> =>
    by.ask(async (_, ground) => {
      const { Depositing } = await fetched(import("../depositing.js"));
      return act(met ??= new Depositing(), ground);
    });
  return {
    makeBox: (password, pin, plan) => by.enter(async (client) => {
      const boxes = await client.boxes();
      const made = boxes.make(plan);
      await boxes.send(made, await client.account.confirm(password, pin));
      return made.fragment;
    }),

    boxes: () => by.ask(async (client) => (await client.boxes()).list()),

    closeBox: (box) => by.ask(async (client) => (await client.boxes()).close(box)),

    deposits: (box) => by.ask(async (client) => (await client.boxes()).waiting(box)),

    lookAt: (box, deposit) => by.ask(async (client) => {
      const { lookedPlainly } = await fetched(import("../depositing.js"));
      return lookedPlainly(await (await client.boxes()).open(box, deposit));
    }),

    readDeposited: (deposit, content, range, differing) => by.ask(async (client) => {
      const boxes = await client.boxes();
      const found = boxes.contentOf(deposit, content);
      return fileOf(boxes.content(found, ...(range ?? [])), found.mime, differing);
    }),

    readDepositedPiece: (deposit, content, start, stop) => by.ask(async (client) => {
      const boxes = await client.boxes();
      const found = boxes.contentOf(deposit, content);
      return pieceOf((from, to) => boxes.content(found, from, to), start, stop);
    }),

    acceptDeposit: (deposit) => by.write(async (client) => (await client.boxes()).accept(deposit)),

    refuseDeposit: (box, deposit) => by.ask(async (client) => (await client.boxes()).refuse(box, deposit, null)),

    eraseDeposit: (box, deposit, password, pin) => by.enter(async (client) =>
      (await client.boxes()).refuse(box, deposit, await client.account.confirm(password, pin))),

    meetBox: (fragment) => put((depositing) => depositing.meet(fragment)),

    enterBox: () => put(async (depositing, ground) => depositing.enter(ground.box, (await ground.followed())[0])),

    putIn: (words, files) => put((depositing) => depositing.putIn(words, files, by.transfer(true))),

    receiptsOfDeposit: () => put((depositing) => depositing.receipts()),
  };
}
