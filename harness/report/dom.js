// Elements. Everything that comes from data enters as text.

// el("a.name", { href }, child, "text", …): a tag with classes, attributes, and children; null children are left out.
function el(tag, attributes, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...flat(children));
  return made;
}

function flat(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : visible(child)));
}

// A link to elsewhere is followed only where it is a web address: data may hold anything.
function outside(url, ...children) {
  const safe = /^https?:\/\//i.test(url);
  return safe ? el("a", { href: url, rel: "noreferrer noopener" }, ...children) : el("span", null, ...children);
}

const code = (text) => el("code", null, text);

function table(caption, heads, rows) {
  return el(
    "div.scroll",
    { tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table.plain",
      null,
      el("caption", null, caption),
      el("thead", null, el("tr", null, heads.map((head) => el("th", { scope: "col" }, head)))),
      el(
        "tbody",
        null,
        rows.map((row) => el("tr", null, row.map((cell, i) => (i === 0 ? el("th", { scope: "row" }, cell) : el("td", null, cell))))),
      ),
    ),
  );
}

// A text with a button that copies it.
function copyable(label, text) {
  const said = el("span.said", { role: "status" });
  const button = el("button", { type: "button", "aria-label": "Copy: " + label, onclick: copy }, "Copy");
  const pre = el("pre", { tabindex: "0", "aria-label": label }, text);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "copied";
    } catch {
      // Files have no clipboard everywhere: then it is selected, and the keyboard copies it.
      getSelection().selectAllChildren(pre);
      said.textContent = "selected: copy it with the keyboard";
    }
  }
  return el("div.copy", null, el("div.copyhead", null, el("span.label", null, label), button, said), pre);
}

function chip(kind, text) {
  return el("span.chip.k-" + KINDS[kind].word, null, KINDS[kind].mark ? el("span.mark", { "aria-hidden": "true" }, KINDS[kind].mark + " ") : null, text || KINDS[kind].words);
}
