import { setTimeout } from "node:timers/promises";
import cors from "@koa/cors";
import Router from "@koa/router";
import Koa from "koa";
import mount from "koa-mount";

const policy = JSON.parse(process.env.CORSCHECK_POLICY);

function stop(kind, words) {
  console.log(`corscheck: ${kind} ${words}`);
  process.exit(1);
}

// The option holds one string, which is the answer to everybody; for more there is only a function of the user's own.
function origin(origins) {
  if (!Array.isArray(origins)) return origins;
  if (origins.length !== 1) stop("unsupported", origins.length === 0 ? "no origin at all" : "a list of origins");
  if (origins[0] !== "*" && origins[0].includes("*")) stop("unsupported", "a pattern in an origin");
  return origins[0];
}

function corsOptions({ origins, credentials, methods, requestHeaders, expose, maxAge }) {
  const options = { origin: origin(origins), credentials, allowMethods: methods, exposeHeaders: expose };
  // Without this option the middleware allows every request header.
  if (requestHeaders?.join() !== "*") options.allowHeaders = requestHeaders;
  if (maxAge !== null) options.maxAge = maxAge;
  return options;
}

const app = new Koa();
try {
  if (policy.default) app.use(cors());
  else if (policy.paths) for (const part of policy.paths) app.use(mount(part.path, cors(corsOptions(part))));
  else app.use(cors(corsOptions(policy)));
} catch (error) {
  stop("refused", error.message);
}

function answer(ctx, status, body) {
  ctx.status = status;
  ctx.set({ "X-App": "corscheck", "Content-Type": "text/plain" });
  ctx.body = body;
}

function resource(ctx) {
  ctx.vary("Accept-Language");
  ctx.set({ "X-Secret": "secret", "X-Other": "other", ETag: '"r"', "Cache-Control": "max-age=600" });
  answer(ctx, 200, "resource");
}

const router = new Router();
for (const path of ["/r", "/public/r", "/private/r"]) router.all(path, resource);
for (const status of [401, 403, 404, 405, 413]) router.all(`/${status}`, (ctx) => answer(ctx, status, "error"));
router.all("/500", () => {
  throw new Error("the handler throws");
});
router.all("/302", (ctx) => {
  ctx.set("X-App", "corscheck");
  ctx.redirect(`/r${ctx.search}`);
});
router.get("/304", (ctx) => {
  ctx.set({ "X-App": "corscheck", ETag: '"r"' });
  ctx.status = 304;
});
router.get("/dup", (ctx) => {
  ctx.set("Access-Control-Allow-Origin", "https://handler.test");
  resource(ctx);
});
router.options("/opt", (ctx) => answer(ctx, 200, "own options"));
router.get("/opt", (ctx) => answer(ctx, 200, "no options"));
router.get("/slow", async (ctx) => {
  await setTimeout(300);
  resource(ctx);
});
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
router.get("/img", (ctx) => {
  ctx.set("X-App", "corscheck");
  ctx.type = "image/png";
  ctx.body = Buffer.from(png, "base64");
});
router.get("/get", resource);
app.use(router.routes()).use(router.allowedMethods());

app.listen(Number(process.env.CORSCHECK_PORT), process.env.CORSCHECK_HOST);
