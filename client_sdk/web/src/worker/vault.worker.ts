// The worker in which everything with a key runs. It is ended by `terminate()`: then no key is left.
// Knows: how the service is put together in a browser. Refuses to know: what it does.

import { expose } from "comlink";

import { argonIn } from "./argon.js";
import { throwProblems } from "./problems.js";
import { VaultService } from "./service.js";

throwProblems();
const service = new VaultService({
  origin: self.location.origin,
  argon: argonIn(() => new Worker(new URL("./argon.worker.ts", import.meta.url), { type: "module" })),
});
self.addEventListener("online", () => void service.online());
expose(service);
