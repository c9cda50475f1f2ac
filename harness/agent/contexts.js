// The other contexts of a page: each carries an agent of its own.
const source = (child) => corscheckAgent + ";corscheckAgent(" + stringify(child) + ")";
const markup = (child) => "<!doctype html><script nonce=" + config.key + ">" + source(child) + "</" + "script>";
const address = (path, child) => path + "?key=" + config.key + "&config=" + encodeURIComponent(stringify(child));
const blobOf = (text, type) => scope.URL.createObjectURL(new Blob([text], { type }));
// Kept reachable: a worker nobody holds may be collected.
const keep = (made) => (scope.corscheckWorkers ||= []).push(made);

function frame(attributes) {
  const made = scope.document.createElement("iframe");
  Object.assign(made, attributes);
  scope.document.body.append(made);
  return made;
}

const contexts = {
  sandbox: (child) => frame({ sandbox: "allow-scripts", src: address("/agent/frame", child) }),
  sibling: (child) => frame({ src: config.sibling + address("/agent/frame", child) }),
  data: (child) => frame({ src: "data:text/html;charset=utf-8," + encodeURIComponent(markup(child)) }),
  srcdoc: (child) => frame({ srcdoc: markup(child) }),
  blob: (child) => frame({ src: blobOf(markup(child), "text/html;charset=utf-8") }),
  "about-blank": (child) => {
    const made = frame({});
    // Not before its own load is over: engines put another empty document in place of the first one until then.
    setTimeout(() => {
      const script = made.contentDocument.createElement("script");
      script.nonce = config.key;
      script.textContent = source(child);
      made.contentDocument.body.append(script);
    }, 0);
  },
  controlled: (child) => controlled().then(() => frame({ src: address("/agent/controlled/frame", child) })).catch((e) => lacks(child.context, e)),
  "service-worker": (child) => controlled().catch((e) => lacks(child.context, e)),
  worker: (child) => keep(new scope.Worker(address("/agent/worker.js", child))),
  "module-worker": (child) => keep(new scope.Worker(address("/agent/worker.js", child), { type: "module" })),
  "shared-worker": (child) => keep(new scope.SharedWorker(address("/agent/worker.js", child))),
  "blob-worker": (child) => keep(new scope.Worker(blobOf(source(child), "text/javascript"))),
  "data-worker": (child) => keep(new scope.Worker("data:text/javascript;charset=utf-8," + encodeURIComponent(source(child)))),
};

// The service worker of this page, once for all contexts that need one.
let registering;
function controlled() {
  return (registering ||= (async () => {
    const { serviceWorker } = scope.navigator;
    if (!serviceWorker) throw new Error("there are no service workers here");
    const connects = config.children.includes("service-worker");
    const child = { ...config, context: "service-worker", children: [], connects };
    const { installing } = await serviceWorker.register(address("/agent/controlled/worker.js", child), { scope: "/agent/controlled/" });
    // Each page has a key of its own, and with it another script: there is always one to be installed.
    await new Promise((resolve) => {
      installing.addEventListener("statechange", () => installing.state === "activated" && resolve());
      if (installing.state === "activated") resolve();
    });
  })());
}

// The engine has no such context: whatever is asked of it comes to that.
function lacks(context, e) {
  const end = { unsupported: context + ": " + e.message };
  link(context, (message, send) => send({ id: message.id, result: { end, events: [], uploadEvents: [], ms: 0 } }));
}

if (config.base && scope.document) {
  const base = scope.document.createElement("base");
  base.href = config.base;
  scope.document.head.append(base);
}
if (config.domain && scope.document) {
  try {
    scope.document.domain = config.domain;
  } catch {
    // Where the setter is gone, there is nothing that could be ignored.
  }
}

for (const context of config.children || []) {
  const child = { ...config, context, children: [] };
  try {
    contexts[context](child);
  } catch (e) {
    lacks(context, e);
  }
}
