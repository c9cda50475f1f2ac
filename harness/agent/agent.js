// The in-page agent: does what the harness says, one action at a time or many at once, and tells what the page saw.
//
// It is one function without free variables besides the platform's globals, so that its text can be put into a document, a
// `data:` URL or a worker. Everything it needs of the platform is taken hold of before the first case runs; what a case does to
// the page later (scripts, prototypes, storage) does not reach it.
function corscheckAgent(config) {
  "use strict";
  const scope = globalThis;
  const { fetch, Request, AbortController, Blob, FormData, URLSearchParams, Uint8Array, ReadableStream, TextEncoder } = scope;
  const { Promise, JSON, String, Object, Array, Error } = scope;
  const XHR = scope.XMLHttpRequest;
  const DOMParser = scope.DOMParser;
  const setTimeout = scope.setTimeout.bind(scope);
  const clearTimeout = scope.clearTimeout.bind(scope);
  const doFetch = fetch.bind(scope);
  const now = scope.performance.now.bind(scope.performance);
  const parse = JSON.parse.bind(JSON);
  const stringify = JSON.stringify.bind(JSON);
  const SHOWN = 4096;

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

  async function runFetch(action, finish) {
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
      else setTimeout(abort, action.abortAfterMs);
    }
    let request;
    try {
      const body = makeBody(action.body, init);
      if (body !== undefined) init.body = body;
      request = new Request(action.url, init);
    } catch (e) {
      return finish({ refused: exception(e) });
    }
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

  function runXhr(action, finish) {
    const events = [];
    const uploadEvents = [];
    const note = (list) => (event) => {
      if (list[list.length - 1] !== event.type) list.push(event.type);
    };
    let thrown;
    const done = (end) => finish(end, events, uploadEvents, thrown);
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
    const read = () => {
      // A synchronous send() that should have thrown and did not: there is no response all the same.
      if (xhr.status === 0) return { "network-error": { name: "none", message: "no exception, status 0" } };
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
        Object.assign(seen, binary(bytes.buffer));
      } else Object.assign(seen, binary(xhr.response || new Uint8Array(0).buffer));
      return { response: seen };
    };
    if (!action.sync) {
      for (const kind of kinds) xhr.addEventListener(kind, note(events));
      let end;
      xhr.addEventListener("load", () => (end = read()));
      // An error of an allowed response that broke off, and a refused one, look alike: status 0 and no headers.
      xhr.addEventListener("error", () => (end = { "network-error": { name: "error", message: "" } }));
      xhr.addEventListener("abort", () => (end = { aborted: { name: "abort", message: "" } }));
      xhr.addEventListener("timeout", () => (end = { aborted: { name: "timeout", message: "" } }));
      xhr.addEventListener("loadend", () => setTimeout(() => done(end), 0));
    }
    try {
      xhr.send(body);
    } catch (e) {
      return done({ [e && e.name === "NetworkError" ? "network-error" : "refused"]: exception(e) });
    }
    if (action.lateCredentials)
      try {
        xhr.withCredentials = true;
      } catch (e) {
        thrown = exception(e);
      }
    if (action.uploadListener === "late") for (const kind of kinds) xhr.upload.addEventListener(kind, note(uploadEvents));
    if (action.sync) return done(read());
    if (action.abortAfterMs === 0) xhr.abort();
    else if (action.abortAfterMs !== undefined) setTimeout(() => xhr.abort(), action.abortAfterMs);
  }

  function run(id, action, patience) {
    const start = now();
    let over = false;
    const finish = (end, events, uploadEvents, thrown) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      send({ id, result: { end, events: events || [], uploadEvents: uploadEvents || [], thrown, ms: now() - start } });
    };
    const timer = setTimeout(() => finish({ "no-answer": { after_ms: now() - start } }), patience);
    try {
      if (action.api === "xhr") runXhr(action, finish);
      else runFetch(action, finish).catch((e) => finish({ refused: { name: "agent", message: String(e && e.stack) } }));
    } catch (e) {
      finish({ refused: { name: "agent", message: String(e && e.stack) } });
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
  const send = (message) => deliver(stringify(message));
  socket.addEventListener("message", (event) => {
    const message = parse(event.data);
    if (message.action) run(message.id, message.action, message.patience);
    else if (message.bare) bare(message.id, message.bare, message.width, message.init);
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
