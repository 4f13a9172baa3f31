// Measures in a real browser, for `make bench-web`. Knows: what is asked of the worker. Refuses to know: the bars.

import MeasuringWorker from "./measuring.worker.ts?worker";
import type { Measured } from "./measuring.worker.js";

declare global {
  interface Window {
    measure(rounds: number): Promise<Measured>;
  }
}

window.measure = (rounds) => new Promise((resolve, reject) => {
  const worker = new MeasuringWorker();
  worker.onmessage = (event: MessageEvent<Measured>) => resolve(event.data);
  worker.onerror = () => reject(new Error("the worker failed"));
  worker.postMessage(rounds);
});
