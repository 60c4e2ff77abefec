"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  // --- excluded areas ---
  const causes = byId("causes");
  if (causes) {
    causes.addEventListener("change", () => byId("before").classList.toggle("hide-causes", !causes.checked));
  }

  // --- cell maps: rule, direction, linked cells ---
  const maps = byId("maps");
  if (maps) {
    const rule = byId("rule");
    const direction = byId("direction");
    let kept = null;
    const light = (name) => {
      maps.classList.toggle("quiet", name !== null);
      for (const cell of all(".cell", maps)) cell.classList.toggle("lit", name !== null && cell.dataset.cell === name);
    };
    const choose = () => {
      for (const map of all(".cellmap", maps)) {
        const same = map.dataset.rule === rule.value;
        map.classList.toggle("same-rule", same);
        map.classList.toggle("shown", same && map.dataset.direction === direction.value);
      }
    };
    rule.addEventListener("change", choose);
    direction.addEventListener("change", () => { kept = null; light(null); choose(); });
    choose(); // the browser may have kept another choice from an earlier visit
    const named = (event) => {
      const cell = event.target.closest(".cell");
      return cell && maps.contains(cell) ? cell.dataset.cell : null;
    };
    maps.addEventListener("pointerover", (event) => { if (kept === null) light(named(event)); });
    maps.addEventListener("pointerleave", () => { if (kept === null) light(null); });
    maps.addEventListener("click", (event) => {
      const name = named(event);
      kept = name === kept ? null : name;
      light(kept === null ? name : kept);
    });
  }

  // --- cell tables: sort by a column ---
  for (const table of all("table.cells")) {
    all("thead th", table).forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      heading.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = heading.getAttribute("aria-sort") === "descending" || column === 0;
        all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", up ? "ascending" : "descending");
        const key = (row) => Number(row.children[column].dataset.sort);
        const body = table.tBodies[0];
        body.append(...Array.from(body.rows).sort((a, b) => (up ? key(a) - key(b) : key(b) - key(a))));
      });
    });
  }
})();
