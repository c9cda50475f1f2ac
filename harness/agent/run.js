// One clock for all that runs: a timer per action would cost more than the action's own work.
const running = new Set();
setInterval(() => {
  const time = now();
  for (const one of running) if (time > one.deadline) one.finish({ "no-answer": { after_ms: time - one.start } });
}, 500);

// What Resource Timing tells of a URL. Entries come after the response has ended; an observer gets those that no buffer has room for.
function watchTiming(url) {
  const name = new scope.URL(url, scope.location.href).href.replace(/#.*/, "");
  let told;
  let tell;
  let count = 0;
  const observer = new scope.PerformanceObserver((list) => {
    const entries = list.getEntriesByName(name);
    count += entries.length;
    // That of the request itself is the last one; before it there would be a preflight's.
    const entry = entries[entries.length - 1];
    if (entry === undefined) return;
    told = {
      timing: entry.requestStart > 0 ? "open" : "closed",
      entry: {
        "response-status": entry.responseStatus,
        "content-type": entry.contentType,
        "encoded-body-size": entry.encodedBodySize,
        "decoded-body-size": entry.decodedBodySize,
        "server-timing": entry.serverTiming && Array.from(entry.serverTiming, (metric) => metric.name),
      },
    };
    if (tell) tell();
  });
  observer.observe({ type: "resource" });
  return (then) => {
    const end = () => {
      tell = () => {};
      observer.disconnect();
      if (told) told.entry.count = count;
      then(told);
    };
    // What else there is of this URL comes with the same turn or before.
    tell = () => setTimeout(end, 0);
    if (told) tell();
    else setTimeout(() => tell === undefined || told || end(), 3000);
  };
}

function run(id, action, patience, after) {
  const start = now();
  const timing = action.timing && watchTiming(action.url);
  const finish = (end, events, uploadEvents, thrown, surface) => {
    if (!running.delete(one)) return;
    const result = { end, events: events || [], uploadEvents: uploadEvents || [], thrown, surface, ms: now() - start };
    const conclude = (told) => {
      Object.assign(result, told);
      if (after) after(result).then(() => send({ id, result }));
      else send({ id, result });
    };
    if (timing) timing(conclude);
    else conclude();
  };
  const one = { id, start, deadline: start + patience, finish, abort() {} };
  running.add(one);
  for (const attribute of action.entry || [])
    if (!(attribute in scope.PerformanceResourceTiming.prototype)) return finish({ unsupported: "PerformanceResourceTiming." + attribute });
  if (config.isolated && !scope.crossOriginIsolated) return finish({ unsupported: "this embedder policy: the page is not cross-origin isolated" });
  try {
    if (action.api === "xhr") runXhr(action, finish, one);
    else if (action.api !== "fetch") runInitiator(action, finish, one);
    else runFetch(action, finish, one).catch((e) => finish({ "agent-fault": String(e && e.stack) }));
  } catch (e) {
    finish({ "agent-fault": String(e && e.stack) });
  }
}

// The bare loop that speed is measured against: nothing but fetches, so many at once.
async function bare(id, urls, width, init) {
  const start = now();
  let next = 0;
  let allowed = 0;
  const one = async () => {
    while (next < urls.length) {
      const url = urls[next++];
      try {
        await (await doFetch(url, init)).arrayBuffer();
        allowed++;
      } catch {
        // A blocked read counts like an allowed one.
      }
    }
  };
  await Promise.all(Array.from({ length: width }, one));
  send({ id, bare: { ms: now() - start, allowed } });
}

// Connects a context with the harness. Messages of one turn of the event loop go out as one: a WebSocket message costs engines as much
// as a small fetch.
function link(context, receive) {
  const socket = new scope.WebSocket(config.socket + "&context=" + context);
  const deliver = socket.send.bind(socket);
  let outbox = [];
  // A message port turns the event loop at once, where a timer of 0 may take some milliseconds.
  const turn = new scope.MessageChannel();
  turn.port1.onmessage = () => {
    const messages = outbox;
    outbox = [];
    deliver(stringify(messages));
  };
  const nextTurn = turn.port2.postMessage.bind(turn.port2, 0);
  const send = (message) => {
    if (outbox.push(message) === 1) nextTurn();
  };
  socket.addEventListener("message", (event) => {
    for (const message of parse(event.data)) receive(message, send);
  });
  return send;
}

// A service worker that nobody asks anything has no link.
const connects = config.context !== "service-worker" || config.connects;
const send = connects && link(config.context, (message) => {
  // An abort comes when the harness has seen the request on the wire, not after a time that means nothing on a slow machine.
  if (message.abort) for (const one of running) one.id === message.abort && one.abort();
  else if (message.action && config.context === "controlled") throughWorker(message.id, message.action, message.patience);
  else if (message.action) run(message.id, message.action, message.patience);
  else if (message.bare) bare(message.id, message.bare, message.width, message.init);
});
