// The other contexts of a page: each carries an agent of its own.
const source = (child) => corscheckAgent + ";corscheckAgent(" + stringify(child) + ")";
const address = (path, child) => path + "?config=" + encodeURIComponent(stringify(child));

function frame(attributes) {
  const made = scope.document.createElement("iframe");
  Object.assign(made, attributes);
  scope.document.body.append(made);
}

const contexts = {
  sandbox: (child) => frame({ sandbox: "allow-scripts", src: address("/agent/frame", child) }),
  data: (child) => {
    const markup = "<!doctype html><script>" + source(child) + "</" + "script>";
    frame({ src: "data:text/html;charset=utf-8," + encodeURIComponent(markup) });
  },
  // Kept reachable: a worker nobody holds may be collected.
  worker: (child) => (scope.corscheckWorkers ||= []).push(new scope.Worker(address("/agent/worker.js", child))),
};

for (const context of config.children || []) contexts[context]({ socket: config.socket, context });
