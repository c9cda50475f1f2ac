// A subject, what changed, how it was run, and what all this means.

function subjectView(route) {
  const column = columnOf(route.path[0]);
  if (!column) return [el("h1", { tabindex: "-1" }, "There is no column " + (route.path[0] || "")), el("ul", null, report.columns.map((c) => el("li", null, el("a", { href: writeRoute("subject", [columnKey(c)]) }, c.name))))];
  const counts = tally([column]);
  const groups = new Map();
  for (let n = 0; n < report.cases.length; n++) {
    const kind = kindOf(column, n);
    if (!isAttention(kind) && kind !== "k") continue;
    const entry = report.cases[n];
    const name = (entry.reason || []).join(", ") || partOf(column, n) || KINDS[kind].words;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(n);
  }
  const rank = (numbers) => Math.min(...numbers.map((n) => URGENCY.indexOf(kindOf(column, n))));
  const sorted = [...groups].sort(([, a], [, b]) => rank(a) - rank(b) || b.length - a.length);
  return [
    el("h1", { tabindex: "-1" }, column.name),
    facts([["asked", column.subject], ["driver", column.driver], ["defects", column.defects.join(", ")], ["results", number(counts.total)]]),
    el("p", null, [...URGENCY].filter((kind) => counts.of(kind) > 0).map((kind) => [el("a", { href: matrixRoute("browser:" + column.browser + " kind:" + KINDS[kind].word) }, chip(kind, number(counts.of(kind)) + " " + KINDS[kind].words)), " "])),
    sorted.length > 0 ? el("h2", null, "What does not agree, by reason") : el("p", null, "Nothing disagrees."),
    sorted.map(([name, numbers]) =>
      el("details.section", { open: rank(numbers) < 6 ? true : null }, el("summary", null, name + ": " + plural(numbers.length, "case", "cases"), " ", chip([...URGENCY][rank(numbers)])), el("ul.ids", null, numbers.map((n) => el("li", null, el("a", { href: cellRoute(column, n) }, code(report.cases[n].id)), " ", chip(kindOf(column, n)), " ", report.cases[n].title, el("div.quiet", null, wordsOf(column, n), column.cells.links[n] && [" ", outside(column.cells.links[n], column.cells.links[n])]))))),
    ),
  ];
}

// What became of a cell since the base run; null where nothing did.
function changeOf(column, n) {
  if (!column.base) return null;
  const [now, then] = [column.cells.verdicts[n], column.base.verdicts[n]];
  if (now === then && column.cells.kinds[n] === column.base.kinds[n]) return null;
  if (then === " ") return "added";
  if (now === " ") return "gone";
  if (now === then) return "standing";
  if (now === "o") return "open";
  if (now === "s") return "strict";
  if (now === "a") return "agreement";
  return "otherwise";
}

const CHANGES = {
  open: "towards open",
  strict: "towards strict",
  otherwise: "wrong in another way",
  agreement: "towards agreement",
  standing: "the same verdict, in another standing",
  added: "added",
  gone: "gone",
};

function compareView() {
  if (!report.base) return [el("h1", { tabindex: "-1" }, "There is nothing to compare with"), el("p", null, "Make the report with a second run: ", code("corscheck report NEW --base OLD"))];
  const found = Object.fromEntries(Object.keys(CHANGES).map((change) => [change, []]));
  let same = 0;
  for (const column of report.columns) {
    for (let n = 0; n < report.cases.length; n++) {
      const change = changeOf(column, n);
      if (change) found[change].push([column, n]);
      else if (column.base && kindOf(column, n) !== " ") same++;
    }
  }
  const lost = report.columns.filter((column) => !column.base);
  const line = ([column, n]) => {
    const before = column.base.kinds[n];
    const now = kindOf(column, n);
    const id = code(report.cases[n].id);
    return el("li", null, now === " " ? id : el("a", { href: cellRoute(column, n) }, id), " in " + column.name + ": ", chip(before), " \u2192 ", chip(now), el("div.quiet", null, now === " " ? "" : wordsOf(column, n)));
  };
  return [
    el("h1", { tabindex: "-1" }, "What changed"),
    el("p", null, "Compared with the run of " + report.base.runs.map((run) => run.started + " (corscheck " + run.corscheck + ")").join(", ") + ": " + plural(same, "cell is", "cells are") + " unchanged."),
    lost.map((column) => el("p.notice", null, column.name + " has no counterpart in the base run.")),
    report.columns.map((column) => column.base && column.base.name !== column.name && el("p", null, column.name + " is compared with " + column.base.name + ".")),
    table("Changes", ["change", ...report.columns.map((column) => column.name)], Object.entries(CHANGES).map(([change, words]) => [words, ...report.columns.map((column) => number(found[change].filter(([c]) => c === column).length))])),
    Object.entries(CHANGES).map(([change, words]) => found[change].length > 0 && el("details.section", { open: change === "added" || change === "gone" ? null : true }, el("summary", null, words + ": " + plural(found[change].length, "cell", "cells")), el("ul.ids", null, found[change].slice(0, 500).map(line), found[change].length > 500 && el("li", null, "and " + number(found[change].length - 500) + " more")))),
  ];
}

async function envView() {
  return [
    el("h1", { tabindex: "-1" }, "How it was run"),
    report.runs.map((run) => [
      el("h2", null, run.started),
      facts([["corscheck", run.corscheck], ["platform", run.platform], ["cases", number(run.cases)], ["results", number(run.results)], ["took", run.ms === null ? null : seconds(run.ms)], ["complete", run.complete === true ? "yes" : "no: " + (run.cut || "it was cut off")], ["catalogue", run.catalogue || "built in"]]),
      copyable("command", run.command.map(shellWord).join(" ")),
      run.notes.length > 0 && [el("h3", null, "Notes"), el("ul", null, run.notes.map(([browser, text]) => el("li", null, (browser ? browser + ": " : "") + text)))],
    ]),
    el("h2", null, "Columns"),
    table("Exact versions", ["browser", "version", "driver", "asked", "results"], report.columns.map((column) => [column.browser, column.version, column.driver, column.subject, number(tally([column]).total)])),
    el("h2", null, "Slowest cases"),
    el("div", { id: "slowest" }, el("button", { type: "button", onclick: showSlowest }, "Find them: it reads every trace")),
    el("h2", null, "Known deviations that matched"),
    knownList(),
  ];
}

async function showSlowest(event) {
  const box = event.target.parentNode;
  const found = [];
  for (const column of report.columns) {
    const { t } = await block("traces-" + column.number);
    for (const [n, attempts] of Object.entries(t)) found.push([attempts.reduce((sum, a) => sum + a.p.reduce((ms, page) => ms + page.ms, 0), 0), attempts.length, column, Number(n)]);
  }
  found.sort((a, b) => b[0] - a[0]);
  box.replaceChildren(table("The slowest cases, all attempts together", ["case", "column", "time in the page", "attempts"], found.slice(0, 20).map(([ms, attempts, column, n]) => [el("a", { href: cellRoute(column, n) }, code(report.cases[n].id)), column.name, number(ms) + " ms", String(attempts)])));
}

function knownList() {
  const links = new Map();
  for (const column of report.columns) {
    for (const [n, link] of Object.entries(column.cells.links)) {
      if (kindOf(column, n) !== "k") continue;
      const key = column.name + "\n" + link;
      if (!links.has(key)) links.set(key, { column, link, numbers: [] });
      links.get(key).numbers.push(Number(n));
    }
  }
  if (!links.size) return el("p", null, "None.");
  return el("ul.ids", null, [...links.values()].sort((a, b) => b.numbers.length - a.numbers.length).map(({ column, link, numbers }) => el("li", null, column.name + ": ", outside(link, link), ", " + plural(numbers.length, "case", "cases"), ": ", el("a", { href: cellRoute(column, numbers[0]) }, code(report.cases[numbers[0]].id)))));
}

function aboutView() {
  const legend = [...URGENCY].filter((kind) => kind !== " ");
  return [
    el("h1", { tabindex: "-1" }, "What this report says"),
    el("p", null, "corscheck serves pages and answers from paired origins, lets real browsers make requests from them, and compares what the page saw and what crossed the wire with what the standard demands. A verdict needs both to match: a page cannot tell a blocked read from a dead server."),
    el("p", null, "\u201cBlocked\u201d is an observation and no fault: a verdict says whether it was right. Verdicts have a direction: too open lets a page know what it must not, too strict breaks what should work. A percentage would hide both, so there is none."),
    el("p", null, "Agreement says that these cases came out as the standard demands, with the versions that are named. It says nothing of what no case asks."),
    el("h2", null, "Legend"),
    table("What a cell shows", ["look", "kind", "meaning"], legend.map((kind) => [el("span.glyph.k-" + KINDS[kind].word, null, glyph(kind, kind === "s" ? "B" : "A")), KINDS[kind].words, KINDS[kind].means])),
    el("p", null, "Letters tell what the page observed: ", Object.entries(OUTCOMES).filter(([letter, word]) => word && letter !== "-").map(([letter, word], i) => [i > 0 && ", ", code(letter), " " + word]), ". Known failures are hatched in the colour of their verdict."),
    el("p", null, "Levels: must is what the standard demands, should what it recommends or what follows from several texts together, info what it leaves open: that is recorded, never judged."),
    el("h2", null, "Filter"),
    el("p", null, "Terms with the same key are alternatives, different keys must all hold, ", code("!"), " negates, ", code("*"), " stands for anything, quotes hold words together; a bare word is looked for in ids and titles. The command line reads the keys of cases the same way."),
    table("Keys", ["about", "keys"], [["cases", CASE_KEYS.concat("with-AXIS").join(", ")], ["columns", COLUMN_KEYS.join(", ")], ["cells", CELL_KEYS.join(", ") + " (kind:attention is all that somebody should look at)"], ["rows", "only:diff, only:attention, only:changed, only:new, step:ALGORITHM.STEP"]]),
    el("h2", null, "Keys"),
    keyTable(),
    el("h2", null, "Cite"),
    el("p", null, "Name corscheck " + report.made + ", the date of the run, the exact versions of the browsers and the ids of the cases. Results are made of results.jsonl, from which ", code("corscheck report"), " makes this page again."),
    el("p", null, "The version of this page\u2019s data is " + report.v + "."),
  ];
}
