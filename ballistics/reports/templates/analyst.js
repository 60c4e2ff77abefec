"use strict";
// Graph, map and timeline follow each other: what is chosen in one shows its neighbours in all three.
{
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const split = (text) => (text ? text.split("\n") : []);
  const links = all("[data-ends]").map((node) => ({ node, ends: split(node.dataset.ends), kind: node.dataset.class }));
  const things = all("[data-ids]").map((node) => ({ node, ids: split(node.dataset.ids) }));
  const boxes = all("input[data-class]");
  const about = document.getElementById("about");
  let chosen = [];
  const shownKinds = () => new Set(boxes.filter((box) => box.checked).map((box) => box.dataset.class));
  const show = () => {
    const kinds = shownKinds();
    const near = new Set(chosen);
    for (const link of links) {
      link.node.style.display = kinds.has(link.kind) ? "" : "none";
      if (kinds.has(link.kind) && link.ends.some((end) => chosen.includes(end))) link.ends.forEach((end) => near.add(end));
    }
    const any = chosen.length > 0;
    for (const link of links) link.node.classList.toggle("dimmed", any && !link.ends.some((end) => chosen.includes(end)));
    for (const thing of things) {
      thing.node.classList.toggle("dimmed", any && !thing.ids.some((id) => near.has(id)));
      thing.node.classList.toggle("chosen", thing.ids.some((id) => chosen.includes(id)));
    }
    const first = any ? things.find((thing) => thing.ids.some((id) => chosen.includes(id))) : null;
    about.textContent = first ? first.node.querySelector("title").textContent : "";
  };
  const choose = (ids) => {
    chosen = ids.length === chosen.length && ids.every((id) => chosen.includes(id)) ? [] : ids;
    show();
  };
  for (const thing of things) {
    thing.node.addEventListener("click", () => choose(thing.ids));
    thing.node.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(thing.ids); }
    });
  }
  for (const box of boxes) box.addEventListener("change", show);
}
