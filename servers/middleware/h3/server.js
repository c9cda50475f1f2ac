import { setTimeout } from "node:timers/promises";
import { H3, handleCors, noContent, redirect, serve } from "h3";

const policy = JSON.parse(process.env.CORSCHECK_POLICY);

// The documentation writes subdomains as ([a-z0-9-]+\.), with * after it for any depth, anchored and with the scheme.
function origin(entry) {
  if (entry === "*" || !entry.includes("*")) return entry;
  const source = entry.replace(/[\\^$.|?+()[\]{}]/g, "\\$&");
  return new RegExp(`^${source.replaceAll("*\\.", "([a-z0-9-]+\\.)+").replaceAll("*", ".+")}$`);
}

// A list with nothing but * is the "*" of the options, which stands in place of a list.
const any = (list) => (Array.isArray(list) && list.length === 1 && list[0] === "*" ? "*" : list);

function corsOptions({ origins, credentials, methods, requestHeaders, expose, maxAge }) {
  const options = { credentials, methods: any(methods), allowHeaders: any(requestHeaders), exposeHeaders: any(expose) };
  options.origin = any(origins);
  if (Array.isArray(options.origin)) options.origin = options.origin.map(origin);
  // The option is a string.
  if (maxAge !== null) options.maxAge = String(maxAge);
  return options;
}

function cors(options) {
  return (event) => {
    const answer = handleCors(event, options);
    if (answer !== false) return answer;
  };
}

const app = new H3();
try {
  if (policy.default) app.use(cors({}));
  else if (policy.paths) for (const part of policy.paths) app.use(`${part.path}/**`, cors(corsOptions(part)));
  else app.use(cors(corsOptions(policy)));
} catch (error) {
  console.log(`corscheck: refused ${error.message}`);
  process.exit(1);
}

function answer({ res }, status, body, type = "text/plain") {
  res.status = status;
  res.headers.set("X-App", "corscheck");
  res.headers.set("Content-Type", type);
  return body;
}

function resource(event) {
  const { headers } = event.res;
  headers.append("Vary", "Accept-Language");
  headers.set("X-Secret", "secret");
  headers.set("X-Other", "other");
  headers.set("ETag", '"r"');
  headers.set("Cache-Control", "max-age=600");
  return answer(event, 200, "resource");
}

for (const path of ["/r", "/public/r", "/private/r"]) app.all(path, resource);
for (const status of [401, 403, 404, 405, 413]) app.all(`/${status}`, (event) => answer(event, status, "error"));
app.all("/500", () => {
  throw new Error("the handler throws");
});
app.all("/302", (event) => {
  event.res.headers.set("X-App", "corscheck");
  return redirect(`/r${event.url.search}`, 302);
});
app.get("/304", (event) => {
  event.res.headers.set("X-App", "corscheck");
  event.res.headers.set("ETag", '"r"');
  return noContent(304);
});
app.get("/dup", (event) => {
  event.res.headers.set("Access-Control-Allow-Origin", "https://handler.test");
  return resource(event);
});
app.options("/opt", (event) => answer(event, 200, "own options"));
app.get("/opt", (event) => answer(event, 200, "no options"));
app.get("/slow", async (event) => {
  await setTimeout(300);
  return resource(event);
});
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
app.get("/img", (event) => answer(event, 200, Buffer.from(png, "base64"), "image/png"));
app.get("/get", resource);

const { CORSCHECK_HOST: hostname, CORSCHECK_PORT: port } = process.env;
serve(app, { hostname, port, silent: true, gracefulShutdown: false });
