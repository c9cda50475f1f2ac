// What the tests look at in a report. Each check returns what is wrong, as a list of sentences.

const settled = async () => {
  const root = document.documentElement;
  for (let i = 0; i < 600; i++) {
    if (root.hasAttribute("data-failed")) throw new Error("the report failed: " + root.getAttribute("data-failed"));
    const main = document.getElementById("main");
    if (root.hasAttribute("data-ready") && main && !main.hasAttribute("aria-busy")) return;
    await new Promise((go) => setTimeout(go, 20));
  }
  throw new Error("the report is never ready");
};

const go = async (hash) => {
  const before = document.documentElement.getAttribute("data-drawn");
  if (location.hash === hash) return settled();
  location.hash = hash;
  for (let i = 0; i < 300 && document.documentElement.getAttribute("data-drawn") === before; i++) await new Promise((go) => setTimeout(go, 10));
  await settled();
};

const shownText = () => document.getElementById("main").textContent;

const isVisible = (node) => {
  const box = node.getBoundingClientRect();
  const style = getComputedStyle(node);
  return box.width > 1 && box.height > 1 && style.visibility !== "hidden" && style.display !== "none";
};

function nameOf(node) {
  const label = node.getAttribute("aria-label") || (node.labels && [...node.labels].map((l) => l.textContent).join(" "));
  return (label || node.textContent || "").trim();
}

const describe = (node) => node.tagName.toLowerCase() + (node.className ? "." + node.className : "") + " \u201c" + node.textContent.trim().slice(0, 40) + "\u201d";

// Names, roles and order.
function structure() {
  const wrong = [];
  for (const node of document.querySelectorAll("a[href], button, input, select, summary")) {
    if (!nameOf(node)) wrong.push("no name: " + describe(node));
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.querySelector("caption")) wrong.push("a table without a caption: " + describe(table));
    for (const th of table.querySelectorAll("th")) if (!th.hasAttribute("scope")) wrong.push("a head without scope: " + describe(th));
  }
  for (const node of document.querySelectorAll("[aria-labelledby], [aria-describedby]")) {
    const id = node.getAttribute("aria-labelledby") || node.getAttribute("aria-describedby");
    if (!document.getElementById(id)) wrong.push("refers to nothing: " + id);
  }
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) wrong.push("an id twice: " + id);
  let last = 0;
  const headings = [...document.querySelectorAll("main h1, main h2, main h3")].filter((node) => !node.closest("dialog, .print"));
  for (const heading of headings) {
    const level = Number(heading.tagName[1]);
    if (level > last + 1) wrong.push("a heading skips a level: " + describe(heading));
    last = level;
  }
  if (document.querySelectorAll("main h1").length !== 1) wrong.push(document.querySelectorAll("main h1").length + " headings of the first level");
  if (document.querySelectorAll("main").length !== 1) wrong.push("not one main");
  if (!document.documentElement.lang) wrong.push("no language");
  for (const node of document.querySelectorAll("[tabindex]")) if (node.tabIndex > 0) wrong.push("an order of its own: " + describe(node));
  const stops = document.querySelectorAll('.cell[tabindex="0"]').length;
  if (document.querySelector(".cell") && stops !== 1) wrong.push(stops + " tab stops in the matrix");
  for (const node of document.querySelectorAll("button, select, .cell, .facet, .bar nav a")) {
    const box = node.getBoundingClientRect();
    if (isVisible(node) && (box.width < 24 || box.height < 24)) wrong.push("smaller than 24 pixels: " + describe(node) + " " + Math.round(box.width) + "x" + Math.round(box.height));
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) wrong.push("wider than the window: " + document.documentElement.scrollWidth + " of " + innerWidth);
  return wrong;
}

// Contrast of every visible text with what is behind it (WCAG 2.2, 1.4.3).
function contrast() {
  const wrong = new Set();
  const parse = (text) => {
    const [r, g, b, a] = text.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a: a === undefined ? 1 : a };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m);
    return (x + 0.05) / (y + 0.05);
  };
  // Every colour that may be behind a node: a gradient has several.
  const behind = (node) => {
    const found = [];
    for (let at = node; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      for (const colour of style.backgroundImage.match(/rgba?\([^)]*\)/g) || []) if (parse(colour).a === 1) found.push(parse(colour).rgb);
      const own = parse(style.backgroundColor);
      if (own.a === 1) return [...found, own.rgb];
    }
    return [...found, [255, 255, 255]];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let count = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node || node.closest("script, style, .sr, option, .print, dialog:not([open])") || !isVisible(node)) continue;
    count++;
    const style = getComputedStyle(node);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (size < 15) wrong.add("smaller than 15 pixels: " + describe(node) + " " + size);
    for (const back of behind(node)) {
      const found = ratio(parse(style.color).rgb, back);
      if (found < least) wrong.add("contrast " + found.toFixed(2) + ": " + describe(node) + " " + style.color + " on " + back);
    }
  }
  if (!count) wrong.add("no text at all");
  return [...wrong];
}

// What must never be there, whatever data says.
function injected() {
  const wrong = [];
  if (globalThis.pwned !== undefined) wrong.push("a script of the data ran");
  for (const node of document.querySelectorAll("#app script, #app img, #app iframe, #app style, #app link, #app object, #app base, #app form[action], svg")) wrong.push("an element of the data: " + node.outerHTML.slice(0, 100));
  for (const node of document.querySelectorAll("*")) {
    for (const attribute of node.attributes) if (/^on/i.test(attribute.name) || attribute.name === "style") wrong.push("an attribute: " + attribute.name);
  }
  for (const link of document.querySelectorAll("a[href]")) if (!/^(https?:\/\/|#)/i.test(link.getAttribute("href"))) wrong.push("an address: " + link.getAttribute("href"));
  return wrong;
}

const requests = () => performance.getEntriesByType("resource").map((entry) => entry.name);

const press = (key, on) => (on || document.activeElement || document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const pause = (ms) => new Promise((go) => setTimeout(go, ms));
const focused = () => (document.activeElement && document.activeElement.dataset.cell) || null;

// The keys, one after another.
async function keys() {
  const wrong = [];
  const expect = (what, condition) => condition || wrong.push(what + " (at " + location.hash + ")");
  await go("#/");
  document.activeElement.blur();
  press("g");
  press("m");
  await pause(300);
  await settled();
  expect("g m leads to the matrix", location.hash.startsWith("#/matrix"));
  press("/");
  await pause(100);
  expect("/ leads to the filter", document.activeElement.id === "q");
  press("n");
  await pause(100);
  expect("letters are off in inputs", !location.hash.includes("open="));
  press("Escape");
  expect("Esc leaves the filter", document.activeElement.id !== "q");
  const first = document.querySelector('.cell[tabindex="0"]');
  first.focus();
  const at = focused();
  press("ArrowDown");
  expect("arrow down moves", focused() !== null && focused() !== at);
  press("ArrowUp");
  expect("arrow up moves back", focused() === at);
  press("ArrowRight");
  press("ArrowLeft");
  expect("right and left move back", focused() === at);
  document.activeElement.click();
  await pause(400);
  await settled();
  const panel = document.getElementById("panel");
  expect("Enter opens the cell", location.hash.includes("open=") && !panel.hidden && panel.contains(document.activeElement));
  press("Escape");
  await pause(400);
  expect("Esc closes it and goes back to the cell", !location.hash.includes("open=") && panel.hidden && focused() === at);
  press("n");
  await pause(400);
  await settled();
  const second = location.hash;
  expect("n leads to what needs attention", second.includes("open="));
  press("n");
  await pause(400);
  expect("n goes on", location.hash !== second);
  press("p");
  await pause(400);
  expect("p goes back", location.hash === second);
  press("?");
  expect("? shows the keys", document.querySelector("dialog").open);
  document.querySelector("dialog").close();
  press("m", document.body);
  expect("a letter by itself does nothing", location.hash === second);
  return wrong;
}

// What a filter leaves: the sentence about it, and the ids of the cases.
async function filtered(filter) {
  await go("#/matrix?q=" + encodeURIComponent(filter).replace(/%20/g, "+"));
  for (let i = 0; i < 100; i++) {
    const all = [...document.querySelectorAll(".more button")].find((button) => button.textContent === "Show all");
    if (!all) break;
    all.click();
  }
  const cases = new Set();
  for (const row of document.querySelectorAll(".matrix tbody tr[data-case]")) {
    if (!row.querySelector(".fold")) cases.add(row.querySelector(".cell")?.getAttribute("href"));
  }
  const ids = [...cases].filter(Boolean).map((href) => new URLSearchParams(href.split("?")[1]).get("open").split(" in ")[0]);
  return { said: document.getElementById("said").textContent, ids: [...new Set(ids)].sort() };
}

// What stands below a node, as an indented outline: elements with what they say to those who cannot see them, and text.
function outline(node = document.body, depth = 0) {
  const lines = [];
  const kept = ["class", "role", "href", "scope", "for", "type", "open", "hidden", "tabindex"];
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) {
      const text = child.textContent.replace(/\s+/g, " ").trim();
      if (text) lines.push("  ".repeat(depth) + JSON.stringify(text));
    } else if (child.nodeType === Node.ELEMENT_NODE && !["SCRIPT", "STYLE"].includes(child.tagName)) {
      const told = [...child.attributes].filter((a) => kept.includes(a.name) || a.name.startsWith("aria-"));
      const attributes = told.map((a) => ` ${a.name}=${JSON.stringify(a.value)}`).sort().join("");
      lines.push("  ".repeat(depth) + child.tagName.toLowerCase() + attributes);
      lines.push(...outline(child, depth + 1));
    }
  }
  return lines;
}
