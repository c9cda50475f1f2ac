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
    if (action.openCredentials) xhr.open(method, addressOf(action), !action.sync, user, password);
    else xhr.open(method, addressOf(action), !action.sync);
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
