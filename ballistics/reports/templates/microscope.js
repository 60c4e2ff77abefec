"use strict";
// The comparison microscope: a seam to drag and turn, a light to choose, zoom, linked cursors, a picture to save;
// for striated marks B moves along A, and the charts below follow.
for (const root of document.querySelectorAll(".microscope")) {
  const all = (selector) => Array.from(root.querySelectorAll(selector));
  const first = (selector) => root.querySelector(selector);
  const id = root.dataset.id;
  const stored = (name) => document.getElementById(id + "-" + name);
  const views = all(".linked");
  const charts = all("svg.along");
  const split = first(".split"); // none for signatures that came without scans
  if (!split && !charts.length) continue;
  const box = (views[0] || charts[0]).viewBox.baseVal;
  const whole = { x: box.x, y: box.y, w: box.width, h: box.height };
  let shown = { ...whole };
  const set = (node, values) => { for (const [name, value] of Object.entries(values)) node.setAttribute(name, value); };
  const minus = (text) => text.replace("-", "−");
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  // --- the seam: a point of it in percent of the view, and its turn ---
  const grip = first(".grip");
  const turner = first(".turn");
  const seam = { x: Number(root.dataset.seamX), y: Number(root.dataset.seamY), turn: Number(root.dataset.seamTurn) };
  const level = () => Math.abs(Math.sin((seam.turn * Math.PI) / 180)) > Math.SQRT1_2;
  const halves = (view) => {
    const turn = (seam.turn * Math.PI) / 180;
    const far = 2 * (whole.w + whole.h);
    const x = view.x + (view.w * seam.x) / 100;
    const y = view.y + (view.h * seam.y) / 100;
    const along = [-Math.sin(turn) * far, Math.cos(turn) * far];
    const to_b = [Math.cos(turn) * far, Math.sin(turn) * far];
    const ends = [[x - along[0], y - along[1]], [x + along[0], y + along[1]]];
    return [-1, 1].map((sign) =>
      ends.concat([ends[1], ends[0]].map(([u, v]) => [u + sign * to_b[0], v + sign * to_b[1]])));
  };
  const place = () => {
    if (!split) return;
    seam.x = clamp(seam.x, 0, 100);
    seam.y = clamp(seam.y, 0, 100);
    seam.turn = ((seam.turn % 360) + 360) % 360;
    halves(shown).forEach((corners, k) => {
      first(k ? ".half-b" : ".half-a").setAttribute("points", corners.map(([u, v]) => u.toFixed(1) + "," + v.toFixed(1)).join(" "));
    });
    const node = first(".seam");
    node.style.left = seam.x + "%";
    node.style.top = seam.y + "%";
    node.style.transform = "rotate(" + seam.turn + "deg)";
    const at = Math.round(level() ? seam.y : seam.x);
    grip.setAttribute("aria-valuenow", at);
    grip.setAttribute("aria-valuetext", "at " + at + " percent of the " + (level() ? "height" : "width"));
    turner.setAttribute("aria-valuenow", Math.round(seam.turn));
    const sides = [["left", "above", "right", "below"], ["right", "below", "left", "above"]];
    const quarter = Math.floor(((seam.turn + 45) % 360) / 90);
    all(".tag").forEach((tag, k) => { tag.dataset.side = sides[k][quarter]; });
  };
  const captured = (node, move) => {
    if (!node) return;
    node.addEventListener("pointerdown", (event) => {
      node.setPointerCapture(event.pointerId);
      node.focus({ preventScroll: true });
      event.preventDefault();
      event.stopPropagation();
    });
    node.addEventListener("pointermove", (event) => {
      if (!node.hasPointerCapture(event.pointerId)) return;
      move(event, split.getBoundingClientRect());
      place();
    });
  };
  captured(grip, (event, edge) => {
    seam.x = (100 * (event.clientX - edge.left)) / edge.width;
    seam.y = (100 * (event.clientY - edge.top)) / edge.height;
  });
  captured(turner, (event, edge) => {
    const x = event.clientX - edge.left - (edge.width * seam.x) / 100;
    const y = event.clientY - edge.top - (edge.height * seam.y) / 100;
    const turn = (Math.atan2(y, x) * 180) / Math.PI - 90;
    const right = Math.round(turn / 90) * 90;
    seam.turn = Math.abs(turn - right) < 4 ? right : turn;
  });
  const keys = (node, act) => node && node.addEventListener("keydown", (event) => {
    if (!act(event.key, event.shiftKey ? 10 : 1)) return;
    place();
    event.preventDefault();
  });
  keys(grip, (key, far) => {
    const main = level() ? "y" : "x";
    if (key === "ArrowLeft") seam.x -= far;
    else if (key === "ArrowRight") seam.x += far;
    else if (key === "ArrowUp") seam.y -= far;
    else if (key === "ArrowDown") seam.y += far;
    else if (key === "PageUp") seam[main] -= 10;
    else if (key === "PageDown") seam[main] += 10;
    else if (key === "Home") seam[main] = 0;
    else if (key === "End") seam[main] = 100;
    else return false;
    return true;
  });
  keys(turner, (key, far) => {
    if (key === "ArrowLeft" || key === "ArrowUp") seam.turn -= far;
    else if (key === "ArrowRight" || key === "ArrowDown") seam.turn += far;
    else return false;
    return true;
  });

  // --- zoom and pan, in the pictures and along the charts ---
  // In a wide picture numbers and lines are no larger than in a square one, in a small one not too small to read.
  const bar = (view, pixels) => {
    const size = Math.max(Math.min(view.w, 1.6 * view.h), pixels > 0 ? ((11 / 0.033) * view.w) / pixels : 0);
    const length = [1000, 500, 200, 100, 50, 20].find((um) => um < view.w / 3.4) || 10;
    return { size, length, x: view.x + 0.035 * size, y: view.y + view.h - 0.035 * size };
  };
  const rescale = (node) => {
    const { size, length, x, y } = bar(shown, node.getBoundingClientRect().width);
    const [under, line] = Array.from(node.querySelectorAll(".scale line"));
    const text = node.querySelector(".scale text");
    set(under, { x1: x - 0.004 * size, x2: x + length + 0.004 * size, y1: y, y2: y, "stroke-width": 0.02 * size });
    set(line, { x1: x, x2: x + length, y1: y, y2: y, "stroke-width": 0.01 * size });
    set(text, { x, y: y - 0.02 * size, "font-size": 0.033 * size, "stroke-width": 0.01 * size });
    text.textContent = length / 1000 + " mm";
  };
  const ticks = (chart) => {
    const row = chart.closest(".chart").querySelector(".ticks-x");
    if (!row) return;
    const step = [50, 100, 200, 500, 1000].find((um) => um > shown.w / 12) || 2000;
    row.replaceChildren();
    for (let um = Math.ceil((shown.x + 0.02 * shown.w) / step) * step; um < shown.x + 0.98 * shown.w; um += step) {
      const label = document.createElement("span");
      label.style.left = (100 * (um - shown.x)) / shown.w + "%";
      label.textContent = minus(String(um / 1000));
      row.append(label);
    }
  };
  const show = (x, y, w) => {
    shown.w = clamp(w, whole.w / 16, whole.w);
    shown.h = (shown.w * whole.h) / whole.w;
    shown.x = clamp(x, whole.x, whole.x + whole.w - shown.w);
    shown.y = clamp(y, whole.y, whole.y + whole.h - shown.h);
    for (const view of views) {
      view.setAttribute("viewBox", [shown.x, shown.y, shown.w, shown.h].join(" "));
      rescale(view);
    }
    for (const chart of charts) {
      const own = chart.viewBox.baseVal;
      chart.setAttribute("viewBox", [shown.x, own.y, shown.w, own.height].join(" "));
      ticks(chart);
    }
    root.classList.toggle("zoomed", shown.w < whole.w);
    place();
  };
  const zoom = (factor) => {
    const w = shown.w / factor;
    show(shown.x + (shown.w - w) / 2, shown.y + (shown.h - (w * whole.h) / whole.w) / 2, w);
  };
  const clicked = (selector, act) => { if (first(selector)) first(selector).addEventListener("click", act); };
  clicked(".zoom-in", () => zoom(1.6));
  clicked(".zoom-out", () => zoom(1 / 1.6));
  clicked(".zoom-reset", () => show(whole.x, whole.y, whole.w));

  // --- B moved along A: correlation and difference are computed anew ---
  const signatures = first(".signatures");
  const movable = Boolean(signatures);
  const heights = (text) => (text || "").split(" ").map((word) => (word === "x" ? NaN : Number(word) / 1000));
  const [of_a, of_b] = movable ? [heights(signatures.dataset.a), heights(signatures.dataset.b)] : [[], []];
  const spacing = movable ? Number(signatures.dataset.spacing) : 1;
  const start = movable ? Number(signatures.dataset.first) : 0;
  const lag = movable ? Number(signatures.dataset.lag) : 0;
  let moved = 0; // in points
  const pairs = (visit) => of_a.forEach((a, i) => {
    const b = of_b[i - moved];
    if (!Number.isNaN(a) && b !== undefined && !Number.isNaN(b)) visit(a, b, i);
  });
  const correlation = () => {
    let n = 0, sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
    pairs((a, b) => { n += 1; sa += a; sb += b; aa += a * a; bb += b * b; ab += a * b; });
    const varied = (aa - (sa * sa) / n) * (bb - (sb * sb) / n);
    return { n, r: n > 2 && varied > 0 ? (ab - (sa * sb) / n) / Math.sqrt(varied) : NaN };
  };
  const move = (points) => {
    moved = clamp(Math.round(points), -of_a.length, of_a.length);
    const um = moved * spacing;
    for (const node of all(".b-moved")) node.setAttribute("transform", "translate(" + um + " 0)");
    root.classList.toggle("moved", moved !== 0);
    first(".move").value = um;
    const { n, r } = correlation();
    first(".moved-by").textContent =
      (moved ? minus(um.toFixed(0)) + " µm off the aligned phase" : "aligned phase") + ": lag " +
      minus((lag + um).toFixed(0)) + " µm, correlation " + (Number.isNaN(r) ? "–" : minus(r.toFixed(3))) +
      " over " + ((n * spacing) / 1000).toFixed(2) + " mm";
    let path = "", last = -2;
    pairs((a, b, i) => {
      path += (i === last + 1 ? " " : "M") + (start + i * spacing).toFixed(1) + " " + Math.round(-1000 * (a - b));
      last = i;
    });
    first(".difference-line").setAttribute("d", path || "M0 0");
    for (const node of all(".at-lag")) set(node, { x1: lag + um, x2: lag + um });
  };
  if (movable) {
    first(".move").addEventListener("input", (event) => move(Number(event.target.value) / spacing));
    first(".move-back").addEventListener("click", () => move(0));
    move(0);
  }

  // --- linked cursors, dragging ---
  const theta = (Number(root.dataset.theta) * Math.PI) / 180;
  const dx = Number(root.dataset.dx);
  const dy = Number(root.dataset.dy);
  const mm = (um) => minus((um / 1000).toFixed(3));
  const readout = first(".readout output");
  const idle = readout.textContent;
  const point = (view, event) => {
    const edge = view.getBoundingClientRect();
    return [
      shown.x + (shown.w * (event.clientX - edge.left)) / edge.width,
      shown.y + (shown.h * (event.clientY - edge.top)) / edge.height,
    ];
  };
  const point_at = (x, y) => {
    for (const other of views) set(other.querySelector(".cross"), { transform: "translate(" + x.toFixed(1) + " " + y.toFixed(1) + ")", visibility: "visible" });
    for (const chart of charts) set(chart.querySelector(".cursor"), { x1: x.toFixed(1), x2: x.toFixed(1), visibility: "visible" });
    if (movable) {
      const near = (values, by) => {
        const value = values[Math.round((x - start) / spacing) - by];
        return value === undefined || Number.isNaN(value) ? "none" : minus(value.toFixed(2)) + " µm";
      };
      readout.textContent = "A: " + mm(x) + " mm from its middle, height " + near(of_a, 0) + " · B: " +
        mm((x - lag - moved * spacing) / Number(signatures.dataset.stretch)) + " mm, height " + near(of_b, moved);
      return;
    }
    const bx = (x - dx) * Math.cos(theta) - (y - dy) * Math.sin(theta);
    const by = (y - dy) * Math.cos(theta) + (x - dx) * Math.sin(theta);
    readout.textContent = "A: x " + mm(x) + " mm, y " + mm(y) + " mm · B: x " + mm(bx) + " mm, y " + mm(by) +
      " mm (from the centre of each mark, right and down)";
  };
  const away = () => {
    for (const other of views) other.querySelector(".cross").setAttribute("visibility", "hidden");
    for (const chart of charts) chart.querySelector(".cursor").setAttribute("visibility", "hidden");
    readout.textContent = idle;
  };
  const on_b = (event) => {
    const edge = split.getBoundingClientRect();
    const x = event.clientX - edge.left - (edge.width * seam.x) / 100;
    const y = event.clientY - edge.top - (edge.height * seam.y) / 100;
    const turn = (seam.turn * Math.PI) / 180;
    return x * Math.cos(turn) + y * Math.sin(turn) > 0;
  };
  let dragged = null;
  for (const view of [...views, ...charts]) {
    view.addEventListener("pointerdown", (event) => {
      const moves = movable && (view.closest(".split") ? on_b(event) : Boolean(view.closest(".signatures")));
      if (!moves && shown.w >= whole.w) return;
      dragged = { x: event.clientX, y: event.clientY, left: shown.x, top: shown.y, moves, moved };
      view.setPointerCapture(event.pointerId);
    });
    for (const name of ["pointerup", "pointercancel"]) view.addEventListener(name, () => { dragged = null; });
    view.addEventListener("pointermove", (event) => {
      const scale = shown.w / view.getBoundingClientRect().width;
      if (dragged && dragged.moves) move(dragged.moved + ((event.clientX - dragged.x) * scale) / spacing);
      else if (dragged) show(dragged.left - (event.clientX - dragged.x) * scale, dragged.top - (event.clientY - dragged.y) * scale, shown.w);
      point_at(...point(view, event));
    });
    view.addEventListener("pointerleave", away);
  }
  for (const radio of all("input[type=radio]")) {
    radio.addEventListener("change", () => { root.dataset.rendering = radio.value; });
  }

  // --- light: each relief drawn anew from how far its surface leans to the right and down ---
  const pixels = async (node) => {
    const picture = new Image();
    picture.src = node.getAttribute("href");
    await picture.decode();
    const canvas = document.createElement("canvas");
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(picture, 0, 0);
    return pen.getImageData(0, 0, canvas.width, canvas.height);
  };
  let leaning = null;
  const light = async () => {
    const azimuth = Number(first(".light-from").value);
    const elevation = Number(first(".light-height").value);
    const words = ["the right", "the upper right", "above", "the upper left", "the left", "the lower left", "below", "the lower right"];
    first(".light-said").textContent = "from " + words[Math.round(azimuth / 45) % 8] + ", " + elevation + "° high";
    leaning = leaning || Promise.all(["a", "b"].map(async (letter) => [
      letter, await pixels(stored(letter + "-right")), await pixels(stored(letter + "-down")),
    ]));
    const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
    const [lx, ly, lz] = [Math.cos(a) * Math.cos(e), -Math.sin(a) * Math.cos(e), Math.sin(e)];
    for (const [letter, right, down] of await leaning) {
      const canvas = document.createElement("canvas");
      canvas.width = right.width;
      canvas.height = right.height;
      const pen = canvas.getContext("2d");
      const drawn = pen.createImageData(canvas.width, canvas.height);
      for (let k = 0; k < right.data.length; k += 4) {
        const p = right.data[k] / 127 - 1;
        const q = down.data[k] / 127 - 1;
        const shade = clamp(-p * lx - q * ly + Math.sqrt(Math.max(0, 1 - p * p - q * q)) * lz, 0, 1);
        drawn.data[k] = drawn.data[k + 1] = drawn.data[k + 2] = 12 + 226 * shade;
        drawn.data[k + 3] = right.data[k + 3];
      }
      pen.putImageData(drawn, 0, 0);
      stored(letter + "-relief").setAttribute("href", canvas.toDataURL());
    }
    root.dataset.lit = azimuth + " " + elevation;
  };
  for (const name of [".light-from", ".light-height"]) if (first(name)) first(name).addEventListener("input", light);

  // --- the view as a picture to keep, with names and scale ---
  const save = async () => {
    const width = 1800, foot = 110;
    const scale = width / shown.w;
    const height = Math.round(shown.h * scale);
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height + foot;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, width, height + foot);
    const corners = halves(shown);
    for (const [k, letter] of ["a", "b"].entries()) {
      const node = stored(letter + (root.dataset.rendering === "heights" ? "-heights" : "-relief"));
      const picture = new Image();
      picture.src = node.getAttribute("href");
      await picture.decode();
      const [x, y, w, h] = ["x", "y", "width", "height"].map((name) => Number(node.getAttribute(name)) * scale);
      pen.save();
      pen.beginPath();
      pen.rect(0, 0, width, height);
      pen.clip();
      pen.beginPath();
      corners[k].forEach(([u, v], i) => pen[i ? "lineTo" : "moveTo"]((u - shown.x) * scale, (v - shown.y) * scale));
      pen.clip();
      pen.drawImage(picture, x - shown.x * scale + (k ? moved * spacing * scale : 0), y - shown.y * scale, w, h);
      pen.restore();
    }
    const [from, to] = corners[0].slice(0, 2).map(([u, v]) => [(u - shown.x) * scale, (v - shown.y) * scale]);
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, width, height);
    pen.clip();
    pen.strokeStyle = "#f0a500";
    pen.lineWidth = 3;
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
    const { length, x, y } = bar(shown, width);
    const [bx, by] = [(x - shown.x) * scale, (y - shown.y) * scale];
    pen.fillStyle = "#fff";
    pen.fillRect(bx - 8, by - 60, length * scale + 16, 80);
    pen.fillStyle = "#000";
    pen.fillRect(bx, by - 4, length * scale, 12);
    pen.font = "36px sans-serif";
    pen.fillText(length / 1000 + " mm", bx, by - 18);
    pen.restore();
    pen.fillStyle = "#1b2430";
    pen.font = "30px sans-serif";
    const sides = all(".tag").map((tag) => tag.dataset.side);
    pen.fillText("A (" + sides[0] + "): " + root.dataset.nameA + "   B (" + sides[1] + "): " + root.dataset.nameB, 10, height + 42, width - 20);
    const lit = first(".light-said");
    const how = [root.dataset.rendering === "heights" ? "height colours" : lit ? "light " + lit.textContent : ""];
    if (movable) how.push(first(".moved-by").textContent);
    pen.fillText(how.filter(Boolean).join("; "), 10, height + 88, width - 20);
    const link = first(".saved");
    link.href = canvas.toDataURL("image/png");
    link.click();
  };
  clicked(".save-picture", save);

  // The browser may have kept other choices from an earlier visit.
  for (const control of all("input")) {
    if (control.type === "radio") control.checked = control.defaultChecked;
    else control.value = control.defaultValue;
  }
  const again = () => show(shown.x, shown.y, shown.w);
  again();
  const folded = root.closest("details");
  if (folded) folded.addEventListener("toggle", again);
}

// A link to something folded away opens it.
const unfold = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") target.open = true;
};
addEventListener("hashchange", unfold);
unfold();

// What is folded away is printed all the same.
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details:not([open])")) {
    folded.open = true;
    folded.dataset.unfolded = "";
  }
});
addEventListener("afterprint", () => {
  for (const folded of document.querySelectorAll("details[data-unfolded]")) {
    folded.open = false;
    delete folded.dataset.unfolded;
  }
});
