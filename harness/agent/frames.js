// Navigations, and links that are followed.

// A frame that has loaded is open to the page or closed.
function opened(frame, action) {
  // An <embed> gives no document but SVG's.
  const document = frame.contentDocument;
  return !!document && !!document.body && document.body.textContent.includes("corscheck " + token(action.url));
}

function framed(name, attribute) {
  return (action, one, { loaded, error }) => {
    const made = (one.held = scope.document.createElement(name));
    if (name !== "iframe") made.type = "text/html";
    made.onload = () => {
      const readable = opened(made, action);
      made.remove();
      loaded(readable);
    };
    made.onerror = () => {
      made.remove();
      error();
    };
    made[attribute] = action.url;
    scope.document.body.append(made);
  };
}

initiators.frame = framed("iframe", "src");
initiators.object = framed("object", "data");
initiators.embed = framed("embed", "src");

initiators.form = (action, one, { loaded }) => {
  const frame = (one.held = scope.document.createElement("iframe"));
  frame.name = "form-" + token(action.url);
  scope.document.body.append(frame);
  const form = scope.document.createElement("form");
  form.action = action.url;
  form.method = action.method || "get";
  form.target = frame.name;
  for (const [name, value] of (action.body && action.body.form) || []) {
    const input = scope.document.createElement("input");
    input.name = name;
    input.value = value;
    form.append(input);
  }
  scope.document.body.append(form);
  // Its own empty document has loaded before this; what loads now is the answer.
  setTimeout(() => {
    frame.onload = () => {
      const readable = opened(frame, action);
      frame.remove();
      form.remove();
      loaded(readable);
    };
    form.submit();
  }, 0);
};

initiators.ping = (action, one, { loaded }) => {
  const link = (one.held = scope.document.createElement("a"));
  link.ping = action.url;
  link.href = "#";
  scope.document.body.append(link);
  link.click();
  one.abort = () => {
    link.remove();
    loaded(false);
  };
};

initiators["keepalive-frame"] = (action, one, { loaded, finish }) => {
  const frame = (one.held = scope.document.createElement("iframe"));
  scope.document.body.append(frame);
  const init = { keepalive: true };
  for (const key of ["method", "credentials"]) if (action[key] !== undefined) init[key] = action[key];
  if (action.headers.length) init.headers = action.headers;
  try {
    const body = makeBody(action.body, init);
    if (body !== undefined) init.body = body;
    // Its promise goes with the frame.
    frame.contentWindow.fetch(action.url, init).catch(() => {});
  } catch (e) {
    return finish({ refused: exception(e) });
  }
  frame.remove();
  one.abort = () => loaded(false);
};
