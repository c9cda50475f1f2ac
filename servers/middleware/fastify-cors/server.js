import { METHODS } from "node:http";
import cors from "@fastify/cors";
import Fastify from "fastify";

const policy = JSON.parse(process.env.CORSCHECK_POLICY);

function stop(kind, words) {
  console.log(`corscheck: ${kind} ${words}`);
  process.exit(1);
}

// The documentation writes "every subdomain" as ([a-z0-9-]+\.)+, anchored and with the scheme.
function origin(entry) {
  if (entry === "*" || !entry.includes("*")) return entry;
  const source = entry.replace(/[\\^$.|?+()[\]{}]/g, "\\$&");
  return new RegExp(`^${source.replaceAll("*\\.", "([a-z0-9-]+\\.)+").replaceAll("*", ".+")}$`);
}

function corsOptions({ origins, credentials, methods, requestHeaders, expose, maxAge }) {
  const options = { credentials, methods, exposedHeaders: expose };
  if (!Array.isArray(origins)) options.origin = origins;
  else if (origins.length === 1 && origins[0] === "*") options.origin = "*";
  else options.origin = origins.map(origin);
  // Without this option the plugin allows every request header.
  if (requestHeaders?.join() !== "*") options.allowedHeaders = requestHeaders;
  if (maxAge !== null) options.maxAge = maxAge;
  return options;
}

const app = Fastify();
for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
// The application takes a body of any type, and does not look at it.
app.removeAllContentTypeParsers();
app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));

if (policy.default) await app.register(cors);
else if (!policy.paths) await app.register(cors, corsOptions(policy));

const own = (reply, status) => reply.code(status).header("X-App", "corscheck");

function resource(request, reply) {
  // reply.header replaces, so a handler that adds to Vary says what is there already.
  own(reply, 200).header("Vary", [reply.getHeader("Vary"), "Accept-Language"].filter(Boolean).join(", "));
  reply.headers({ "X-Secret": "secret", "X-Other": "other", ETag: '"r"', "Cache-Control": "max-age=600" });
  return reply.type("text/plain").send("resource");
}

app.all("/r", resource);
for (const status of [401, 403, 404, 405, 413]) {
  app.all(`/${status}`, (request, reply) => own(reply, status).type("text/plain").send("error"));
}
app.all("/500", () => {
  throw new Error("the handler throws");
});
app.all("/302", (request, reply) => own(reply, 302).redirect(request.url.replace(/^[^?]*/, "/r")));
app.get("/304", (request, reply) => own(reply, 304).header("ETag", '"r"').send());
app.get("/dup", (request, reply) => resource(request, reply.header("Access-Control-Allow-Origin", "https://handler.test")));
app.options("/opt", (request, reply) => own(reply, 200).type("text/plain").send("own options"));
app.get("/opt", (request, reply) => own(reply, 200).type("text/plain").send("no options"));
app.get("/slow", (request, reply) => {
  setTimeout(resource, 300, request, reply);
  return reply;
});
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
app.get("/img", (request, reply) => own(reply, 200).type("image/png").send(Buffer.from(png, "base64")));
app.get("/get", resource);

// A policy for a path is the plugin registered in a scope with that prefix.
const scopes = ["/public", "/private"];
for (const prefix of scopes) {
  const part = policy.paths?.find(({ path }) => path === prefix);
  const scope = async (instance) => {
    if (part) await instance.register(cors, corsOptions(part));
    instance.all("/r", resource);
  };
  app.register(scope, { prefix });
}
for (const { path } of policy.paths ?? []) if (!scopes.includes(path)) stop("unsupported", `a policy for ${path}`);

try {
  await app.ready();
} catch (error) {
  stop("refused", error.message);
}
// An origin that the plugin calls invalid makes every request an error, and the first one shows it.
const first = await app.inject("/r");
if (first.statusCode === 500) stop("refused", first.json().message);

await app.listen({ port: Number(process.env.CORSCHECK_PORT), host: process.env.CORSCHECK_HOST });
