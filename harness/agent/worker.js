// A service worker that does with requests what it is told, one answer for each token, and tells what it saw. In the pages that it
// controls: the other end of that.
const toldWorker = {};

if (config.context === "service-worker") {
  scope.addEventListener("install", () => scope.skipWaiting());
  scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
  scope.addEventListener("message", (event) => {
    const { token: of, answer } = event.data;
    const [port] = event.ports;
    if (answer) toldWorker[of] = { answer, saw: [] };
    port.postMessage(toldWorker[of] ? toldWorker[of].saw : []);
    if (!answer) delete toldWorker[of];
  });
  scope.addEventListener("fetch", (event) => {
    const { request } = event;
    const told = toldWorker[token(request.url)];
    if (told === undefined) return;
    told.saw.push(request.method + " " + new scope.URL(request.url).pathname.split("/")[3]);
    const { answer } = told;
    told.answer = { respond: "nothing" };
    const init = {};
    for (const key of ["mode", "credentials", "redirect"]) if (answer[key] !== undefined) init[key] = answer[key];
    switch (answer.respond) {
      case "response":
        return event.respondWith(new scope.Response(answer.body || null, { status: answer.status || 200, headers: answer.headers }));
      case "error":
        return event.respondWith(scope.Response.error());
      case "reject":
        return event.respondWith(Promise.reject(new Error("rejected")));
      case "redirect":
        return event.respondWith(scope.Response.redirect(answer.next, answer.status || 302));
      case "pass":
        return event.respondWith(doFetch(request));
      case "fetch":
        return event.respondWith(doFetch(request.url, init));
      case "fetch-next":
        return event.respondWith(doFetch(answer.next, init));
    }
  });
}

// Tells the worker of this page's own what to do, or asks what it saw.
function tellWorker(message) {
  return new Promise((resolve) => {
    const channel = new scope.MessageChannel();
    channel.port1.onmessage = (event) => resolve(event.data);
    scope.navigator.serviceWorker.controller.postMessage(message, [channel.port2]);
  });
}

// Runs an action between the two.
async function throughWorker(id, action, patience) {
  const of = token(action.url);
  await tellWorker({ token: of, answer: action.worker || { respond: "nothing" } });
  run(id, action, patience, async (result) => Object.assign(result, { workerSaw: await tellWorker({ token: of }) }));
}
