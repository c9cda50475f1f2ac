// What every part of the agent needs of the platform.

const scope = globalThis;
const { fetch, Request, AbortController, Blob, FormData, URLSearchParams, Uint8Array, ReadableStream, TextEncoder } = scope;
const { Promise, JSON, String, Object, Array, Error, Set, Symbol } = scope;
const XHR = scope.XMLHttpRequest;
const DOMParser = scope.DOMParser;
const setTimeout = scope.setTimeout.bind(scope);
const setInterval = scope.setInterval.bind(scope);
const doFetch = fetch.bind(scope);
const now = scope.performance.now.bind(scope.performance);
const parse = JSON.parse.bind(JSON);
const stringify = JSON.stringify.bind(JSON);
const SHOWN = 4096;

// Nothing that runs later in this page may change what these do: not for a case, and not for this script.
for (const name of Object.getOwnPropertyNames(scope)) {
  let found;
  try {
    found = Object.getOwnPropertyDescriptor(scope, name).value;
  } catch {
    continue;
  }
  if (typeof found === "function" && found.prototype) {
    Object.freeze(found.prototype);
    Object.freeze(found);
  }
}
const iterators = [[][Symbol.iterator](), new scope.Headers().entries(), new Set().values()];
for (const shared of [JSON, scope.Reflect, ...iterators.map(Object.getPrototypeOf)]) Object.freeze(shared);

const exception = (e) => ({ name: String((e && e.name) || typeof e), message: String((e && e.message) || e) });

function binary(buffer) {
  const bytes = new Uint8Array(buffer);
  let out = "";
  for (let i = 0; i < bytes.length && i < SHOWN; i++) out += String.fromCharCode(bytes[i]);
  return { body: out, bodyLength: bytes.length };
}

function makeBody(body, init) {
  if (body === undefined) return undefined;
  if ("text" in body) return body.text;
  if ("size" in body) return "x".repeat(body.size);
  if ("form" in body) return new URLSearchParams(body.form);
  if ("multipart" in body) {
    const form = new FormData();
    for (const [name, value] of body.multipart) form.append(name, value);
    return form;
  }
  if ("bytes" in body) return new Uint8Array(body.bytes);
  if ("blob" in body) return new Blob([body.blob.data], body.blob.type ? { type: body.blob.type } : {});
  if ("document" in body) return new DOMParser().parseFromString(body.document.markup, body.document.type);
  if ("stream" in body) {
    const encoder = new TextEncoder();
    const chunks = body.stream.map((chunk) => encoder.encode(chunk));
    if (init) init.duplex = "half";
    return new ReadableStream({
      pull(controller) {
        if (chunks.length) controller.enqueue(chunks.shift());
        else controller.close();
      },
    });
  }
  throw new Error("unknown kind of body");
}

// The URL of an action; that of a Blob is made for it.
function addressOf(action) {
  if (!action.blob) return action.url;
  const url = scope.URL.createObjectURL(new Blob([action.blob.data], { type: action.blob.type }));
  if (action.blob.revoked) scope.URL.revokeObjectURL(url);
  return url;
}

// The token of the case whose URL this is.
const token = (url) => (/\/t\/([^/]+)\//.exec(url) || [])[1];

// What makes requests besides fetch() and XMLHttpRequest, by its word. Each gets the action, the record of what is under way (`held`
// keeps a thing alive, `abort` is called when the harness has seen enough of the wire), and how it may end: see `initiator` in the
// cases for what `loaded(true)`, `loaded(false)` and `failed` mean of each.
const initiators = {};

function runInitiator(action, finish, one) {
  const failed = (name, message) => finish({ "network-error": { name, message: message || "" } });
  const loaded = (readable) => finish({ loaded: { readable } });
  const error = () => failed("error");
  const initiate = initiators[action.api];
  if (initiate === undefined) throw new Error("unknown initiator " + action.api);
  initiate(action, one, { loaded, failed, error, finish });
}
