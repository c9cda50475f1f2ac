// Addresses: everything that can be seen has one, behind the hash. One function reads them and one writes them.

const DEFAULTS = { q: "", group: "area", sort: "worst", cols: "", try: "", all: "", only: "" };
const VIEWS = ["", "matrix", "case", "subject", "spec", "compare", "env", "about"];

// { view, path: [parts behind it], query, unknown: [keys] }
function readRoute(hash) {
  const [path, search] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view, ...rest] = path.split("/").map(decode);
  const query = { ...DEFAULTS };
  const unknown = [];
  for (const [key, value] of new URLSearchParams(search || "")) {
    query[key] = value;
    if (!(key in DEFAULTS)) unknown.push(key);
  }
  return { view, path: rest, query, unknown };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// A slash in an id stays readable; everything else that could mean something is escaped.
const encodeId = (id) => encodeURIComponent(id).replace(/%2F/g, "/");

function writeRoute(view, path, query) {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query || {})) {
    if (value !== (key in DEFAULTS ? DEFAULTS[key] : undefined)) search.set(key, value);
  }
  const tail = search.toString();
  return "#/" + [view, ...(path || [])].filter((part) => part !== "").map((part) => encodeId(String(part))).join("/") + (tail ? "?" + tail : "");
}

const matrixRoute = (filter) => writeRoute("matrix", [], { q: filter });
const caseRoute = (number, query) => writeRoute("case", [report.cases[number].id], query);

// A column in addresses: the browser, with its number where several have the name.
function columnKey(column) {
  const twins = report.columns.filter((other) => other.browser === column.browser);
  return twins.length === 1 && /^[a-z]+$/.test(column.browser) ? column.browser : "c" + column.number;
}

const cellRoute = (column, number, query) => writeRoute("case", [report.cases[number].id, "in", columnKey(column)], query);
const columnOf = (key) => report.columns.find((column) => columnKey(column) === key);

// An id may hold slashes: what follows `in` is the column.
function readCase(path) {
  const at = path.lastIndexOf("in");
  if (at > 0 && at === path.length - 2) return { id: path.slice(0, at).join("/"), column: path[at + 1] };
  return { id: path.join("/"), column: null };
}
