// The overview: is it all right, what is wrong and for whom, what was run.

// How many cells there are of each kind and level.
function tally(columns) {
  const counts = {};
  let total = 0;
  for (const column of columns) {
    const { kinds, verdicts } = column.cells;
    for (let n = 0; n < kinds.length; n++) {
      const kind = kinds[n];
      if (kind === " ") continue;
      total++;
      const key = kind + report.cases[n].level;
      counts[key] = (counts[key] || 0) + 1;
      counts[kind] = (counts[kind] || 0) + 1;
      if (kind === "k") counts["k" + verdicts[n]] = (counts["k" + verdicts[n]] || 0) + 1;
    }
  }
  return { total, of: (kind, level) => counts[kind + (level || "")] || 0 };
}

function verdictSentence(counts) {
  const all = plural(counts.total, "result", "results") + " in " + plural(report.columns.length, "column", "columns");
  const wrong = [...URGENCY].filter((kind) => isAttention(kind) && counts.of(kind) > 0);
  const sum = wrong.reduce((n, kind) => n + counts.of(kind), 0);
  if (counts.total === 0) return ["There are no results.", "n"];
  if (sum === 0) return ["As expected: " + all + ", none unexpected.", "a"];
  return [number(sum) + " unexpected of " + all + ": " + wrong.map((kind) => number(counts.of(kind)) + " " + KINDS[kind].words).join(", ") + ".", wrong[0]];
}

// Every cell that somebody should look at, the most urgent first.
function unexpectedCells(columns) {
  const found = [];
  for (const column of columns) {
    for (let n = 0; n < report.cases.length; n++) if (isAttention(kindOf(column, n))) found.push([column, n]);
  }
  const rank = ([column, n]) => LEVELS.indexOf(report.cases[n].level) * 10 + URGENCY.indexOf(kindOf(column, n));
  return found.sort((a, b) => rank(a) - rank(b) || a[1] - b[1]);
}

// Of a stem that is wrong in many places the most urgent place stands for all.
function worstOfEach(cells) {
  const stems = new Map();
  for (const [column, n] of cells) {
    const stem = report.cases[n].stem;
    if (stems.has(stem)) stems.get(stem).more++;
    else stems.set(stem, { column, n, stem, more: 0 });
  }
  return [...stems.values()];
}

function cellLine({ column, n, stem, more }) {
  const entry = report.cases[n];
  return el(
    "li.result",
    null,
    chip(kindOf(column, n)),
    " ",
    el("a", { href: cellRoute(column, n) }, code(entry.id)),
    " in " + column.name + " (" + entry.level + ")",
    more > 0 && [", ", el("a", { href: matrixRoute("kind:attention " + stem) }, "and " + number(more) + " more like it")],
    el("div", null, entry.title),
    el("div.quiet", null, wordsOf(column, n)),
  );
}

const MOST_LISTED = 20;

function overviewView() {
  const counts = tally(report.columns);
  const [sentence, kind] = verdictSentence(counts);
  const all = unexpectedCells(report.columns);
  const worst = worstOfEach(all);
  const incomplete = report.runs.filter((run) => run.complete !== true);
  return [
    el("h1.sentence.k-" + KINDS[kind].word, { tabindex: "-1" }, sentence),
    incomplete.map((run) => el("p.notice", null, "The run of " + run.started + " is not complete: " + (run.cut || "it was cut off") + ".")),
    report.dropped && el("p.notice", null, report.dropped),
    report.base && el("p", null, el("a", { href: writeRoute("compare") }, "What changed since " + report.base.runs.map((run) => run.started).join(", "))),
    levelTable(counts),
    worst.length > 0 && [
      el("h2", null, worst.length > MOST_LISTED ? "The worst of " + number(all.length) : "Unexpected"),
      el("ol.results", null, worst.slice(0, MOST_LISTED).map(cellLine)),
      worst.length > MOST_LISTED && el("p", null, el("a", { href: matrixRoute("kind:attention") }, "All " + number(all.length) + " in the matrix")),
    ],
    el("h2", null, "Columns"),
    columnTable(),
    el("h2", null, "Runs"),
    report.runs.map((run) =>
      el("p", null, run.started + ", corscheck " + run.corscheck + " on " + run.platform + ": " + plural(run.results, "result", "results") + (run.ms === null ? "" : " in " + seconds(run.ms)) + ". ", el("a", { href: writeRoute("env") }, "More")),
    ),
  ];
}

// Level by direction: no percentage says as much.
function levelTable(counts) {
  const directions = ["o", "s", "w", "l", "f", "n"];
  const link = (n, filter) => (n === 0 ? el("span.quiet", null, "0") : el("a", { href: matrixRoute(filter) }, number(n)));
  return table(
    "Unexpected results by level and direction",
    ["level", ...directions.map((kind) => KINDS[kind].words)],
    LEVELS.slice(0, 2).map((level) => [level, ...directions.map((kind) => link(counts.of(kind, level), "kind:" + KINDS[kind].word + " level:" + level))]),
  );
}

// The filter that leaves one column; a space would end a term.
const only = (column) => (isCertified(column) ? "subject:" + column.subject.replace(/\s/g, "*") + " " : "") + "browser:" + column.browser;

function columnTable() {
  const rows = report.columns.map((column) => ({ column, counts: tally([column]) }));
  const wrong = ({ counts }) => ["o", "s", "w"].reduce((n, kind) => n + counts.of(kind, "must"), 0);
  rows.sort((a, b) => wrong(b) - wrong(a));
  const link = (column, n, filter) => (n === 0 ? el("span.quiet", null, "0") : el("a", { href: matrixRoute(only(column) + " " + filter) }, number(n)));
  const cell = ({ column, counts }, kind) => {
    const known = counts.of("k" + kind);
    return [link(column, counts.of(kind), "kind:" + KINDS[kind].word), known > 0 && [" + ", link(column, known, "kind:known verdict:" + KINDS[kind].word), " known"]];
  };
  return table(
    "Columns, the most mismatches of level must first",
    ["column", "too open", "too strict", "wrong wire", "not judged", "agrees", "recorded", "unsupported"],
    rows.map((row) => [
      el("a", { href: writeRoute("subject", [columnKey(row.column)]) }, row.column.name),
      cell(row, "o"),
      cell(row, "s"),
      cell(row, "w"),
      ...["n", "a", "i", "u"].map((kind) => link(row.column, row.counts.of(kind), "kind:" + KINDS[kind].word)),
    ]),
  );
}
