// Scripts of workers and worklets.

function listen(target, action, one, { loaded, failed }, close) {
  one.held = target;
  target.onmessage = (event) => {
    close();
    if (event.data === "corscheck " + token(action.url)) loaded(true);
    else failed("none", "another message");
  };
}

initiators["dedicated-worker"] = (action, one, ends) => {
  let worker;
  try {
    worker = new scope.Worker(action.url);
  } catch (e) {
    return ends.finish({ refused: exception(e) });
  }
  worker.onerror = (event) => {
    event.preventDefault();
    ends.error();
  };
  listen(worker, action, one, ends, () => worker.terminate());
};

initiators["shared-worker"] = (action, one, ends) => {
  if (!scope.SharedWorker) return ends.finish({ unsupported: "SharedWorker" });
  let worker;
  try {
    worker = new scope.SharedWorker(action.url);
  } catch (e) {
    return ends.finish({ refused: exception(e) });
  }
  worker.onerror = (event) => {
    event.preventDefault();
    ends.error();
  };
  listen(worker.port, action, one, ends, () => worker.port.close());
};

initiators["worker-import"] = (action, one, ends) => {
  const source = "import value from " + stringify(action.url) + "; postMessage(value);";
  const url = scope.URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const init = { type: "module" };
  if (action.credentials !== undefined) init.credentials = action.credentials;
  const worker = new scope.Worker(url, init);
  worker.onerror = (event) => {
    event.preventDefault();
    ends.error();
  };
  listen(worker, action, one, ends, () => worker.terminate());
};

initiators.worklet = (action, one, { loaded, failed, finish }) => {
  if (!scope.OfflineAudioContext || !scope.AudioWorklet) return finish({ unsupported: "AudioWorklet" });
  const context = (one.held = new scope.OfflineAudioContext(1, 1, 44100));
  const init = action.credentials === undefined ? {} : { credentials: action.credentials };
  context.audioWorklet.addModule(action.url, init).then(() => loaded(true), (e) => failed(e.name, e.message));
};
