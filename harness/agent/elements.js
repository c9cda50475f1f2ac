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

// An image, and how its pixels are got at: a reader gives the colour of one, or throws where it may not.
function image(read) {
  return (action, one, { loaded, error, finish }) => {
    const img = (one.held = element("img", action));
    img.onerror = error;
    img.onload = async () => {
      let readable = false;
      try {
        const [r, g, b] = await read(img);
        readable = r === 192 && g === 64 && b === 32;
      } catch (e) {
        if (e.name === "NotSupportedError") return finish({ unsupported: e.message });
        if (e.name !== "SecurityError") return finish({ "agent-fault": String(e && e.stack) });
      }
      loaded(readable);
    };
    img.src = action.url;
  };
}

function pixel(draw) {
  const canvas = scope.document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d");
  draw(context);
  return context.getImageData(0, 0, 1, 1).data;
}

initiators.img = image((img) => pixel((context) => context.drawImage(img, 0, 0)));

initiators["image-bitmap"] = image(async (img) => {
  const bitmap = await scope.createImageBitmap(img);
  return pixel((context) => context.drawImage(bitmap, 0, 0));
});

initiators["image-pattern"] = image((img) =>
  pixel((context) => {
    context.fillStyle = context.createPattern(img, "repeat");
    context.fillRect(0, 0, 1, 1);
  }),
);

initiators["image-texture"] = image((img) => {
  const gl = scope.document.createElement("canvas").getContext("webgl");
  if (!gl) throw new scope.DOMException("WebGL", "NotSupportedError");
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, img);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, gl.getParameter(gl.TEXTURE_BINDING_2D), 0);
  const data = new Uint8Array(4);
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, data);
  return data;
});

// An image of a style: the page hears nothing of it, the harness sees the wire.
function cssImage(property) {
  return (action, one, { loaded }) => {
    const box = (one.held = scope.document.createElement("div"));
    box.style.cssText = "width: 10px; height: 10px; float: left; " + property + ": url(" + stringify(action.url) + ")";
    scope.document.body.append(box);
    one.abort = () => {
      box.remove();
      loaded(false);
    };
  };
}

for (const property of ["mask-image", "shape-outside", "background-image"]) initiators[property] = cssImage(property);

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

// Audio or video: it is there, or it is not. A reader is made ready before it is asked
// for, started when it is there, and then tells whether it may be looked into; `undefined` asks for patience.
// An element that waits for data for ever is told of nothing: it has not loaded.
function media(name, type, read) {
  return (action, one, { loaded, failed, error, finish }) => {
    const player = (one.held = element(name, action));
    if (!player.canPlayType(type)) return finish({ unsupported: name + " of type " + type });
    const stalled = () => {
      const seen = "nothing more came: networkState " + player.networkState + ", readyState " + player.readyState;
      gone();
      failed("stalled", seen);
    };
    const timer = scope.setTimeout(stalled, (one.deadline - now()) * 0.7);
    const gone = () => {
      scope.clearTimeout(timer);
      player.onerror = player.onloadeddata = null;
      player.removeAttribute("src");
      player.load();
    };
    player.preload = "auto";
    const start = read(player);
    player.onerror = () => {
      gone();
      error();
    };
    player.onloadeddata = async () => {
      let readable;
      try {
        const look = await start();
        while ((readable = look()) === undefined) {
          await new Promise((go) => scope.setTimeout(go, 20));
          if (!running.has(one)) return;
        }
      } catch (e) {
        if (e.name === "NotSupportedError") return finish({ unsupported: e.message });
        if (e.name !== "SecurityError") return finish({ "agent-fault": String(e && e.stack) });
        readable = false;
      }
      gone();
      loaded(readable);
    };
    player.src = action.url;
  };
}

// An empty canvas is transparent: what is not drawn yet taints nothing, and must not be taken for readable. WebKit can say that the
// frame is there before it is drawn.
initiators.video = media("video", 'video/webm; codecs="vp8"', (video) => () => () => {
  const drawn = pixel((context) => context.drawImage(video, 0, 0, 1, 1));
  return drawn[3] === 255 || undefined;
});

// Whether a node of Web Audio has given anything but silence lately.
function sounds(analyser) {
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  return samples.some((sample) => Math.abs(sample) > 0.01);
}

let audioContext;
function listener(context) {
  const analyser = context.createAnalyser();
  // Most of a second: it is looked at now and then, and a player without a device may be faster than time.
  analyser.fftSize = 32768;
  // Nobody need hear it, and what leads nowhere is not computed everywhere.
  const quiet = context.createGain();
  quiet.gain.value = 0;
  analyser.connect(quiet).connect(context.destination);
  return analyser;
}

// It plays to its end: silence is what Web Audio heard of it while it heard a tone of its own all along.
initiators.audio = media("audio", "audio/wav", (player) => {
  const context = (audioContext ||= new (scope.AudioContext || scope.webkitAudioContext)());
  const control = listener(context);
  const tone = context.createOscillator();
  tone.connect(control);
  tone.start();
  const heard = listener(context);
  context.createMediaElementSource(player).connect(heard);
  return async () => {
    const begun = performance.now();
    context.resume();
    while (!sounds(control)) {
      if (performance.now() - begun > 4000) throw new scope.DOMException("Web Audio stands still: " + context.state, "NotSupportedError");
      await new Promise((go) => scope.setTimeout(go, 20));
    }
    let end = Infinity;
    player.onended = () => (end = context.currentTime + 0.2);
    await player.play();
    return () => {
      const isOver = context.currentTime > end;
      if (sounds(heard)) return true;
      return isOver && sounds(control) ? false : undefined;
    };
  };
});
