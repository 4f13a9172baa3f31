// The worker in which everything with a key runs. It is ended by `terminate()`: then no key is left.
// Knows: how the service is put together in a browser. Refuses to know: what it does.
//
// Argon2id runs in a second worker of the very same script, told by its name, so that libsodium is loaded once. Where a
// worker can start none, it runs here.

import { expose } from "comlink";

import { ARGON_HERE } from "../sdk/argon.js";
import { HttpTransport } from "../sdk/transport.js";
import { answerOnce, argonIn } from "./argon.js";
import { throwProblems } from "./problems.js";
import { vaultService } from "./service.js";

const SECOND = "2";

if (self.name === SECOND) answerOnce(self);
else {
  throwProblems();
  const nested = (): Worker => new Worker(self.location.href, { type: "module", name: SECOND });
  const argon = typeof Worker === "undefined" ? ARGON_HERE : argonIn(nested);
  const service = vaultService({ transport: new HttpTransport(self.location.origin), argon });
  self.addEventListener("online", () => void service.online());
  expose(service);
}
