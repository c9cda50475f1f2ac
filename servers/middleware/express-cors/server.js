import cors from "cors";
import express from "express";

const policy = JSON.parse(process.env.CORSCHECK_POLICY);

// An origin with a * in it is written as a regular expression: it is what cors has for patterns.
function origin(entry) {
  if (entry === "*" || !entry.includes("*")) return entry;
  return new RegExp(`^${entry.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&")).join(".+")}$`);
}

function corsOptions({ origins, credentials, methods, requestHeaders, expose, maxAge }) {
  const options = { credentials, methods, exposedHeaders: expose };
  if (!Array.isArray(origins)) options.origin = origins;
  else if (origins.length === 1 && origins[0] === "*") options.origin = "*";
  else options.origin = origins.map(origin);
  // Without this option cors allows every request header.
  if (requestHeaders?.join() !== "*") options.allowedHeaders = requestHeaders;
  if (maxAge !== null) options.maxAge = maxAge;
  return options;
}

const app = express();
try {
  if (policy.default) app.use(cors());
  else if (policy.paths) for (const part of policy.paths) app.use(part.path, cors(corsOptions(part)));
  else app.use(cors(corsOptions(policy)));
} catch (error) {
  console.log(`corscheck: refused ${error.message}`);
  process.exit(1);
}

const own = (res) => res.set("X-App", "corscheck");

function resource(req, res) {
  own(res).vary("Accept-Language");
  res.set({ "X-Secret": "secret", "X-Other": "other", ETag: '"r"', "Cache-Control": "max-age=600" });
  // res.type would add a charset, and so would a string.
  res.setHeader("Content-Type", "text/plain").send(Buffer.from("resource"));
}

app.all(["/r", "/public/r", "/private/r"], resource);
for (const status of [401, 403, 404, 405, 413]) {
  app.all(`/${status}`, (req, res) => own(res).status(status).type("text/plain").send("error"));
}
app.all("/500", () => {
  throw new Error("the handler throws");
});
app.all("/302", (req, res) => own(res).redirect(302, req.url.replace(/^[^?]*/, "/r")));
app.get("/304", (req, res) => own(res).status(304).set("ETag", '"r"').end());
app.get("/dup", (req, res) => {
  res.set("Access-Control-Allow-Origin", "https://handler.test");
  resource(req, res);
});
app.options("/opt", (req, res) => own(res).type("text/plain").send("own options"));
app.get("/opt", (req, res) => own(res).type("text/plain").send("no options"));
app.get("/slow", (req, res) => setTimeout(resource, 300, req, res));
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
app.get("/img", (req, res) => own(res).type("image/png").send(Buffer.from(png, "base64")));
app.get("/get", resource);

app.listen(Number(process.env.CORSCHECK_PORT), process.env.CORSCHECK_HOST);
