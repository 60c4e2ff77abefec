"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  // --- excluded areas ---
  const causes = byId("causes");
  if (causes) {
    causes.addEventListener("change", () => byId("before").classList.toggle("hide-causes", !causes.checked));
  }

  // --- comparison microscope: seam, zoom, linked cursors ---
  const microscope = byId("microscope");
  if (microscope) {
    const views = all(".linked", microscope);
    const box = views[0].viewBox.baseVal;
    const whole = { x: box.x, y: box.y, w: box.width, h: box.height };
    let shown = { ...whole };
    let seamAt = 50;

    const place = (percent) => {
      seamAt = Math.min(100, Math.max(0, percent));
      const x = shown.x + (shown.w * seamAt) / 100;
      const left = byId("left-of-seam").firstElementChild;
      const right = byId("right-of-seam").firstElementChild;
      left.setAttribute("x", shown.x);
      left.setAttribute("width", Math.max(0, x - shown.x));
      right.setAttribute("x", x);
      right.setAttribute("width", Math.max(0, shown.x + shown.w - x));
      for (const rect of [left, right]) {
        rect.setAttribute("y", shown.y);
        rect.setAttribute("height", shown.h);
      }
      const seam = byId("seam");
      seam.style.left = seamAt + "%";
      const whole_percent = Math.round(seamAt);
      seam.setAttribute("aria-valuenow", whole_percent);
      seam.setAttribute("aria-valuetext", "A on the left " + whole_percent + " percent, B on the right");
    };

    const seam = byId("seam");
    const split = byId("split");
    seam.addEventListener("pointerdown", (event) => {
      seam.setPointerCapture(event.pointerId);
      seam.focus({ preventScroll: true });
      event.preventDefault();
    });
    seam.addEventListener("pointermove", (event) => {
      if (!seam.hasPointerCapture(event.pointerId)) return;
      const edge = split.getBoundingClientRect();
      place((100 * (event.clientX - edge.left)) / edge.width);
    });
    seam.addEventListener("keydown", (event) => {
      const far = event.shiftKey ? 10 : 1;
      const to = {
        ArrowLeft: seamAt - far, ArrowDown: seamAt - far, ArrowRight: seamAt + far, ArrowUp: seamAt + far,
        PageDown: seamAt - 10, PageUp: seamAt + 10, Home: 0, End: 100,
      }[event.key];
      if (to === undefined) return;
      place(to);
      event.preventDefault();
    });

    const rescale = (view) => {
      const length = [1000, 500, 200, 100, 50, 20].find((um) => um < shown.w / 3.4) || 10;
      const x = shown.x + 0.035 * shown.w;
      const y = shown.y + shown.h - 0.035 * shown.w;
      const [under, line] = all(".scale line", view);
      const text = view.querySelector(".scale text");
      const set = (node, values) => Object.entries(values).forEach(([name, value]) => node.setAttribute(name, value));
      set(under, { x1: x - 0.004 * shown.w, x2: x + length + 0.004 * shown.w, y1: y, y2: y, "stroke-width": 0.02 * shown.w });
      set(line, { x1: x, x2: x + length, y1: y, y2: y, "stroke-width": 0.01 * shown.w });
      set(text, { x, y: y - 0.02 * shown.w, "font-size": 0.033 * shown.w, "stroke-width": 0.01 * shown.w });
      text.textContent = length / 1000 + " mm";
    };
    const show = (x, y, w) => {
      shown.w = Math.min(whole.w, Math.max(whole.w / 16, w));
      shown.h = (shown.w * whole.h) / whole.w;
      shown.x = Math.min(whole.x + whole.w - shown.w, Math.max(whole.x, x));
      shown.y = Math.min(whole.y + whole.h - shown.h, Math.max(whole.y, y));
      for (const view of views) {
        view.setAttribute("viewBox", [shown.x, shown.y, shown.w, shown.h].join(" "));
        rescale(view);
      }
      microscope.classList.toggle("zoomed", shown.w < whole.w);
      place(seamAt);
    };
    const zoom = (factor) => {
      const w = shown.w / factor;
      show(shown.x + (shown.w - w) / 2, shown.y + (shown.h - (w * whole.h) / whole.w) / 2, w);
    };
    byId("zoom-in").addEventListener("click", () => zoom(1.6));
    byId("zoom-out").addEventListener("click", () => zoom(1 / 1.6));
    byId("zoom-reset").addEventListener("click", () => show(whole.x, whole.y, whole.w));

    const theta = (Number(microscope.dataset.theta) * Math.PI) / 180;
    const dx = Number(microscope.dataset.dx);
    const dy = Number(microscope.dataset.dy);
    const mm = (um) => (um / 1000).toFixed(3).replace("-", "−");
    const idle = byId("readout").textContent;
    const point = (view, event) => {
      const edge = view.getBoundingClientRect();
      return [
        shown.x + (shown.w * (event.clientX - edge.left)) / edge.width,
        shown.y + (shown.h * (event.clientY - edge.top)) / edge.height,
      ];
    };
    let dragged = null;
    for (const view of views) {
      view.addEventListener("pointerdown", (event) => {
        if (shown.w >= whole.w) return;
        dragged = { x: event.clientX, y: event.clientY, left: shown.x, top: shown.y };
        view.setPointerCapture(event.pointerId);
      });
      view.addEventListener("pointerup", () => { dragged = null; });
      view.addEventListener("pointercancel", () => { dragged = null; });
      view.addEventListener("pointermove", (event) => {
        if (dragged) {
          const scale = shown.w / view.getBoundingClientRect().width;
          show(dragged.left - (event.clientX - dragged.x) * scale, dragged.top - (event.clientY - dragged.y) * scale, shown.w);
        }
        const [x, y] = point(view, event);
        for (const other of views) {
          const cross = other.querySelector(".cross");
          cross.setAttribute("transform", "translate(" + x.toFixed(1) + " " + y.toFixed(1) + ")");
          cross.setAttribute("visibility", "visible");
        }
        const bx = (x - dx) * Math.cos(theta) - (y - dy) * Math.sin(theta);
        const by = (y - dy) * Math.cos(theta) + (x - dx) * Math.sin(theta);
        byId("readout").textContent =
          "A: x " + mm(x) + " mm, y " + mm(y) + " mm · B: x " + mm(bx) + " mm, y " + mm(by) +
          " mm (from the centre of each mark, right and down)";
      });
      view.addEventListener("pointerleave", () => {
        for (const other of views) other.querySelector(".cross").setAttribute("visibility", "hidden");
        byId("readout").textContent = idle;
      });
    }
    for (const radio of all("input[name=rendering]", microscope)) {
      radio.addEventListener("change", () => { microscope.dataset.rendering = radio.value; });
    }
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
