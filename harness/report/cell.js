// A case, and a case in one column: what happened, what should have, where they part and how to see it again.

const DECIDING = /^(origin|access-control-.*|cookie|set-cookie|vary|location|timing-allow-origin|cross-origin-.*|sec-fetch-.*|authorization|www-authenticate|content-type|range|content-range|referer)$/i;

async function caseView(route) {
  const { id, column: key } = readCase(route.path);
  const number = report.byId.get(id);
  if (number === undefined) return unknownCase(id);
  if (key === null) return wholeCase(number, route);
  const column = columnOf(key);
  if (!column) return [el("h1", { tabindex: "-1" }, "There is no column " + key), el("p", null, el("a", { href: caseRoute(number) }, "The case in every column"))];
  return cellPanel(column, number, route, "h1");
}

// How far two words are apart, roughly: by the pairs of letters that they share.
function likeness(a, b) {
  const pairs = (text) => new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2)));
  const [x, y] = [pairs(a), pairs(b)];
  let shared = 0;
  for (const pair of x) if (y.has(pair)) shared++;
  return (2 * shared) / (x.size + y.size || 1);
}

function unknownCase(id) {
  const near = report.cases.map((entry, n) => [likeness(id, entry.id), n]).sort((a, b) => b[0] - a[0]).slice(0, 5);
  return [
    el("h1", { tabindex: "-1" }, "There is no case ", code(id), " in this report"),
    el("p", null, "The nearest are:"),
    el("ul", null, near.map(([, n]) => el("li", null, el("a", { href: caseRoute(n) }, code(report.cases[n].id)), " ", report.cases[n].title))),
  ];
}

async function wholeCase(number, route) {
  const entry = report.cases[number];
  const detail = await detailOf(number);
  const variants = report.cases.flatMap((other, n) => (other.stem === entry.stem && n !== number ? [n] : []));
  return [
    el("h1", { tabindex: "-1" }, code(entry.id)),
    el("p.lead", null, entry.title),
    facts([
      ["level", entry.level],
      ["made at", entry.place],
      ["standard", detail && outside(detail.u, entry.spec)],
      ["behaviours", (entry.behaviour || []).map((id) => [el("a", { href: writeRoute("spec", [id]) }, code(id)), " "])],
      ["file", detail && code(detail.f)],
    ]),
    detail && el("p", null, detail.w),
    el("h2", null, "In every column"),
    strip(number),
    variants.length > 0 && [el("h2", null, "Variants"), el("ul.ids", null, variants.map((n) => el("li", null, el("a", { href: caseRoute(n) }, code(report.cases[n].id)))))],
    detail ? caseDetail(detail) : el("p.notice", null, "The catalogue that this report was made with does not have this case: its text and path are not shown."),
    neighbours(number, route),
  ];
}

// The same case in every column.
function strip(number, current) {
  return el(
    "ul.strip",
    null,
    report.columns.map((column) => {
      const kind = kindOf(column, number);
      const body = [el("span.glyph.k-" + KINDS[kind].word, { "aria-hidden": "true" }, glyph(kind, column.cells.outcomes[number])), " " + column.name + ": " + KINDS[kind].words];
      const words = kind !== " " && OUTCOMES[column.cells.outcomes[number]];
      return el("li", { "aria-current": column === current ? "true" : null }, kind === " " ? body : el("a", { href: cellRoute(column, number) }, body), words && el("span.quiet", null, " " + words));
    }),
  );
}

const facts = (pairs) => el("dl.facts", null, pairs.filter(([, value]) => value && (!Array.isArray(value) || value.length)).map(([name, value]) => [el("dt", null, name), el("dd", null, value)]));

function caseDetail(detail) {
  const several = detail.steps.length > 1;
  return [
    el("h2", null, "What is done and answered"),
    detail.steps.map((step, i) => [several && el("h3", null, "Step " + (i + 1)), facts([["the page", actionWords(step.a)], ["expected", step.x], ...step.s.map(([kind, at, path, answer]) => [kind + " of " + at, el("pre", { tabindex: "0", "aria-label": kind + " of " + at + " at /" + path }, answer)])])]),
    detail.t && el("details", null, el("summary", null, "The case as it stands in its file"), copyable("TOML", detail.t)),
    el("h2", null, "The path through the standard"),
    detail.steps.map((step, i) => [several && el("h3", null, "Step " + (i + 1)), pathList(step.path, -1)]),
  ];
}

function actionWords(action) {
  const { api, url, method, ...rest } = action;
  const more = Object.entries(rest).map(([key, value]) => key + " " + (typeof value === "string" ? value : JSON.stringify(value)));
  return [code(api), " ", code((method || "GET") + " " + (url || "")), more.length > 0 && [el("br"), more.join("; ")]];
}

// The steps of algorithms in their order; a step that stands out is open and marked.
function pathList(path, wrong, words) {
  const anchors = new Map(report.algorithms);
  return el(
    "ol.path",
    null,
    path.map((step, i) => {
      const name = step.algorithm + ", step " + step.step;
      return el(
        "li" + (i === wrong ? ".wrong" : "") + (step.decides ? ".decides" : ""),
        null,
        el("a", { href: writeRoute("spec", [slug(step.algorithm) + "." + step.step]) }, name),
        ": " + step.says,
        step.compared && el("div.compared", null, "wanted ", code(step.compared.wanted), ", found ", code(step.compared.found)),
        i === wrong && el("div.here", null, el("strong", null, words), " ", anchors.has(step.algorithm) && outside(specUrl(anchors.get(step.algorithm)), "the standard")),
      );
    }),
  );
}

const slug = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

function specUrl(spec) {
  const [standard, anchor] = spec.split("#");
  const homes = { fetch: "https://fetch.spec.whatwg.org/", xhr: "https://xhr.spec.whatwg.org/", html: "https://html.spec.whatwg.org/multipage/" };
  return (homes[standard] || homes.fetch) + "#" + anchor;
}

// Where reality left the path: the step that decides where it should have ended, or the one that the browser's own reason names.
function firstWrong(column, number, detail, attempt) {
  const verdict = column.cells.verdicts[number];
  const difference = attempt && attempt.d[0];
  if (!difference || verdict === "a") return null;
  const [at, point] = difference;
  const step = detail.steps[at];
  if (!step) return null;
  const find = (test) => step.path.findIndex(test);
  const decisive = find((line) => line.decides);
  if (verdict === "o" && decisive >= 0) return { at, line: decisive, words: "Here it should have ended, and the browser went on." };
  const hides = step.path.findLastIndex((line) => /opaque|CORS-cross-origin/.test(line.says));
  if (verdict === "o" && hides >= 0) return { at, line: hides, words: "Here the standard hides it, and the browser did not." };
  const named = attempt.w.map(([, , reason]) => reason).find(Boolean);
  if (verdict === "s" && named && REASON_STEPS[named]) {
    const line = step.path.findLastIndex((line) => REASON_STEPS[named].some(([algorithm, number]) => line.algorithm === algorithm && line.step.startsWith(number)));
    if (line >= 0) return { at, line, words: "Here the browser says that it stopped (" + named + ")." };
  }
  const field = { "wire.field:Origin": "append a request Origin header", "wire.field:Cookie": "append a request Cookie header" }[point];
  const line = field ? find((l) => l.algorithm === field) : point === "wire.extra" || point === "wire.missing" ? find((l) => l.algorithm === "HTTP fetch") : -1;
  if (line >= 0) return { at, line, words: "This step decides on what parts (" + point + ")." };
  return null;
}

// Which steps a reason belongs to.
const REASON_STEPS = {
  "acao-missing": [["CORS check", "2"]],
  "acao-mismatch": [["CORS check", "4"]],
  "acao-multiple": [["CORS check", "4"]],
  "wildcard-with-credentials": [["CORS check", "3"]],
  "acac-not-true": [["CORS check", "8"], ["CORS check", "7"]],
  "method-not-allowed": [["CORS-preflight fetch", "7.5"]],
  "header-not-allowed": [["CORS-preflight fetch", "7.7"], ["CORS-preflight fetch", "7.6"]],
  "preflight-not-ok": [["CORS-preflight fetch", "7"]],
  "preflight-redirect": [["CORS-preflight fetch", "6"]],
};

// Everything about one cell. `heading` is the tag of its title: it stands by itself or beside the matrix.
async function cellPanel(column, number, route, heading) {
  const entry = report.cases[number];
  const kind = kindOf(column, number);
  const [detail, attempts] = await Promise.all([detailOf(number), attemptsOf(column, number).then((found) => found || [])]);
  const wanted = Number(route.query.try) - 1;
  const chosen = attempts[wanted] ? wanted : attempts.length - 1;
  const attempt = attempts[chosen];
  const parts = detail && firstWrong(column, number, detail, attempt);
  const link = column.cells.links[number];
  const onPaper = route.view === "paper";
  const context = { column, number, entry, kind, detail, attempt, attempts, chosen, parts, link, route };
  return [
    el(heading + ".celltitle", { tabindex: "-1" }, chip(kind), " ", code(entry.id), " in " + column.name),
    el("p.lead", null, cellSentence(context)),
    el("p.quiet", null, entry.title),
    attemptTabs(context),
    section("Expected and observed", comparison(context)),
    section(kind === "a" || kind === "i" || kind === "u" ? "Path" : "First wrong step", wrongStep(context)),
    section("Wire", wire(context)),
    !onPaper && section("In the browser\u2019s words", browserWords(context)),
    section("Why", detail ? [el("p", null, detail.w), el("p", null, outside(detail.u, entry.spec))] : brokenRules(attempt)),
    section("Fix", fix(context)),
    !onPaper && section("Repeat", repeat(context)),
    !onPaper && section("Elsewhere", [strip(number, column), baseWords(column, number), neighbours(number, route, column)]),
    !onPaper && section("Provenance", provenance(context)),
  ];
}

const section = (title, ...content) => (flat(content).length ? el("section.part", null, el("h2", null, title), content) : null);

function cellSentence({ column, number, kind, link }) {
  const outcome = OUTCOMES[column.cells.outcomes[number]];
  const words = wordsOf(column, number);
  const verdict = column.cells.verdicts[number];
  const means = kind === "k" || kind === "l" || kind === "f" ? (KINDS[verdict] || KINDS.n).words + ": " + (KINDS[verdict] || KINDS.n).means : KINDS[kind].means;
  // A server is held against its policy, a browser against the standard.
  const meant = isCertified(column) ? means.replace("the standard", "the policy") : means;
  const head = column.name + ": " + (outcome ? outcome + ". " : "") + meant.charAt(0).toUpperCase() + meant.slice(1) + ".";
  return [head, words && [" ", el("span.words", null, words + ".")], kind === "k" && [" This is a known deviation", link ? [": ", outside(link, link)] : null, "."], kind === "l" && [" A known deviation is on record", link ? [": ", outside(link, link)] : null, "."]];
}

function attemptTabs({ attempts, chosen, column, number, route }) {
  if (attempts.length < 2) return null;
  const to = (i) => (route.view === "matrix" ? writeRoute("matrix", [], { ...route.query, try: String(i + 1) }) : cellRoute(column, number, { try: String(i + 1) }));
  return el("nav.tabs", { "aria-label": "Attempts" }, attempts.map((attempt, i) => el("a", { href: to(i), "aria-current": i === chosen ? "true" : null }, "Attempt " + (i + 1) + ": " + attempt.v)));
}

function pageWords(page) {
  if (!page) return "nothing: the page gave no answer";
  const [kind, value] = typeof page.end === "string" ? [page.end, {}] : Object.entries(page.end)[0];
  const exception = value && value.name !== undefined ? value.name + (value.message ? ": " + value.message : "") : "";
  switch (kind) {
    case "response":
      return (value.type === "opaque" || value.type === "opaqueredirect" ? value.type : "allowed") + ": " + value.status + (value.statusText ? " " + value.statusText : "") + (value.type ? ", type " + value.type : "") + (value.redirected ? ", redirected" : "") + ", " + plural(value.bodyLength, "byte", "bytes") + " of body";
    case "loaded":
      return value.readable ? "allowed: it has it, and may look into it" : "opaque: it has it, and may not look into it";
    case "network-error":
      return "blocked: " + exception;
    case "refused":
      return "refused: " + exception;
    case "aborted":
      return "aborted: " + exception;
    case "unsupported":
      return "not supported: " + value;
    case "agent-fault":
      return "the agent failed: " + value;
    default:
      return "no answer within " + seconds(value.after_ms || 0);
  }
}

const wireWords = (exchanges) => (exchanges.length ? exchanges.map((x) => x.method + " " + x.at).join(", ") : "nothing");

function comparison({ detail, attempt, entry }) {
  if (!attempt) return el("p", null, "There is no trace of this result in the file: " + (report.dropped || "it was not recorded."));
  const steps = Math.max(attempt.p.length, detail ? detail.steps.length : 0);
  const rows = [];
  for (let i = 0; i < steps; i++) {
    const prefix = steps > 1 ? "step " + (i + 1) + ", " : "";
    const exchanges = attempt.x.filter((x) => x.step === i);
    const expected = detail && detail.steps[i] ? detail.steps[i].x : "";
    // Without a case to hold it against, the differences below say what is wrong.
    const wrong = detail && attempt.d.some(([step]) => step === i);
    rows.push([[prefix + "page and wire"], expected, [pageWords(attempt.p[i]), "; on the wire: " + wireWords(exchanges)], wrong]);
    const page = attempt.p[i];
    if (page && page.events) rows.push([[prefix + "events"], "", page.events.join(" "), false]);
    const response = page && page.end && page.end.response;
    if (response && response.headers.length) rows.push([[prefix + "headers that the page sees"], "", response.headers.map(([name, value]) => name + ": " + value).join("\n"), false]);
  }
  for (const [step, point, expected, seen] of attempt.d) rows.push([[(steps > 1 ? "step " + (step + 1) + ", " : "") + point], expected || "nothing", seen || "nothing", true]);
  return el(
    "div.scroll",
    { tabindex: "0", role: "region", "aria-label": "Expected and observed" },
    el(
      "table.plain.compare",
      null,
      el("caption.sr", null, "Expected and observed"),
      el("thead", null, el("tr", null, ["", "expected", "observed"].map((head) => el("th", { scope: "col" }, head || el("span.sr", null, "what"))))),
      el("tbody", null, rows.map(([name, expected, seen, differs]) => el("tr" + (differs ? ".differs" : ""), null, el("th", { scope: "row" }, name, differs && el("span.mark", null, " \u2260 differs")), el("td", null, expected || el("span.quiet", null, "not asked")), el("td", null, seen)))),
    ),
    entry.reason && el("p.quiet", null, "Right reasons: " + entry.reason.join(", ")),
  );
}

// Of a certification: the duties that the server does not meet.
function brokenRules(attempt) {
  return attempt && attempt.r && attempt.r.map((rule) => [
    el("p", null, el("strong", null, rule.id), " (" + rule.severity + "): " + rule.title + ". " + rule.why),
    el("p", null, outside(rule.spec, "The standard"), rule.evidence.map((address, n) => [", ", outside(address, n ? "and " + (n + 1) : "who had it")])),
  ]);
}

const isCertified = (column) => column.subject !== REFERENCE_SUBJECT;
const REFERENCE_SUBJECT = "reference servers";

function wrongStep({ detail, attempt, parts, kind }) {
  if (attempt && attempt.q) return el("ol", null, attempt.q.map((step) => el("li", null, step)));
  if (!detail) return null;
  const several = detail.steps.length > 1;
  const lists = detail.steps.map((step, i) => [several && el("h3", null, "Step " + (i + 1)), pathList(step.path, parts && parts.at === i ? parts.line : -1, parts && parts.words)]);
  if (parts) {
    // The marked step with what led to it; the rest is a click away.
    const path = detail.steps[parts.at].path;
    const from = Math.max(0, parts.line - 2);
    return [pathList(path.slice(from, parts.line + 1), parts.line - from, parts.words), el("details", null, el("summary", null, "The whole path: " + plural(path.length, "step", "steps")), lists)];
  }
  const none = attempt && attempt.d.length > 0 && el("p", null, "Which step went wrong cannot be told: the browser gives no reason that belongs to one. Page and wire part at ", code(attempt.d[0][1]), ".");
  return [none, el("details", null, el("summary", null, kind === "a" ? "The path that it went" : "The path that the standard goes"), lists)];
}

function wire({ attempt, column }) {
  if (!attempt) return null;
  if (!attempt.x.length) return el("p", null, "Nothing: no request reached a server.");
  return el("ol.wire", null, attempt.x.map((x) => exchangeNode(x, isCertified(column) ? "target" : x.at)));
}

function fieldList(fields, words) {
  const deciding = fields.filter(([name]) => DECIDING.test(name));
  const others = fields.filter(([name]) => !DECIDING.test(name));
  const lines = (list) => list.map(([name, value]) => el("div.field", null, el("span.name", null, name), ": ", el("span.value", null, value)));
  return [el("div.deciding", null, lines(deciding)), others.length > 0 && el("details", null, el("summary", null, plural(others.length, "other field", "other fields") + " of the " + words), lines(others))];
}

function exchangeNode(x, at) {
  const answered = x.fate === "cut" ? "cut off by the script" : x.fate === "unscripted" ? "nothing was scripted: a plain 501" : x.fate;
  const raw = x.raw !== null ? x.raw : x.method + " " + x.target + " HTTP/1.1\\r\\n" + x.fields.map(([name, value]) => name + ": " + value + "\\r\\n").join("") + "\\r\\n";
  const bytes = (text) => text.replace(/\\r\\n/g, "\u240d\u240a\n");
  return el(
    "li" + (isPreflight(x) ? ".preflight" : ""),
    null,
    el("div.lanehead", null, el("span", null, "page"), el("span.arrow", { "aria-hidden": "true" }, "\u2192"), el("span", null, at), el("span.quiet", null, (isPreflight(x) ? "preflight, " : "") + x.protocol + ", connection " + x.connection + ", after " + x.arrived.toFixed(1) + " ms")),
    el("div.request", null, el("div.line", null, el("strong", null, x.method), " ", x.target), fieldList(x.fields, "request"), x.bodyLength > 0 && bodyNode("request body", x.body, x.bodyLength, x.complete)),
    el("div.answer", null, el("div.line", null, el("span", { "aria-hidden": "true" }, "\u2190 "), el("strong", null, x.status === null ? "no response" : String(x.status)), answered && " " + answered), fieldList(x.answerFields, "answer"), x.answerLength > 0 && bodyNode("answer body", x.answerBody, x.answerLength, x.fate === "")),
    el("details", null, el("summary", null, x.protocol === "HTTP/2" ? "Fields in their order (HTTP/2 compresses its bytes)" : "Bytes as they crossed the wire"), el("pre", { tabindex: "0", "aria-label": "request" }, bytes(raw)), el("pre", { tabindex: "0", "aria-label": "answer" }, bytes(x.head))),
  );
}

function bodyNode(words, body, length, complete) {
  const shown = body.length < length ? ", the first of them shown" : "";
  return el("details", null, el("summary", null, words + ": " + plural(length, "byte", "bytes") + (complete ? "" : ", cut off") + shown), el("pre", { tabindex: "0", "aria-label": words }, body));
}

function browserWords({ attempt, column }) {
  if (!attempt) return null;
  if (!attempt.w.length) return el("p.quiet", null, column.browser === "webkit" ? "Not exposed by this driver." : "It gave no words of its own.");
  return el("ul", null, attempt.w.map(([text, category, reason]) => el("li", null, el("q", null, text), category && [" ", code(category)], reason && [" \u2192 ", code(reason)])));
}

const TRACKERS = {
  chromium: ["Chromium issues", "https://issues.chromium.org/issues?q="],
  firefox: ["Bugzilla", "https://bugzilla.mozilla.org/buglist.cgi?quicksearch="],
  webkit: ["WebKit Bugzilla", "https://bugs.webkit.org/buglist.cgi?quicksearch="],
};

function fix({ column, kind, attempt, link, entry }) {
  if (attempt && attempt.r) return [el("ul", null, attempt.r.map((rule) => el("li", null, code(rule.id), " ", rule.fix))), link && el("p", null, "Accepted: ", /^https?:/.test(link) ? outside(link, link) : link)];
  if (kind === "a" || kind === "i" || kind === " ") return null;
  if (kind === "u") return el("p", null, "The user agent lacks what the case needs: " + wordsOf(column, report.byId.get(entry.id)));
  if (kind === "n") return el("p", null, (attempt ? attempt.v : "It was not judged") + ". Run it again; where a control fails, see that the machine reaches every origin (corscheck doctor).");
  if (kind === "l") return el("p", null, "Take the known deviation out of the baseline, or correct it: the browser has changed.");
  if (kind === "f") return el("p", null, "Run it several times (--repeat 10) and compare the attempts.");
  const tracker = TRACKERS[column.browser];
  const search = encodeURIComponent("CORS " + (attempt && attempt.d[0] ? attempt.d[0][1].replace(/^\w+\.(field:|header:)?/, "") : entry.area));
  return [
    link && el("p", null, "Reported or discussed: ", outside(link, link)),
    tracker && el("p", null, "It is for the browser to change. ", outside(tracker[1] + search, "Search " + tracker[0]), "; the page below shows it without corscheck."),
    column.browser === "simulated" && el("p", null, "This user agent was told to be wrong: " + (column.defects.join(", ") || "it has no defect, so this is a bug of corscheck") + "."),
  ];
}

const shellWord = (word) => (/^[\w/.:+=,-]+$/.test(word) ? word : "'" + word.replace(/'/g, "'\\''") + "'");

function runCommand(column, id) {
  if (isCertified(column)) return ["corscheck certify", shellWord(column.subject.split(" ")[0]), "--policy " + shellWord(id.split("/")[0]), "--browser " + shellWord(column.browser)].join(" ");
  const catalogue = report.runs[column.runs[0]] && report.runs[column.runs[0]].catalogue;
  return ["corscheck run", catalogue && "--catalogue " + shellWord(catalogue), "--browser " + shellWord(column.browser), ...column.defects.map((defect) => "--defect " + shellWord(defect)), shellWord(id)].filter(Boolean).join(" ");
}

function snippet(action) {
  if (action.api !== "fetch") return null;
  const init = {};
  for (const key of ["method", "mode", "credentials", "redirect", "cache", "referrer", "referrerPolicy", "integrity", "keepalive"]) if (action[key] !== undefined) init[key] = action[key];
  if (action.headers) init.headers = action.headers;
  if (typeof action.body === "string") init.body = action.body;
  return "// from a page of another origin\nfetch(" + JSON.stringify(action.url) + ", " + JSON.stringify(init, null, 2) + ")\n  .then(async (response) => console.log(response.type, response.status, [...response.headers], await response.text()))\n  .catch(console.error);";
}

function curl(attempt) {
  const x = attempt && attempt.x.find(isPreflight);
  if (!x) return null;
  const host = (x.fields.find(([name]) => name.toLowerCase() === "host") || ["", x.at])[1];
  const headers = x.fields.filter(([name]) => /^(origin|access-control-request-)/i.test(name)).map(([name, value]) => " -H " + shellWord(name + ": " + value));
  return "curl -i -X OPTIONS" + headers.join("") + " " + shellWord("http://" + host + x.target);
}

function issueText({ column, entry, detail, attempt, kind }) {
  const lines = ["**" + KINDS[kind].words + "**: `" + entry.id + "` in " + column.name, "", entry.title + "."];
  if (detail) lines.push("", detail.w, detail.u);
  if (attempt) {
    lines.push("", "| | expected | observed |", "|---|---|---|");
    for (const [, point, expected, seen] of attempt.d) lines.push("| " + [point, expected, seen].map((text) => String(text).replace(/\|/g, "\\|")).join(" | ") + " |");
    lines.push("", "Wire: " + wireWords(attempt.x));
  }
  lines.push("", "```", runCommand(column, entry.id), "```");
  return lines.join("\n");
}

function repeat(context) {
  const { column, entry, detail, attempt, kind } = context;
  const script = detail && snippet(detail.steps[0].a);
  const preflight = curl(attempt);
  return [
    copyable("command", runCommand(column, entry.id)),
    !isCertified(column) && copyable("in any browser", "corscheck serve   # then open /run/" + entry.id),
    script && el("details", null, el("summary", null, "As a page (while corscheck serve runs; the ports are those of the run)"), copyable("script", script)),
    preflight && el("details", null, el("summary", null, "The preflight by curl"), copyable("curl", preflight)),
    kind !== "a" && el("details", null, el("summary", null, "As an issue"), copyable("Markdown", issueText(context))),
  ];
}

function baseWords(column, number) {
  if (!column.base) return null;
  const kind = column.base.kinds[number];
  return el("p", null, "In the base run: ", chip(kind), " ", OUTCOMES[column.base.outcomes[number]] || "", column.base.words[number] && el("span.quiet", null, " " + column.base.words[number]));
}

function neighbours(number, route, column) {
  const filter = parseFilter(route.query.q);
  const { numbers } = filter.error || filter.terms.some((term) => term.key === "step") ? { numbers: report.cases.map((_, n) => n) } : choose(filter, null);
  const at = numbers.indexOf(number);
  const query = route.query.q ? { q: route.query.q } : {};
  const to = (n) => (column ? cellRoute(column, n, query) : caseRoute(n, query));
  const link = (n, words) => n !== undefined && el("a", { href: to(n) }, words + ": ", code(report.cases[n].id));
  return el("p.neighbours", null, link(numbers[at - 1], "previous"), " ", link(numbers[at + 1], "next"));
}

function provenance({ column, entry, attempt, link, detail }) {
  const run = report.runs[column.runs[0]];
  return facts([
    ["level", entry.level],
    ["made at", entry.place],
    ["case", detail && code(detail.f)],
    ["browser", column.browser + " " + column.version + ", driver " + column.driver],
    ["baseline", link ? outside(link, link) : "no known deviation is on record"],
    ["session", attempt && String(attempt.n)],
    ["time in the page", attempt && attempt.p.length > 0 && attempt.p.map((page) => page.ms + " ms").join(", ")],
    ["run", run && run.started + ", corscheck " + run.corscheck],
    ["token", "every attempt has one of its own in its URLs; it is written {token} here"],
  ]);
}
