// The blocks of data. Each is inflated when it is wanted first, and read once.

const blocks = new Map();

function block(id) {
  if (!blocks.has(id)) blocks.set(id, inflate(id));
  return blocks.get(id);
}

async function inflate(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error("this file has no block " + id + ": it is damaged");
  const binary = atob(node.textContent.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const value = await new Response(plain).json();
  node.remove();
  return value;
}

// What the page works with: the index, and what follows from it.
let report;

function prepare(index) {
  const cases = index.cases;
  const byId = new Map(cases.map((entry, number) => [entry.id, number]));
  for (const entry of cases) {
    entry.area = entry.id.split("/")[0];
    entry.text = (entry.id + "\n" + entry.title).toLowerCase();
    // The case whose variant it is: `area/slug` of `area/slug.xhr`.
    const dot = entry.id.indexOf(".", entry.id.indexOf("/"));
    entry.stem = dot < 0 || entry.family ? entry.id : entry.id.slice(0, dot);
  }
  index.columns.forEach((column, i) => {
    column.number = i;
    column.cells = index.cells[i];
    column.base = index.base && index.base.cells[i];
  });
  return { ...index, byId, areas: [...new Set(cases.map((entry) => entry.area))] };
}

const kindOf = (column, number) => column.cells.kinds[number];
const wordsOf = (column, number) => column.cells.words[number] || "";

// Where it parts from what is right, without the values: `wire.field:Origin`.
const partOf = (column, number) => wordsOf(column, number).split(": expected")[0].replace(/^step \d+: /, "");

// The detail of a case with its numbered strings put back; null where the catalogue at hand did not have it.
async function detailOf(number) {
  const { cases, strings } = await block("detail");
  const found = cases[number];
  if (!found) return null;
  return { ...found, steps: found.s.map((step) => ({ ...step, path: step.p.map((line) => pathLine(line, strings)) })) };
}

function pathLine([algorithm, step, says, decides, wanted, found], strings) {
  const compared = wanted === undefined ? null : { wanted: strings[wanted], found: strings[found] };
  return { algorithm: strings[algorithm], step, says: strings[says], decides: decides === 1, compared };
}

// The attempts at a case in a column; null where they are left out.
async function attemptsOf(column, number) {
  const { t, s } = await block("traces-" + column.number);
  const found = t[number];
  return found ? found.map((attempt) => ({ ...attempt, x: attempt.x.map((exchange) => exchangeOf(exchange, s)) })) : null;
}

function exchangeOf(x, s) {
  const [at, step, connection, h2, arrived, answered, method, target, fields, raw, body, bodyLength, complete, status, head, answerBody, answerLength, fate] = x;
  return {
    at,
    step,
    connection,
    protocol: h2 ? "HTTP/2" : "HTTP/1.1",
    arrived: arrived / 10,
    answered: answered === null ? null : answered / 10,
    method,
    target: s[target],
    fields: s[fields] ? s[fields].split("\n").map(field) : [],
    raw: raw === null ? null : s[raw],
    body: s[body],
    bodyLength,
    complete: complete === 1,
    status,
    head: s[head],
    answerFields: headFields(s[head]),
    answerBody: s[answerBody],
    answerLength,
    fate,
  };
}

function field(line) {
  const colon = line.indexOf(":");
  return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).trim()];
}

// The head as it was sent is escaped: `\r\n` are four characters in it.
function headFields(head) {
  return head
    .split("\\r\\n")
    .slice(1)
    .filter((line) => line !== "")
    .map(field);
}

// Whether a request asks for leave first.
const isPreflight = (exchange) => exchange.method === "OPTIONS" && exchange.fields.some(([name]) => name.toLowerCase() === "access-control-request-method");
