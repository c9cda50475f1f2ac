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
  const { edits = [], copy, clone, touch } = action.handling || {};
  let request;
  try {
    const body = makeBody(action.body, init);
    if (body !== undefined) init.body = body;
    request = new Request(addressOf(action), init);
    for (const [verb, ...args] of edits) request.headers[verb](...args);
    if (copy) request = new Request(request, copy);
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
  let thrown;
  if (touch)
    try {
      response.headers.set("X-Touched", "1");
    } catch (e) {
      thrown = exception(e);
    }
  if (clone) response = response.clone();
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
  finish({ response: seen }, [], [], thrown);
}
