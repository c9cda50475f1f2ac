// The page of `corscheck serve`: cases to run by hand in this browser.

const main = document.getElementById("main");
const ofWord = (word) => Object.keys(KINDS).find((kind) => KINDS[kind].word === word) || "n";

let cases = [];
const results = new Map();
let page = null;
let running = false;

const said = el("p.said", { role: "status", id: "said" }, "\u2026");
const list = el("div", { id: "list" });
const notes = el("ul.quiet", { id: "notes" });
const input = el("input", { id: "q", type: "search", autocomplete: "off", spellcheck: "false", placeholder: "area:preflight, an id, or words", oninput: () => show() });
const runButton = el("button", { id: "run", type: "button", onclick: () => run(input.value.trim()) }, "Run");
const stopButton = el("button", { id: "stop", type: "button", disabled: true, onclick: () => say({ stop: null }) }, "Stop");
const reportLink = el("a", { href: "/serve/report", target: "_blank", hidden: true, id: "report" }, "The report of everything that ran here");

const socket = new WebSocket("ws://" + location.host + "/serve/socket");
const say = (message) => socket.readyState === 1 && socket.send(JSON.stringify(message.stop === null ? "stop" : message));
socket.onmessage = (event) => {
  const message = JSON.parse(event.data);
  if (message.open) lead(message.open);
  else if (message.result) took(message.result);
  else if (message.started !== undefined) ((running = message.started), state(number(message.started) + " to run"));
  else if (message.note) notes.append(el("li", null, message.note));
  else if (message.error) end(message.error);
  else if (message.done) done(message.done);
};
socket.onclose = () => end("corscheck is gone: start it again, and load this page anew.");

// The window in which cases run. It is opened by a click, as browsers want it, and led on from there.
function run(filter) {
  if (!page || page.closed) page = open("/serve/blank", "corscheck-page", "popup,width=480,height=320");
  if (!page) return end("This browser did not open a window: allow pop-ups for this page.");
  results.clear();
  notes.replaceChildren();
  running = true;
  runButton.disabled = true;
  stopButton.disabled = false;
  say({ run: filter });
  show();
}

function lead(url) {
  if (!page || page.closed) page = open(url, "corscheck-page");
  if (!page) return say({ gone: "the window was closed, or its page cut the tie to this one, and the browser opens no other" });
  page.location.href = url;
}

function took(result) {
  results.set(result.id, result);
  state();
  const row = document.getElementById("case-" + result.id);
  if (row) row.replaceWith(rowOf(cases.find((entry) => entry.id === result.id)));
}

function state(words) {
  const counts = {};
  for (const { kind } of results.values()) counts[kind] = (counts[kind] || 0) + 1;
  const sum = Object.entries(counts).map(([word, n]) => number(n) + " " + KINDS[ofWord(word)].words).join(", ");
  said.textContent = words || (typeof running === "number" ? number(results.size) + " of " + number(running) + ": " : "") + sum;
}

function end(words) {
  running = false;
  runButton.disabled = false;
  stopButton.disabled = true;
  said.textContent = words;
}

function done({ results: count, of, ms, file }) {
  end("");
  state();
  show();
  said.textContent = plural(count, "result", "results") + " of " + number(of) + " in " + seconds(ms) + ": " + said.textContent + ". Written to " + file;
  reportLink.hidden = false;
  document.documentElement.setAttribute("data-done", String(count));
}

function rowOf(entry) {
  const result = results.get(entry.id);
  const kind = result && ofWord(result.kind);
  return el(
    "li",
    { id: "case-" + entry.id },
    el("button", { type: "button", "aria-label": "Run " + entry.id, onclick: () => run(entry.id) }, "Run"),
    " ",
    result && [chip(kind), " "],
    code(entry.id),
    " ",
    entry.title,
    el("span.quiet", null, " (" + entry.level + ")"),
    result &&
      el(
        "details",
        { open: kind !== "a" && results.size === 1 ? true : null },
        el("summary", null, visible(result.says)),
        el(
          "dl.facts",
          null,
          [
            ["expected", entry.expected.join("; ")],
            ["observed", (result.observed || []).join("; ") + "; on the wire: " + ((result.wire || []).join(", ") || "nothing")],
            ["parts at", kind === "a" ? null : result.short],
            ["known", result.known && outside(result.known, result.known)],
            ["why", entry.why],
            ["standard", outside(entry.spec, entry.spec)],
          ]
            .filter(([, value]) => value)
            .map(([name, value]) => [el("dt", null, name), el("dd", null, value)]),
        ),
      ),
  );
}

const MOST = 200;
function show() {
  const words = input.value.trim().toLowerCase();
  // What the server would choose is its to say; here the list follows the words as far as they stand in ids and titles.
  const plain = words.split(/\s+/).filter((word) => word && !word.includes(":") && !word.startsWith("!"));
  const areas = words.split(/\s+/).filter((word) => word.startsWith("area:")).map((word) => word.slice(5));
  const fits = cases.filter((entry) => plain.every((word) => (entry.id + " " + entry.title).toLowerCase().includes(word)) && (!areas.length || areas.includes(entry.id.split("/")[0])));
  // What ran stands first, the most urgent of it before all.
  const rank = (entry) => (results.has(entry.id) ? URGENCY.indexOf(ofWord(results.get(entry.id).kind)) : URGENCY.length);
  if (running === false && results.size) fits.sort((a, b) => rank(a) - rank(b));
  runButton.textContent = words ? "Run what this filter leaves" : "Run all " + number(cases.length);
  list.replaceChildren(el("ul.ids", null, fits.slice(0, MOST).map(rowOf), fits.length > MOST && el("li.quiet", null, "and " + number(fits.length - MOST) + " more: filter them")));
}

async function start() {
  cases = await (await fetch("/serve/cases")).json();
  const wanted = decodeURIComponent(location.pathname.replace(/^\/run\//, ""));
  if (wanted !== "/" && location.pathname.startsWith("/run/")) input.value = wanted;
  main.replaceChildren(
    el("h1", { tabindex: "-1" }, "corscheck, by hand"),
    el("p", null, "Cases run in a second window of this browser, which this page opens and leads; requests go to the machine of corscheck and nowhere else. Each result is judged like in any run and written to a file that ", code("corscheck report"), " merges."),
    el("div.filter", null, el("label", { for: "q" }, "Filter"), input, runButton, stopButton),
    said,
    notes,
    el("p", null, reportLink),
    list,
  );
  said.textContent = plural(cases.length, "case", "cases") + " to run";
  show();
  document.documentElement.setAttribute("data-ready", "");
}

start().catch((error) => main.replaceChildren(el("p.notice", null, "The cases could not be read: " + error.message)));
