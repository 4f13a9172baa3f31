// The page begins here. Knows: what has to stand before the first view. Refuses to know: what the views do.

import { startShell } from "./shell.js";
import { sweepPlayer } from "./views/documents/playing.js";
import { startWorker } from "./worker.js";

startShell(startWorker);
void sweepPlayer();

