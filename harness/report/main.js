// The frame around the views: navigation, keys, theme, and which view is shown.

const VIEW_OF = {
  "": overviewView,
  matrix: matrixView,
  case: caseView,
  subject: subjectView,
  spec: specView,
  compare: compareView,
  env: envView,
  about: aboutView,
};

const KEYS = [
  ["/", "filter"],
  ["g o", "overview"],
  ["g m", "matrix"],
  ["g s", "standard"],
  ["g c", "compare"],
  ["arrows", "move in the matrix"],
  ["Enter", "open a cell"],
  ["Esc", "close it, and go back to it"],
  ["n, p", "next and previous that somebody should look at"],
  ["?", "keys"],
];
const keyTable = () => table("Keys of the keyboard", ["key", "does"], KEYS.map(([key, does]) => [el("kbd", null, key), does]));

const app = document.getElementById("app");
const main = el("main", { id: "main" });
const bar = el("header.bar", null);
const keysDialog = el("dialog", { "aria-label": "Keys" });

function navigation(view) {
  const item = (name, words) => el("a", { href: writeRoute(name), "aria-current": view === name ? "page" : null }, words);
  return [
    el("a.skip", { href: "#main", onclick: (event) => (event.preventDefault(), main.querySelector("h1,h2")?.focus()) }, "Skip to the content"),
    el("a.brand", { href: "#/" }, "corscheck"),
    el("nav", { "aria-label": "Views" }, item("", "Overview"), item("matrix", "Matrix"), item("spec", "Standard"), report.base && item("compare", "Compare"), item("env", "Run"), item("about", "About")),
    el("button.keys", { type: "button", onclick: () => keysDialog.showModal() }, "Keys"),
    themeSwitch(),
  ];
}

// Light, dark, or as the system has it. The theme alone is stored: everything else is in the address.
const THEMES = ["system", "light", "dark"];
let theme = "system";
function themeSwitch() {
  return el("label.theme", null, el("span.sr", null, "Theme"), el("select", { onchange: (event) => setTheme(event.target.value) }, THEMES.map((name) => el("option", { value: name, selected: name === theme }, name))));
}
function setTheme(name) {
  theme = THEMES.includes(name) ? name : "system";
  if (theme === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
  try {
    localStorage.setItem("corscheck-theme", theme);
  } catch {
    // A file may have no storage: then the theme lasts as long as the page.
  }
}

let shown = null;
let drawing = 0;

async function draw() {
  const route = readRoute(location.hash);
  const mine = ++drawing;
  // The table stays where only the open cell changes.
  const { open, try: _, ...rest } = route.query;
  const sheet = JSON.stringify([route.view, route.path, rest]);
  if (shown === sheet && route.view === "matrix" && matrixState) return openPanel(route, mine);
  main.setAttribute("aria-busy", "true");
  let content;
  try {
    const view = VIEW_OF[route.view];
    content = view ? await view(route) : [el("h1", { tabindex: "-1" }, "There is no such view"), el("p", null, el("a", { href: "#/" }, "The overview"))];
  } catch (error) {
    content = [el("h1", { tabindex: "-1" }, "This cannot be shown"), el("p", null, String(error && error.message)), el("p", null, "The file may be damaged: make it again with ", code("corscheck report"), ".")];
  }
  if (mine !== drawing) return;
  const notice = route.unknown.filter((key) => key !== "open");
  main.replaceChildren(...flat([notice.length > 0 && el("p.notice", null, "This address says something that this page does not know: " + notice.join(", ")), content]));
  main.removeAttribute("aria-busy");
  app.className = main.querySelector(".many") ? "wideness" : "";
  bar.replaceChildren(...flat(navigation(route.view)));
  const first = shown === null;
  shown = sheet;
  const title = main.querySelector("h1,h2");
  document.title = (title ? title.textContent.trim() + " \u2013 " : "") + "corscheck";
  if (!first && !open) {
    scrollTo(0, 0);
    if (route.view !== "matrix" || !document.activeElement || document.activeElement === document.body) title?.focus({ preventScroll: true });
  }
  if (route.view === "matrix") await openPanel(route, mine);
  document.documentElement.setAttribute("data-drawn", String(mine));
}

// Where the focus was before a cell was opened.
let cameFrom = null;

async function openPanel(route, mine) {
  const panel = document.getElementById("panel");
  if (!panel) return;
  const split = panel.parentNode;
  const open = route.query.open;
  for (const cell of split.querySelectorAll(".cell[aria-current]")) cell.removeAttribute("aria-current");
  if (!open) {
    panel.hidden = true;
    panel.replaceChildren();
    split.classList.remove("opened");
    document.documentElement.setAttribute("data-drawn", String(mine));
    return;
  }
  const at = open.lastIndexOf(" in ");
  const number = report.byId.get(open.slice(0, at));
  const column = columnOf(open.slice(at + 4));
  const close = writeRoute("matrix", [], { ...route.query, open: undefined, try: undefined });
  const closer = el("a.close", { href: close }, "Close");
  let content;
  if (number === undefined || !column) content = unknownCase(open.slice(0, at < 0 ? undefined : at));
  else {
    content = await cellPanel(column, number, route, "h2");
    matrixState?.node?.reach?.(number);
  }
  if (mine !== drawing) return;
  const alone = number !== undefined && column && el("a", { href: cellRoute(column, number) }, "As a page of its own");
  panel.hidden = false;
  panel.replaceChildren(...flat([el("div.panelhead", null, closer, " ", alone), content]));
  split.classList.add("opened");
  panel.scrollTop = 0;
  const cell = cellOf(column, number);
  if (cell) {
    cell.setAttribute("aria-current", "true");
    focusable(cell);
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  panel.querySelector(".celltitle")?.focus({ preventScroll: true });
  document.documentElement.setAttribute("data-drawn", String(mine));
}

const cellOf = (column, number) => column && document.querySelector('.cell[data-cell="' + column.number + ":" + number + '"]');

// One cell of the matrix is a tab stop; arrows move it.
function roving(node) {
  if (!node.querySelector('.cell[tabindex="0"]')) node.querySelector(".cell")?.setAttribute("tabindex", "0");
}
function focusable(cell) {
  for (const other of document.querySelectorAll('.cell[tabindex="0"]')) other.setAttribute("tabindex", "-1");
  cell.setAttribute("tabindex", "0");
}
function focusCell(cell) {
  if (!cell) return;
  focusable(cell);
  cell.focus();
  cell.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function moveCell(cell, key) {
  const td = cell.parentNode;
  const row = td.parentNode;
  const index = [...row.children].indexOf(td);
  const cellAt = (line) => line?.children[index]?.querySelector(".cell");
  if (key === "ArrowRight") return nextIn(row, index, 1);
  if (key === "ArrowLeft") return nextIn(row, index, -1);
  const next = (line) => (key === "ArrowDown" ? line.nextElementSibling : line.previousElementSibling);
  for (let line = next(row); line; line = next(line)) if (!line.hidden && cellAt(line)) return cellAt(line);
  return null;
}
function nextIn(row, index, by) {
  for (let i = index + by; row.children[i]; i += by) if (row.children[i].querySelector(".cell")) return row.children[i].querySelector(".cell");
  return null;
}

// Next or previous cell that somebody should look at, among those that the filter leaves.
function jump(by) {
  const route = readRoute(location.hash);
  const chosen = matrixState && route.view === "matrix" ? matrixState.chosen : choose({ terms: [] }, null);
  const all = chosen.numbers.flatMap((n) => chosen.columns.filter((column) => isAttention(kindOf(column, n))).map((column) => [column, n]));
  if (!all.length) return;
  const here = currentCell(route);
  const at = here ? all.findIndex(([column, n]) => column === here[0] && n === here[1]) : -1;
  const [column, n] = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length];
  location.hash = route.view === "matrix" ? openRoute({ query: { ...route.query, try: "" } }, column, n) : cellRoute(column, n);
}
function currentCell(route) {
  const name = route.view === "matrix" ? (route.query.open || "").split(" in ") : route.view === "case" ? Object.values(readCase(route.path)) : [];
  const number = report.byId.get(name[0]);
  const column = name[1] && columnOf(name[1]);
  return number !== undefined && column ? [column, number] : null;
}

let waiting = null;
function onKey(event) {
  const target = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || keysDialog.open) return;
  if (target.matches?.("input, textarea, select")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (target.matches?.(".cell") && event.key.startsWith("Arrow")) {
    const next = moveCell(target, event.key);
    event.preventDefault();
    return focusCell(next);
  }
  if (waiting) {
    clearTimeout(waiting);
    waiting = null;
    const views = { o: "", m: "matrix", s: "spec", c: "compare", e: "env", a: "about" };
    if (event.key in views) {
      event.preventDefault();
      location.hash = writeRoute(views[event.key]);
      return;
    }
  }
  const done = {
    "/": async () => {
      if (!document.getElementById("q")) {
        location.hash = writeRoute("matrix");
        await new Promise((go) => setTimeout(go, 50));
      }
      document.getElementById("q")?.focus();
    },
    g: () => (waiting = setTimeout(() => (waiting = null), 1500)),
    n: () => jump(1),
    p: () => jump(-1),
    "?": () => keysDialog.showModal(),
    Escape: closePanel,
  }[event.key];
  if (!done) return;
  event.preventDefault();
  done();
}

function closePanel() {
  const route = readRoute(location.hash);
  if (route.view !== "matrix" || !route.query.open) return;
  const here = currentCell(route);
  location.hash = writeRoute("matrix", [], { ...route.query, open: undefined, try: undefined });
  if (here) setTimeout(() => focusCell(cellOf(...here)), 50);
}

// On paper: the table without its quiet rows, and behind it cells that somebody should look at, in full. These are made beforehand:
// a page cannot make the printer wait.
const MOST_PRINTED = 50;
async function printAll() {
  const cells = unexpectedCells(report.columns);
  const made = [];
  for (const [column, n] of cells.slice(0, MOST_PRINTED)) made.push(el("article.printed", null, await cellPanel(column, n, { view: "paper", path: [], query: { ...DEFAULTS } }, "h2")));
  if (cells.length > MOST_PRINTED) made.push(el("p", null, "And " + number(cells.length - MOST_PRINTED) + " more, which are not printed."));
  return made;
}
addEventListener("beforeprint", () => matrixState?.node?.finish?.());
const printed = el("div.print", { "aria-hidden": "true" });

async function start() {
  setThemeFromStorage();
  report = prepare(await block("index"));
  app.replaceChildren(bar, main, keysDialog, printed);
  keysDialog.append(el("h2", null, "Keys"), keyTable(), el("form", { method: "dialog" }, el("button", { type: "submit" }, "Close")));
  addEventListener("hashchange", draw);
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const cell = event.target.closest?.(".cell");
    if (cell) focusable(cell);
  });
  await draw();
  // When that was, by the clock of the page.
  document.documentElement.setAttribute("data-ready", String(Math.round(performance.now())));
  // What is printed is made beforehand: a page cannot make anything wait for it.
  if (unexpectedCells(report.columns).length) setTimeout(async () => printed.replaceChildren(...(await printAll())), 1000);
}

function setThemeFromStorage() {
  try {
    setTheme(localStorage.getItem("corscheck-theme") || "system");
  } catch {
    setTheme("system");
  }
}

start().catch((error) => {
  document.documentElement.setAttribute("data-failed", String(error && error.message));
  document.getElementById("still")?.prepend(el("p.notice", null, "The rest of this report cannot be shown here: " + (error && error.message)));
});
