// The way out, for the public pages and for the app: a tap on [data-exit], or Shift three times within five seconds.
// Knows: where to go (data-to), and whether this tab has left. Keeps nothing but that one flag, in this tab.
// Back and Forward meet an empty page that goes away again; whoever types the address anew comes in again.
(function () {
  "use strict";
  var to = document.currentScript.dataset.to, FLAG = "x", root = document.documentElement, presses = [], alone = false;

  function flag(change) {
    try {
      if (change === undefined) return sessionStorage.getItem(FLAG) !== null;
      return change ? sessionStorage.setItem(FLAG, "") : sessionStorage.removeItem(FLAG);
    } catch (refused) { return false; }
  }

  function leave() {
    dispatchEvent(new Event("leaving")); // keys leave memory first, where there are any
    root.hidden = true;
    if (document.body) document.body.replaceChildren();
    flag(true);
    location.replace(to);
  }

  var visit = performance.getEntriesByType("navigation")[0];
  if (visit && visit.type === "navigate") flag(false);
  if (flag()) { stop(); leave(); }

  // No page is kept whole for Back: in Firefox a kept page never learns of the flag. A held lock prevents it, unseen;
  // where there is none (an old browser, or cookies are forbidden), whoever listens to "unload" isn't kept either.
  function never() { return new Promise(function () {}); }
  function unkept() { addEventListener("unload", function () {}); }
  if (navigator.locks) navigator.locks.request(FLAG, { mode: "shared" }, never).catch(unkept);
  else unkept();

  addEventListener("pageshow", function () { if (flag()) leave(); else root.hidden = false; });
  addEventListener("pagehide", function () { root.hidden = true; }); // a page kept for Back is kept blank

  addEventListener("click", function (event) {
    if (event.target.closest && event.target.closest("[data-exit]")) { event.preventDefault(); leave(); }
  }, true);

  addEventListener("keydown", function (event) {
    alone = event.key === "Shift";
    if (!alone) presses = [];
  }, true);
  addEventListener("keyup", function (event) {
    if (event.key !== "Shift" || !alone) return;
    presses = presses.filter(function (time) { return event.timeStamp - time < 5000; });
    presses.push(event.timeStamp);
    if (presses.length === 3) leave();
  }, true);
})();
