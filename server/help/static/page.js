// Searches in what the page already holds, and prints. Nothing is sent and nothing is kept.
(function () {
  "use strict";
  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { print(); });
  });
  ["beforeprint", "afterprint"].forEach(function (moment) { // on paper, a text says where it comes from
    addEventListener(moment, function () {
      document.querySelectorAll(".sources").forEach(function (sources) { sources.open = moment === "beforeprint"; });
    });
  });

  var box = document.querySelector("[data-search]");
  if (!box) return;
  var input = box.querySelector("input"), status = box.querySelector("[role=status]");
  var found = Array.from(document.querySelectorAll("[data-find]"), function (element) {
    var group = element.closest("[data-group]"), heading = group ? group.querySelector("h2").textContent : "";
    return { element: element, text: fold([heading, element.textContent, element.dataset.words || ""].join(" ")) };
  });
  box.hidden = false;
  input.addEventListener("input", search);
  addEventListener("pagehide", function () { input.value = ""; search(); });

  function fold(text) {
    return text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/’/g, "'").replace(/(\d)\s+(?=\d)/g, "$1");
  }

  function search() {
    var typed = fold(input.value).trim(), words = typed.split(/\s+/), count = 0;
    found.forEach(function (each) {
      var fits = words.every(function (word) { return each.text.includes(word); });
      each.element.hidden = !fits;
      if (fits) count++;
    });
    document.querySelectorAll("[data-group]").forEach(function (group) {
      group.hidden = !group.querySelector("[data-find]:not([hidden])");
    });
    status.textContent = !typed ? "" : count ? status.dataset.found.replace("#", count) : status.dataset.none;
  }
})();
