import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { cors } from "hono/cors";

const policy = JSON.parse(process.env.CORSCHECK_POLICY);

function stop(kind, words) {
  console.log(`corscheck: ${kind} ${words}`);
  process.exit(1);
}

function corsOptions({ origins, credentials, methods, requestHeaders, expose, maxAge }) {
  const options = { origin: origins, credentials, allowMethods: methods, exposeHeaders: expose };
  if (Array.isArray(origins)) {
    if (origins.length === 1 && origins[0] === "*") options.origin = "*";
    else if (origins.some((entry) => entry !== "*" && entry.includes("*"))) stop("unsupported", "a pattern in an origin");
  }
  // Without this option the middleware allows every request header.
  if (requestHeaders?.join() !== "*") options.allowHeaders = requestHeaders;
  if (maxAge !== null) options.maxAge = maxAge;
  return options;
}

const app = new Hono();
try {
  if (policy.default) app.use(cors());
  else if (policy.paths) for (const part of policy.paths) app.use(`${part.path}/*`, cors(corsOptions(part)));
  else app.use(cors(corsOptions(policy)));
} catch (error) {
  stop("refused", error.message);
}

const own = { "X-App": "corscheck" };
const text = { ...own, "Content-Type": "text/plain" };

function resource(c) {
  c.header("Vary", "Accept-Language", { append: true });
  return c.body("resource", 200, {
    ...text,
    "X-Secret": "secret",
    "X-Other": "other",
    ETag: '"r"',
    "Cache-Control": "max-age=600",
  });
}

for (const path of ["/r", "/public/r", "/private/r"]) app.all(path, resource);
for (const status of [401, 403, 404, 405, 413]) app.all(`/${status}`, (c) => c.body("error", status, text));
app.all("/500", () => {
  throw new Error("the handler throws");
});
app.all("/302", (c) => {
  c.header("X-App", "corscheck");
  return c.redirect(c.req.url.replace(/^[^?]*/, "/r"), 302);
});
app.get("/304", (c) => c.body(null, 304, { ...own, ETag: '"r"' }));
app.get("/dup", (c) => {
  c.header("Access-Control-Allow-Origin", "https://handler.test");
  return resource(c);
});
app.options("/opt", (c) => c.body("own options", 200, text));
app.get("/opt", (c) => c.body("no options", 200, text));
app.get("/slow", async (c) => {
  await new Promise((done) => setTimeout(done, 300));
  return resource(c);
});
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
app.get("/img", (c) => c.body(Buffer.from(png, "base64"), 200, { ...own, "Content-Type": "image/png" }));
app.get("/get", resource);

serve({ fetch: app.fetch, port: Number(process.env.CORSCHECK_PORT), hostname: process.env.CORSCHECK_HOST });
