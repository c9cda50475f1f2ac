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

// Audio or video: its first frame is there, or it is not.
function media(name, type, read) {
  return (action, one, { loaded, error, finish }) => {
    const player = (one.held = element(name, action));
    if (!player.canPlayType(type)) return finish({ unsupported: name + " of type " + type });
    const gone = () => {
      player.onerror = player.onloadeddata = null;
      player.removeAttribute("src");
      player.load();
    };
    player.muted = true;
    player.preload = "auto";
    player.onerror = () => {
      gone();
      error();
    };
    const look = () => {
      let readable = false;
      try {
        // An empty canvas is transparent: what is not drawn yet taints nothing, and must not be taken for readable. WebKit can
        // say that the frame is there before it is drawn.
        readable = read(player);
        if (readable === undefined) return scope.setTimeout(look, 20);
      } catch (e) {
        if (e.name !== "SecurityError") return finish({ "agent-fault": String(e && e.stack) });
      }
      gone();
      loaded(readable);
    };
    player.onloadeddata = look;
    player.src = action.url;
  };
}

initiators.video = media("video", 'video/webm; codecs="vp8"', (video) => {
  const drawn = pixel((context) => context.drawImage(video, 0, 0, 1, 1));
  return drawn[3] === 255 || undefined;
});
initiators.audio = media("audio", "audio/wav", () => false);
