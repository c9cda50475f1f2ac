// The matrix: cases down, columns across.

// Rows are drawn in portions: a table of all would keep a reader waiting who looks at its top.
const MOST_CELLS = 3000;

const GROUPS = {
  area: { words: "area", of: (n) => [report.cases[n].area] },
  reason: { words: "reason", of: (n) => report.cases[n].reason || ["(no reason: the read is not blocked)"] },
  spec: { words: "section of the standard", of: (n) => [report.cases[n].spec || "(unknown)"] },
  same: { words: "same cells wrong", of: (n, columns) => [columns.map((column) => (isAttention(kindOf(column, n)) || kindOf(column, n) === "k" ? column.name + ": " + (partOf(column, n) || KINDS[kindOf(column, n)].words) : "")).filter(Boolean).join(" \u00b7 ") || "(nothing wrong)"] },
  none: { words: "nothing", of: () => [""] },
};

const SORTS = {
  worst: { words: "worst first" },
  id: { words: "id" },
};

const urgency = (n, columns) => Math.min(...columns.map((column) => URGENCY.indexOf(kindOf(column, n))));
const disagreeing = (n, columns) => new Set(columns.map((column) => column.cells.verdicts[n]).filter((v) => v !== " ")).size;

// Groups of rows; a row is a case with those of its variants that are chosen.
function groupsOf({ columns, numbers }, group, sort) {
  const groups = new Map();
  const by = GROUPS[group] || GROUPS.area;
  for (const n of numbers) {
    for (const name of by.of(n, columns)) {
      if (!groups.has(name)) groups.set(name, new Map());
      const rows = groups.get(name);
      const stem = report.cases[n].stem;
      if (!rows.has(stem)) rows.set(stem, []);
      rows.get(stem).push(n);
    }
  }
  const made = [...groups].map(([name, rows]) => {
    const list = [...rows.values()].map((members) => ({ members, worst: members.reduce((a, b) => (urgency(b, columns) < urgency(a, columns) ? b : a)) }));
    if (sort === "id") list.sort((a, b) => (report.cases[a.members[0]].id < report.cases[b.members[0]].id ? -1 : 1));
    else list.sort((a, b) => urgency(a.worst, columns) - urgency(b.worst, columns) || disagreeing(b.worst, columns) - disagreeing(a.worst, columns) || a.members[0] - b.members[0]);
    return { name, rows: list, worst: Math.min(...list.map((row) => urgency(row.worst, columns))) };
  });
  return sort === "id" ? made.sort((a, b) => (a.name < b.name ? -1 : 1)) : made.sort((a, b) => (group === "area" ? 0 : a.worst - b.worst));
}

// A cell of the table: a link whose name says everything that its look says.
function cellNode(column, n, route) {
  const kind = kindOf(column, n);
  if (kind === " ") return el("td.none", null, el("span.sr", null, "no result"));
  const outcome = column.cells.outcomes[n];
  const name = column.name + ", " + report.cases[n].id + ": " + KINDS[kind].words + (OUTCOMES[outcome] ? ", " + OUTCOMES[outcome] : "") + (wordsOf(column, n) ? "; " + wordsOf(column, n) : "");
  const tint = kind === "k" ? ".v-" + (VERDICTS[column.cells.verdicts[n]] || "") : "";
  return el("td.k-" + KINDS[kind].word + tint, { "data-name": visible(short(labelOf(column))) }, el("a.cell", { href: openRoute(route, column, n), "aria-label": visible(name), tabindex: "-1", "data-cell": column.number + ":" + n }, el("span", { "aria-hidden": "true" }, glyph(kind, outcome))));
}

const openRoute = (route, column, n) => writeRoute("matrix", [], { ...route.query, open: report.cases[n].id + " in " + columnKey(column) });

// What tells a column from the others of a report, where there is little room.
function labelOf(column) {
  const differ = (key) => report.columns.some((other) => other[key] !== report.columns[0][key]);
  const browser = column.defects.length ? column.defects.join(", ") : column.browser;
  if (!differ("subject")) return browser;
  return differ("browser") ? column.subject + ", " + browser : column.subject;
}

const short = (text) => (text.length > 28 ? text.slice(0, 27) + "\u2026" : text);

function headRows(columns) {
  const counts = columns.map((column) => tally([column]));
  const subjects = [];
  for (const column of columns) {
    const last = subjects[subjects.length - 1];
    if (last && last.subject === column.subject) last.span++;
    else subjects.push({ subject: column.subject, span: 1 });
  }
  return el(
    "thead",
    null,
    el("tr", null, el("th", { scope: "col", rowspan: "2" }, "case"), subjects.map(({ subject, span }) => el("th.subject" + (span === 1 ? ".single" : ""), { scope: "colgroup", colspan: span }, el("span", null, subject)))),
    el(
      "tr",
      null,
      columns.map((column, i) => {
        const some = ["o", "s", "n"].filter((kind) => counts[i].of(kind) > 0);
        return el("th.column", { scope: "col" }, el("a", { href: writeRoute("subject", [columnKey(column)]), "aria-label": visible(column.name) }, el("span.browser", null, column.browser), " ", el("span.version", null, short(column.defects.length ? column.defects.join(", ") : column.version))), some.length > 0 && el("div.mini", null, some.map((kind) => number(counts[i].of(kind)) + " " + KINDS[kind].words).join(", ")));
      }),
    ),
  );
}

function rowNodes({ members, worst }, columns, route) {
  const [first] = members;
  const title = (n) => el("span.title", null, report.cases[n].title);
  const link = (n, text) => el("a", { href: caseRoute(n) }, code(text));
  const quiet = (n) => (urgency(n, columns) > 6 ? ".calm" : "");
  const row = (n, head, classes) => el("tr" + classes + quiet(n), { "data-case": n }, el("th", { scope: "row" }, head), columns.map((column) => cellNode(column, n, route)));
  if (members.length === 1) return [row(first, [link(first, report.cases[first].id), title(first)], "")];
  const stem = report.cases[first].stem;
  const rows = members.map((n) => {
    const made = row(n, link(n, report.cases[n].id.slice(report.cases[n].area.length + 1)), ".variant");
    made.hidden = true;
    return made;
  });
  const button = el("button.fold", { type: "button", "aria-expanded": "false", "aria-label": "variants of " + stem, onclick: toggle }, String(members.length));
  function toggle() {
    const open = button.getAttribute("aria-expanded") === "false";
    button.setAttribute("aria-expanded", String(open));
    for (const made of rows) made.hidden = !open;
  }
  // The folded row shows for each column the worst of its variants.
  const worstIn = (column) => members.reduce((a, b) => (URGENCY.indexOf(kindOf(column, b)) < URGENCY.indexOf(kindOf(column, a)) ? b : a), worst);
  const head = el("tr" + (members.every(quiet) ? ".calm" : ""), { "data-case": worst }, el("th", { scope: "row" }, button, link(first, stem), title(first)), columns.map((column) => cellNode(column, worstIn(column), route)));
  return [head, ...rows];
}

function matrixTable(chosen, route) {
  const { columns } = chosen;
  const groups = groupsOf(chosen, route.query.group, route.query.sort);
  const list = groups.flatMap((group) => [{ group }, ...group.rows]);
  const portion = Math.max(20, Math.min(250, Math.floor(MOST_CELLS / columns.length)));
  const body = el("tbody", null);
  const node = el("table.matrix" + (columns.length > 12 ? ".many" : "") + (columns.every((c) => c.browser === columns[0].browser && c.version === columns[0].version) ? ".same" : ""), null, el("caption.sr", null, "Results: cases by columns"), headRows(columns), body);
  const more = el("div.more", null);
  let at = 0;
  const grow = (by) => {
    const part = document.createDocumentFragment();
    for (const end = Math.min(list.length, at + by); at < end; at++) {
      const item = list[at];
      if (!item.group) part.append(...rowNodes(item, columns, route));
      else if (item.group.name) part.append(groupNode(item.group, columns, route));
    }
    body.append(part);
    more.replaceChildren(...flat([at < list.length && [el("button", { type: "button", onclick: () => grow(portion) }, "Show more"), " ", el("button", { type: "button", onclick: () => grow(Infinity) }, "Show all"), " " + number(list.length - at) + " rows are left"]]));
    roving(node);
  };
  grow(portion);
  if (typeof IntersectionObserver !== "undefined") {
    new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && at < list.length && grow(portion), { rootMargin: "600px" }).observe(more);
  }
  // Whatever is wanted further down is drawn as far as it takes.
  node.reach = (number) => {
    while (at < list.length && !node.querySelector('[data-case="' + number + '"]')) grow(portion);
  };
  node.finish = () => grow(Infinity);
  const calm = list.filter((item) => !item.group && item.members.every((n) => urgency(n, columns) > 6)).length;
  return [node, more, calm > 0 && el("p.onpaper", null, plural(calm, "row", "rows") + " in which nothing is wrong are left out on paper.")];
}

function groupNode(group, columns) {
  const counts = {};
  for (const { members } of group.rows) for (const n of members) for (const column of columns) counts[kindOf(column, n)] = (counts[kindOf(column, n)] || 0) + 1;
  const some = [...URGENCY].filter((kind) => counts[kind] && kind !== "a" && kind !== " ");
  return el("tr.group", null, el("th", { scope: "rowgroup", colspan: columns.length + 1 }, el("span.name", null, group.name), " ", el("span.quiet", null, plural(group.rows.length, "case", "cases")), some.map((kind) => [" ", chip(kind, number(counts[kind]) + " " + KINDS[kind].words)])));
}

// The whole view, with the panel of the open cell beside the table.
async function matrixView(route) {
  const filter = parseFilter(route.query.q);
  const steps = filter.terms.some((term) => term.key === "step") ? await stepIndex() : null;
  const chosen = filter.error ? { columns: report.columns, numbers: [], cells: 0 } : choose(filter, steps);
  const total = report.columns.reduce((n, column) => n + tally([column]).total, 0);
  const said = filter.error || number(chosen.cells) + " of " + number(total) + " cells, " + plural(chosen.numbers.length, "case", "cases");
  const go = (change) => (location.hash = writeRoute("matrix", [], { ...route.query, open: undefined, ...change }));
  const select = (label, key, options) => el("label.pick", null, label + " ", el("select", { onchange: (event) => go({ [key]: event.target.value }) }, Object.entries(options).map(([value, { words }]) => el("option", { value, selected: route.query[key] === value }, words))));
  const [node, ...rest] = chosen.numbers.length ? matrixTable(chosen, route) : [null];
  matrixState = { chosen, node };
  return [
    el("h1.sr", { tabindex: "-1" }, "Matrix"),
    el(
      "form.filter",
      {
        role: "search",
        onsubmit: (event) => {
          event.preventDefault();
          go({ q: event.target.elements.q.value.trim() });
        },
      },
      el("label", { for: "q" }, "Filter"),
      el("input", { id: "q", name: "q", type: "search", value: route.query.q, autocomplete: "off", spellcheck: "false", placeholder: "area:preflight kind:too-open !browser:webkit cookie", "aria-describedby": "said", "aria-invalid": filter.error ? "true" : null }),
      el("button", { type: "submit" }, "Apply"),
      route.query.q && el("a.clear", { href: writeRoute("matrix", [], { ...route.query, q: "", open: undefined }) }, "Clear"),
    ),
    el("p.said" + (filter.error ? ".error" : ""), { id: "said", role: "status" }, said),
    facets(route, filter),
    el("div.picks", null, select("Group by", "group", GROUPS), select("Sort by", "sort", SORTS)),
    node ? el("div.split", null, el("div.sheet", null, node, rest), el("section.panel", { id: "panel", "aria-label": "The open cell", hidden: true })) : el("p", null, "Nothing fits. ", el("a", { href: writeRoute("matrix") }, "Show everything")),
  ];
}

let matrixState = null;

// Chips that write the filter: each tells how many cells it would leave.
function facets(route, filter) {
  const terms = filter.terms;
  const has = (key, value) => terms.some((term) => term.key === key && term.value === value && !term.negated);
  const toggled = (key, value, event) => {
    if (has(key, value)) return terms.filter((term) => !(term.key === key && term.value === value));
    const keep = event && (event.ctrlKey || event.metaKey) ? terms : terms.filter((term) => term.key !== key || term.negated);
    return [...keep, { negated: false, key, value }];
  };
  const counts = {};
  for (const column of report.columns) for (const kind of column.cells.kinds) counts[kind] = (counts[kind] || 0) + 1;
  const button = (key, value, text, kind) =>
    el("a.facet" + (has(key, value) ? ".on" : "") + (kind ? ".k-" + KINDS[kind].word : ""), { href: writeRoute("matrix", [], { ...route.query, open: undefined, q: writeFilter(toggled(key, value)) }), "aria-current": has(key, value) ? "true" : null, onclick: (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      location.hash = writeRoute("matrix", [], { ...route.query, open: undefined, q: writeFilter(toggled(key, value, event)) });
    } }, text);
  const kinds = [...URGENCY].filter((kind) => counts[kind] && kind !== " ");
  const browsers = [...new Set(report.columns.map((column) => column.browser))];
  return el(
    "nav.facets",
    { "aria-label": "Facets of the filter" },
    kinds.map((kind) => button("kind", KINDS[kind].word, [KINDS[kind].mark && el("span.mark", { "aria-hidden": "true" }, KINDS[kind].mark + " "), KINDS[kind].words + " " + number(counts[kind])], kind)),
    browsers.length > 1 && browsers.length < 9 && browsers.map((browser) => button("browser", browser.toLowerCase(), browser)),
    report.columns.length > 1 && button("only", "diff", "columns disagree"),
    report.base && button("only", "changed", "changed"),
  );
}
