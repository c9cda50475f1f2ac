// The filter grammar of the command line, and the keys that results have besides.
//
// `area:preflight level:must`: terms with the same key are alternatives, different keys must all hold, `!` negates, `*` stands for
// anything, quotes hold words together. A bare word is looked for in id and title.

const CASE_KEYS = ["area", "family", "level", "reason", "read", "behaviour", "context", "page", "api", "to"];
const COLUMN_KEYS = ["browser", "subject", "version"];
const CELL_KEYS = ["verdict", "standing", "kind", "outcome", "says"];
const ROW_KEYS = ["only", "step"];
const ALL_KEYS = [...CASE_KEYS, ...COLUMN_KEYS, ...CELL_KEYS, ...ROW_KEYS];

// The words of a line; null where a quote is left open.
function splitWords(source) {
  const words = [];
  let word = "";
  let quoted = false;
  let any = false;
  for (const c of source) {
    if (c === '"') {
      quoted = !quoted;
      any = true;
    } else if (/\s/.test(c) && !quoted) {
      if (any) words.push(word);
      word = "";
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (quoted) return null;
  if (any) words.push(word);
  return words;
}

// { terms } or { error }.
function parseFilter(source) {
  const words = splitWords(source);
  if (words === null) return { terms: [], error: "a quote is not closed" };
  const terms = [];
  for (const word of words) {
    const negated = word.startsWith("!");
    const rest = negated ? word.slice(1) : word;
    if (rest === "") return { terms: [], error: "a `!` with nothing behind it" };
    const colon = rest.indexOf(":");
    if (colon < 0) {
      terms.push({ negated, key: null, value: rest.toLowerCase() });
      continue;
    }
    const key = rest.slice(0, colon);
    if (!ALL_KEYS.includes(key) && !/^with-./.test(key)) {
      return { terms: [], error: "unknown key `" + key + "`, expected one of " + ALL_KEYS.join(", ") + ", with-AXIS" };
    }
    terms.push({ negated, key, value: rest.slice(colon + 1).toLowerCase() });
  }
  return { terms };
}

function writeFilter(terms) {
  const quote = (text) => (/[\s"]/.test(text) ? '"' + text.replace(/"/g, "") + '"' : text);
  return terms.map(({ negated, key, value }) => quote((negated ? "!" : "") + (key ? key + ":" : "") + value)).join(" ");
}

// Whether `text` is `pattern`, in which `*` stands for anything.
function glob(pattern, text) {
  const parts = pattern.split("*");
  if (parts.length === 1) return pattern === text;
  if (!text.startsWith(parts[0])) return false;
  let rest = text.slice(parts[0].length);
  for (const part of parts.slice(1, -1)) {
    const at = rest.indexOf(part);
    if (at < 0) return false;
    rest = rest.slice(at + part.length);
  }
  const last = parts[parts.length - 1];
  return rest.length >= last.length && rest.endsWith(last);
}

// Whether terms hold together: negated ones must not match, of one key any may, bare words must all.
function holds(terms, matches) {
  const wanted = [];
  for (const term of terms) {
    if (!term.negated) wanted.push(term);
    else if (matches(term)) return false;
  }
  return wanted.every((term) => (term.key === null ? matches(term) : wanted.some((other) => other.key === term.key && matches(other))));
}

function matchesCase(entry, { key, value }) {
  if (key === null) return value.includes("*") ? glob(value, entry.id) : entry.text.includes(value);
  if (key.startsWith("with-")) return entry.with !== undefined && entry.with[key.slice(5)] !== undefined && glob(value, entry.with[key.slice(5)]);
  const has = entry[key];
  if (has === undefined) return false;
  return Array.isArray(has) ? has.some((word) => glob(value, word)) : glob(value, has);
}

function matchesColumn(column, { key, value }) {
  return glob(value, String(column[key]).toLowerCase()) || (key !== "browser" && String(column[key]).toLowerCase().includes(value));
}

function matchesCell(column, number, { key, value }) {
  const kind = kindOf(column, number);
  if (key === "kind") return value === "attention" ? isAttention(kind) : glob(value, KINDS[kind].word);
  if (key === "outcome") return glob(value, OUTCOMES[column.cells.outcomes[number]]);
  if (key === "says") return wordsOf(column, number).toLowerCase().includes(value);
  const verdict = VERDICTS[column.cells.verdicts[number]] || "";
  if (key === "verdict") return glob(value, verdict);
  return glob(value, STANDINGS[kind] || "unexpected");
}

// The columns and cases that a filter leaves. `steps` tells which cases go through a step, where `step:` is asked for.
function choose({ terms }, steps) {
  const of = (keys) => terms.filter((term) => keys.includes(term.key));
  const about = (term) => term.key === null || CASE_KEYS.includes(term.key) || (term.key || "").startsWith("with-");
  const [cases, columns, cells, rows] = [terms.filter(about), of(COLUMN_KEYS), of(CELL_KEYS), of(ROW_KEYS)];
  const shown = report.columns.filter((column) => holds(columns, (term) => matchesColumn(column, term)));
  const numbers = [];
  let count = 0;
  report.cases.forEach((entry, number) => {
    if (!holds(cases, (term) => matchesCase(entry, term))) return;
    if (!holds(rows, (term) => matchesRow(shown, number, term, steps))) return;
    const fits = shown.filter((column) => kindOf(column, number) !== " " && holds(cells, (term) => matchesCell(column, number, term)));
    if (!fits.length) return;
    count += fits.length;
    numbers.push(number);
  });
  return { columns: shown, numbers, cells: count };
}

function matchesRow(columns, number, { key, value }, steps) {
  if (key === "step") return !!steps && steps(value).has(number);
  const kinds = new Set(columns.map((column) => kindOf(column, number)).filter((kind) => kind !== " "));
  if (value === "diff") return new Set(columns.filter((c) => kindOf(c, number) !== " ").map((c) => c.cells.verdicts[number])).size > 1;
  if (value === "attention") return [...kinds].some(isAttention);
  if (value === "changed") return columns.some((column) => changeOf(column, number) !== null);
  if (value === "new") return columns.some((column) => changeOf(column, number) === "added");
  return false;
}
