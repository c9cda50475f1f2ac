// Elements of a document that make requests.

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

initiators.img = (action, one, { loaded, error }) => {
  const img = (one.held = element("img", action));
  img.onerror = error;
  img.onload = () => {
    const canvas = scope.document.createElement("canvas");
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
};

initiators.script = (action, one, { loaded, failed, error }) => {
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
  scope.document.head.append(script);
};

initiators.module = (action, one, { loaded, error }) => {
  const script = (one.held = element("script", action));
  script.type = "module";
  const end = (after) => () => {
    script.remove();
    after();
  };
  script.onerror = end(error);
  script.onload = end(() => loaded(true));
  script.src = action.url;
  scope.document.head.append(script);
};

initiators.style = (action, one, { loaded, error }) => {
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
  scope.document.head.append(link);
};

initiators.track = (action, one, { loaded, error }) => {
  const video = (one.held = scope.document.createElement("video"));
  if (action.crossorigin !== undefined) video.setAttribute("crossorigin", action.crossorigin);
  const track = scope.document.createElement("track");
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
  scope.document.body.append(video);
  track.track.mode = "hidden";
};
