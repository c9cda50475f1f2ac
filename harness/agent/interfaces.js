// Interfaces that make requests, besides fetch() and XMLHttpRequest.

initiators.import = (action, _one, { loaded, failed }) => {
  import(action.url).then(
    (module) => (module.default === "corscheck " + token(action.url) ? loaded(true) : failed("none", "other exports")),
    (e) => failed(e.name, e.message),
  );
};

initiators["import-scripts"] = (action, _one, { loaded, failed }) => {
  try {
    scope.importScripts(action.url);
  } catch (e) {
    const ran = (scope.corscheckRan || {})[token(action.url)];
    return ran ? loaded(e.message.includes("corscheck")) : failed(e.name, e.message);
  }
  return failed("none", "nothing was thrown");
};

initiators.font = (action, one, { loaded, failed, finish }) => {
  if (!scope.FontFace) return finish({ unsupported: "FontFace" });
  const font = (one.held = new scope.FontFace("corscheck", "url(" + stringify(action.url) + ")"));
  font.load().then(() => loaded(true), (e) => failed(e.name, e.message));
};

initiators["event-source"] = (action, one, { loaded, failed, error, finish }) => {
  let source;
  try {
    source = one.held = new scope.EventSource(action.url, { withCredentials: action.credentials === "include" });
  } catch (e) {
    return finish({ refused: exception(e) });
  }
  source.onmessage = (event) => {
    source.close();
    if (event.data === "corscheck " + token(action.url)) loaded(true);
    else failed("none", "another message");
  };
  source.onerror = () => {
    source.close();
    error();
  };
};

initiators.beacon = (action, one, { loaded, failed, finish }) => {
  let taken;
  try {
    taken = scope.navigator.sendBeacon(action.url, makeBody(action.body));
  } catch (e) {
    return finish({ refused: exception(e) });
  }
  if (!taken) return failed("none", "the beacon was not taken");
  // Nothing tells the page when it has arrived: the harness does.
  one.abort = () => loaded(false);
};

initiators["fetch-later"] = (action, one, { loaded, finish }) => {
  if (!scope.fetchLater) return finish({ unsupported: "fetchLater()" });
  const init = { activateAfter: 0 };
  for (const key of ["method", "credentials"]) if (action[key] !== undefined) init[key] = action[key];
  if (action.headers.length) init.headers = action.headers;
  try {
    const body = makeBody(action.body, init);
    if (body !== undefined) init.body = body;
    one.held = scope.fetchLater(action.url, init);
  } catch (e) {
    return finish({ refused: exception(e) });
  }
  // Nothing tells the page when it has arrived: the harness does.
  one.abort = () => loaded(false);
};

initiators["web-socket"] = (action, one, { loaded, error, finish }) => {
  let socket;
  try {
    socket = one.held = new scope.WebSocket(action.url.replace(/^http/, "ws"));
  } catch (e) {
    return finish({ refused: exception(e) });
  }
  socket.onopen = () => {
    socket.onerror = null;
    socket.close();
    loaded(true);
  };
  socket.onerror = () => error();
};
