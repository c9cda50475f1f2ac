// Links that load ahead. They stay in the document: what is loaded is theirs.

function ahead(rel, action, one, { loaded, error, finish }) {
  const link = (one.held = element("link", action));
  if (!link.relList.supports(rel)) return finish({ unsupported: "rel=" + rel });
  link.rel = rel;
  if (action.as !== undefined) link.setAttribute("as", action.as);
  // Unknown words are reflected as none.
  if (action.as !== undefined && link.as !== action.as) return finish({ unsupported: "rel=preload as=" + action.as });
  link.onload = () => loaded(false);
  link.onerror = error;
  link.href = action.url;
  scope.document.head.append(link);
}

initiators.preload = (action, one, ways) => ahead("preload", action, one, ways);
initiators["module-preload"] = (action, one, ways) => ahead("modulepreload", action, one, ways);
