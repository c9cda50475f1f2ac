import { stripVTControlCharacters } from "node:util";
import Hapi from "@hapi/hapi";

const policy = JSON.parse(process.env.CORSCHECK_POLICY);
const folders = ["/public", "/private"];

function stop(kind, words) {
  console.log(`corscheck: ${kind} ${words}`);
  process.exit(1);
}

function corsOptions({ origins, credentials, requestHeaders, expose, maxAge }) {
  if (requestHeaders?.join() === "*") stop("unsupported", "any request header");
  const options = { origin: origins, credentials, headers: requestHeaders, exposedHeaders: expose };
  if (maxAge !== null) options.maxAge = maxAge;
  return options;
}

// What a part of the policy is for a route: a method is allowed where its route has the option.
function parts(path) {
  if (policy.default) return { cors: true, methods: ["*"] };
  if (!policy.paths) return { cors: corsOptions(policy), methods: policy.methods };
  const part = policy.paths.find((part) => path.startsWith(`${part.path}/`));
  return part ? { cors: corsOptions(part), methods: part.methods } : { cors: false, methods: ["*"] };
}

function build() {
  const server = Hapi.server({
    host: process.env.CORSCHECK_HOST,
    port: Number(process.env.CORSCHECK_PORT),
    // The application takes a body of any type, and does not look at it.
    routes: { cors: parts("/").cors, payload: { parse: false } },
  });

  function all(path, handler) {
    const { cors, methods } = parts(path);
    // The route for GET is the one for HEAD too, and the names of methods have no case.
    const listed = new Set(methods.map((method) => method.toUpperCase()).filter((method) => method !== "HEAD"));
    if (listed.has("OPTIONS")) stop("unsupported", "the method OPTIONS: a route for it takes the place of the preflight");
    for (const method of listed) server.route({ method, path, handler, options: { cors } });
    if (!listed.has("*")) server.route({ method: "*", path, handler, options: { cors: false } });
  }
  const get = (path, handler) => server.route({ method: "GET", path, handler, options: { cors: parts(path).cors } });

  // Without charset(), hapi adds one to the type.
  const text = (h, body) => h.response(body).type("text/plain").charset().header("X-App", "corscheck");
  const resource = (request, h) =>
    text(h, "resource")
      .vary("Accept-Language")
      .etag("r")
      .header("X-Secret", "secret")
      .header("X-Other", "other")
      .header("Cache-Control", "max-age=600");

  for (const path of ["/r", ...folders.map((folder) => `${folder}/r`)]) all(path, resource);
  for (const status of [401, 403, 404, 405, 413]) all(`/${status}`, (request, h) => text(h, "error").code(status));
  all("/500", () => {
    throw new Error("the handler throws");
  });
  all("/302", (request, h) => h.redirect(`/r${request.url.search}`).header("X-App", "corscheck"));
  get("/304", (request, h) => h.response().code(304).etag("r").header("X-App", "corscheck"));
  get("/dup", (request, h) => resource(request, h).header("Access-Control-Allow-Origin", "https://handler.test"));
  server.route({ method: "OPTIONS", path: "/opt", handler: (request, h) => text(h, "own options") });
  get("/opt", (request, h) => text(h, "no options"));
  get("/slow", async (request, h) => {
    await new Promise((done) => setTimeout(done, 300));
    return resource(request, h);
  });
  const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
  get("/img", (request, h) => h.response(Buffer.from(png, "base64")).type("image/png").header("X-App", "corscheck"));
  get("/get", resource);
  return server;
}

for (const { path } of policy.paths ?? []) if (!folders.includes(path)) stop("unsupported", `a policy for ${path}`);
let server;
try {
  server = build();
} catch (error) {
  // The last line of many says what is wrong; those before it repeat the options.
  stop("refused", stripVTControlCharacters(error.message).split("\n").at(-1));
}
await server.start();
