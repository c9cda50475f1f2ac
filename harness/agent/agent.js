// The in-page agent: does what the harness says, one action at a time or many at once, and tells what the page saw.
//
// It is one function without free variables besides the platform's globals, so that its text can be put into a document, a
// `data:` URL or a worker. Everything it needs of the platform is taken hold of before the first case runs; what a case does to
// the page later (scripts, prototypes, storage) does not reach it.
function corscheckAgent(config) {
  "use strict";
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

  // Engines without request streams take a stream for a string; that is a feature they lack and not a verdict.
  function lacksStreams() {
    let read = false;
    try {
      const request = new Request("data:,", {
        method: "POST",
        body: new ReadableStream(),
        get duplex() {
          read = true;
          return "half";
        },
      });
      return !read || request.headers.has("content-type");
    } catch {
      return true;
    }
  }

  async function runFetch(action, finish, one) {
    const streams = action.body && "stream" in action.body;
    if (streams && lacksStreams()) return finish({ unsupported: "request streams" });
    const init = {};
    for (const key of ["method", "credentials", "mode", "redirect", "cache", "referrer", "referrerPolicy", "integrity"])
      if (action[key] !== undefined) init[key] = action[key];
    if (action.keepalive) init.keepalive = true;
    if (action.headers.length) init.headers = action.headers;
    let aborted = false;
    if (action.abortAfterMs !== undefined) {
      const controller = new AbortController();
      init.signal = controller.signal;
      const abort = () => {
        aborted = true;
        controller.abort();
      };
      if (action.abortAfterMs === 0) abort();
      else one.abort = abort;
    }
    let request;
    try {
      const body = makeBody(action.body, init);
      if (body !== undefined) init.body = body;
      request = new Request(action.url, init);
    } catch (e) {
      return finish({ refused: exception(e) });
    }
    // Held until the end: WebKit was seen to collect a Request that nobody holds, and its signal then aborts nothing.
    one.request = request;
    let response;
    try {
      response = await doFetch(request);
    } catch (e) {
      if (streams && e && e.name === "NotSupportedError") return finish({ unsupported: "request streams: " + e.message });
      const ending = aborted && e && e.name === "AbortError" ? "aborted" : "network-error";
      return finish({ [ending]: exception(e) });
    }
    const seen = {
      type: response.type,
      status: response.status,
      statusText: response.statusText,
      url: response.url,
      redirected: response.redirected,
      headers: Array.from(response.headers),
      probed: action.probeHeaders.map((name) => [name, response.headers.get(name)]),
      body: "",
      bodyLength: 0,
    };
    try {
      Object.assign(seen, binary(await response.arrayBuffer()));
    } catch (e) {
      seen.bodyError = exception(e);
    }
    finish({ response: seen });
  }

  function runXhr(action, finish, one) {
    const events = [];
    const uploadEvents = [];
    const note = (list) => (event) => {
      if (list[list.length - 1] !== event.type) list.push(event.type);
    };
    let thrown;
    const done = (end, surface) => finish(end, events, uploadEvents, thrown, surface);
    const kinds = ["loadstart", "progress", "load", "error", "abort", "timeout", "loadend"];
    let xhr;
    let body;
    try {
      xhr = new XHR();
      const [user, password] = action.openCredentials || [];
      const method = action.method === undefined ? "GET" : action.method;
      if (action.openCredentials) xhr.open(method, action.url, !action.sync, user, password);
      else xhr.open(method, action.url, !action.sync);
      if (action.credentials === "include" && !action.lateCredentials) xhr.withCredentials = true;
      for (const [name, value] of action.headers) xhr.setRequestHeader(name, value);
      // A synchronous request of a document may not have a response type; x-user-defined keeps the bytes.
      if (action.sync) xhr.overrideMimeType("text/plain; charset=x-user-defined");
      else xhr.responseType = "arraybuffer";
      if (action.timeoutMs !== undefined) xhr.timeout = action.timeoutMs;
      if (action.uploadListener === "add") for (const kind of kinds) xhr.upload.addEventListener(kind, note(uploadEvents));
      if (action.uploadListener === "on") for (const kind of kinds) xhr.upload["on" + kind] = note(uploadEvents);
      if (action.uploadListener === "read-only") void xhr.upload;
      body = makeBody(action.body);
    } catch (e) {
      return done({ refused: exception(e) });
    }
    const surface = () => {
      const lines = xhr.getAllResponseHeaders().split("\r\n").filter((line) => line !== "");
      const seen = {
        status: xhr.status,
        statusText: xhr.statusText,
        url: xhr.responseURL,
        headers: lines.map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]),
        probed: action.probeHeaders.map((name) => [name, xhr.getResponseHeader(name)]),
      };
      if (action.sync) {
        const text = xhr.responseText;
        const bytes = new Uint8Array(text.length);
        for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) & 0xff;
        return Object.assign(seen, binary(bytes.buffer));
      }
      return Object.assign(seen, binary(xhr.response || new Uint8Array(0).buffer));
    };
    if (!action.sync) {
      for (const kind of kinds) xhr.addEventListener(kind, note(events));
      let end;
      xhr.addEventListener("load", () => (end = { response: surface() }));
      // An error of an allowed response that broke off, and a refused one, look alike: status 0 and no headers.
      xhr.addEventListener("error", () => (end = { "network-error": { name: "error", message: "" } }));
      xhr.addEventListener("abort", () => (end = { aborted: { name: "abort", message: "" } }));
      xhr.addEventListener("timeout", () => (end = { aborted: { name: "timeout", message: "" } }));
      xhr.addEventListener("loadend", () => setTimeout(() => done(end, end.response ? undefined : surface()), 0));
    }
    try {
      xhr.send(body);
    } catch (e) {
      return done({ [e && e.name === "NetworkError" ? "network-error" : "refused"]: exception(e) }, surface());
    }
    if (action.lateCredentials)
      try {
        xhr.withCredentials = true;
      } catch (e) {
        thrown = exception(e);
      }
    if (action.uploadListener === "late") for (const kind of kinds) xhr.upload.addEventListener(kind, note(uploadEvents));
    if (action.sync) {
      // A send() that should have thrown and did not: there is no response all the same.
      if (xhr.status === 0) return done({ "network-error": { name: "none", message: "no exception, status 0" } }, surface());
      return done({ response: surface() });
    }
    if (action.abortAfterMs === 0) xhr.abort();
    else one.abort = () => xhr.abort();
  }

  // What an element made of what it got: see `initiator` in the cases for what each outcome means.
  const token = (url) => (/\/t\/([^/]+)\//.exec(url) || [])[1];
  const runningScripts = new Map();
  if (scope.document)
    scope.addEventListener("error", (event) => {
      // A classic script is current while its exception is told.
      const told = runningScripts.get(scope.document.currentScript);
      if (told === undefined) return;
      event.preventDefault();
      told.readable = event.message.includes("corscheck");
    });

  function element(name, action) {
    const made = scope.document.createElement(name);
    if (action.crossorigin !== undefined) made.setAttribute("crossorigin", action.crossorigin);
    if (action.referrerPolicy !== undefined) made.setAttribute("referrerpolicy", action.referrerPolicy);
    if (action.integrity !== undefined) made.setAttribute("integrity", action.integrity);
    return made;
  }

  function runInitiator(action, finish, one) {
    const { document } = scope;
    const failed = (name, message) => finish({ "network-error": { name, message: message || "" } });
    const loaded = (readable) => finish({ loaded: { readable } });
    const error = () => failed("error");
    switch (action.api) {
      case "img": {
        const img = (one.held = element("img", action));
        img.onerror = error;
        img.onload = () => {
          const canvas = document.createElement("canvas");
          canvas.width = canvas.height = 1;
          const context = canvas.getContext("2d");
          context.drawImage(img, 0, 0);
          let readable = false;
          try {
            const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
            readable = r === 192 && g === 64 && b === 32;
          } catch (e) {
            if (e.name !== "SecurityError") throw e;
          }
          loaded(readable);
        };
        img.src = action.url;
        return;
      }
      case "script": {
        const script = (one.held = element("script", action));
        const told = { readable: false };
        runningScripts.set(script, told);
        const gone = () => {
          runningScripts.delete(script);
          script.remove();
        };
        script.onerror = () => {
          gone();
          error();
        };
        script.onload = () => {
          gone();
          // Nothing but the answer of a case leaves this trace.
          if ((scope.corscheckRan || {})[token(action.url)]) loaded(told.readable);
          else failed("none", "load, and the script did not run");
        };
        script.src = action.url;
        document.head.append(script);
        return;
      }
      case "module": {
        const script = (one.held = element("script", action));
        script.type = "module";
        const end = (after) => () => {
          script.remove();
          after();
        };
        script.onerror = end(error);
        script.onload = end(() => loaded(true));
        script.src = action.url;
        document.head.append(script);
        return;
      }
      case "import":
        import(action.url).then(
          (module) => (module.default === "corscheck " + token(action.url) ? loaded(true) : failed("none", "other exports")),
          (e) => failed(e.name, e.message),
        );
        return;
      case "import-scripts":
        try {
          scope.importScripts(action.url);
        } catch (e) {
          const ran = (scope.corscheckRan || {})[token(action.url)];
          return ran ? loaded(e.message.includes("corscheck")) : failed(e.name, e.message);
        }
        return failed("none", "nothing was thrown");
      case "style": {
        const link = (one.held = element("link", action));
        link.rel = "stylesheet";
        link.onerror = () => {
          link.remove();
          error();
        };
        link.onload = () => {
          let readable = false;
          try {
            readable = link.sheet.cssRules.length === 1;
          } catch (e) {
            if (e.name !== "SecurityError") throw e;
          }
          link.remove();
          loaded(readable);
        };
        link.href = action.url;
        document.head.append(link);
        return;
      }
      case "font": {
        if (!scope.FontFace) return finish({ unsupported: "FontFace" });
        const font = (one.held = new scope.FontFace("corscheck", "url(" + stringify(action.url) + ")"));
        font.load().then(() => loaded(true), (e) => failed(e.name, e.message));
        return;
      }
      case "track": {
        const video = (one.held = document.createElement("video"));
        if (action.crossorigin !== undefined) video.setAttribute("crossorigin", action.crossorigin);
        const track = document.createElement("track");
        track.kind = "metadata";
        track.default = true;
        const end = (after) => () => {
          video.remove();
          after();
        };
        track.onerror = end(error);
        track.onload = end(() => loaded(!!track.track.cues && track.track.cues.length === 1));
        track.src = action.url;
        video.append(track);
        document.body.append(video);
        track.track.mode = "hidden";
        return;
      }
      case "event-source": {
        const source = (one.held = new scope.EventSource(action.url, { withCredentials: action.credentials === "include" }));
        source.onmessage = (event) => {
          source.close();
          if (event.data === "corscheck " + token(action.url)) loaded(true);
          else failed("none", "another message");
        };
        source.onerror = () => {
          source.close();
          error();
        };
        return;
      }
      case "beacon": {
        let taken;
        try {
          taken = scope.navigator.sendBeacon(action.url, makeBody(action.body));
        } catch (e) {
          return finish({ refused: exception(e) });
        }
        if (!taken) return failed("none", "the beacon was not taken");
        // Nothing tells the page when it has arrived: the harness does.
        one.abort = () => loaded(false);
        return;
      }
    }
    throw new Error("unknown initiator " + action.api);
  }

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
    const observer = new scope.PerformanceObserver((list) => {
      const entry = list.getEntriesByName(name)[0];
      if (entry === undefined) return;
      told = entry.requestStart > 0 ? "open" : "closed";
      observer.disconnect();
      if (tell) tell(told);
    });
    observer.observe({ type: "resource" });
    return (then) => {
      if (told) return then(told);
      tell = (words) => {
        tell = () => {};
        then(words);
      };
      setTimeout(() => tell(undefined), 3000);
    };
  }

  function run(id, action, patience) {
    const start = now();
    const timing = action.timing && watchTiming(action.url);
    const finish = (end, events, uploadEvents, thrown, surface) => {
      if (!running.delete(one)) return;
      const result = { end, events: events || [], uploadEvents: uploadEvents || [], thrown, surface, ms: now() - start };
      if (timing) timing((told) => send({ id, result: Object.assign(result, { timing: told }) }));
      else send({ id, result });
    };
    const one = { id, start, deadline: start + patience, finish, abort() {} };
    running.add(one);
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

  const socket = new scope.WebSocket(config.socket + "&context=" + config.context);
  const deliver = socket.send.bind(socket);
  // Messages of one turn of the event loop go out as one: a WebSocket message costs engines as much as a small fetch.
  let outbox = [];
  const flush = () => {
    const messages = outbox;
    outbox = [];
    deliver(stringify(messages));
  };
  // A message port turns the event loop at once, where a timer of 0 may take some milliseconds.
  const turn = new scope.MessageChannel();
  turn.port1.onmessage = flush;
  const nextTurn = turn.port2.postMessage.bind(turn.port2, 0);
  const send = (message) => {
    if (outbox.push(message) === 1) nextTurn();
  };
  socket.addEventListener("message", (event) => {
    for (const message of parse(event.data)) {
      // An abort comes when the harness has seen the request on the wire, not after a time that means nothing on a slow machine.
      if (message.abort) for (const one of running) one.id === message.abort && one.abort();
      else if (message.action) run(message.id, message.action, message.patience);
      else if (message.bare) bare(message.id, message.bare, message.width, message.init);
    }
  });

  for (const context of config.children || []) {
    const child = { socket: config.socket, context };
    if (context === "worker") {
      // Kept reachable: a worker nobody holds may be collected.
      (scope.corscheckWorkers ||= []).push(new scope.Worker("/agent/worker.js?config=" + encodeURIComponent(stringify(child))));
      continue;
    }
    const frame = scope.document.createElement("iframe");
    if (context === "sandbox") {
      frame.sandbox = "allow-scripts";
      frame.src = "/agent/frame?config=" + encodeURIComponent(stringify(child));
    } else {
      const source = "<!doctype html><script>" + corscheckAgent + ";corscheckAgent(" + stringify(child) + ")</" + "script>";
      frame.src = "data:text/html;charset=utf-8," + encodeURIComponent(source);
    }
    scope.document.body.append(frame);
  }
}
