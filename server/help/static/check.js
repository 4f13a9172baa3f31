// Weighs the ticks, here and nowhere else: nothing is sent, nothing is kept, and the page forgets when it is left.
// One grave tick, or many of any kind, bring the last result; no number of ticks brings a calmer one than fewer do.
(function () {
  "use strict";
  var form = document.querySelector("[data-check]"), shown = false;
  var results = Array.from(document.querySelectorAll("[data-result]"));

  function weigh(ticks, grave) {
    if (grave > 0 || ticks >= Number(form.dataset.many)) return 2;
    return ticks >= Number(form.dataset.some) ? 1 : 0;
  }

  function show() {
    var level = weigh(form.querySelectorAll(":checked").length, form.querySelectorAll("[data-grave]:checked").length);
    results.forEach(function (result) { result.hidden = !shown || Number(result.dataset.result) !== level; });
    return results[level];
  }

  function forget() { form.reset(); shown = false; show(); }

  document.querySelectorAll("[data-with-script]").forEach(function (part) { part.hidden = false; });
  document.querySelector("[data-paper]").hidden = true;
  document.querySelectorAll(".grave").forEach(function (mark) { mark.hidden = true; });
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    shown = true;
    show().querySelector("h2").focus();
  });
  form.addEventListener("change", show);
  form.addEventListener("reset", function () { shown = false; show(); });
  document.querySelector("[data-print]").addEventListener("click", function () { print(); });
  addEventListener("pagehide", forget);
  forget();
})();
