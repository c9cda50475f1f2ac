// How much of the standards was tested: the checklist, and the algorithms step by step.

// Which cases go through which step, by `algorithm.step`.
let steps = null;
async function stepsOf() {
  if (steps) return steps;
  const { cases, strings } = await block("detail");
  const found = new Map();
  cases.forEach((entry, number) => {
    for (const step of entry ? entry.s : []) {
      for (const [algorithm, at, says, decides] of step.p) {
        const key = slug(strings[algorithm]) + "." + at;
        if (!found.has(key)) found.set(key, { algorithm: strings[algorithm], step: at, says: new Set(), cases: new Set(), decides: 0 });
        const line = found.get(key);
        line.says.add(strings[says]);
        line.cases.add(number);
        line.decides += decides;
      }
    }
  });
  return (steps = found);
}

// For the filter: the cases of all steps that a pattern means. `cors-check.4` means its substeps too.
async function stepIndex() {
  const found = await stepsOf();
  return (pattern) => {
    const cases = new Set();
    for (const [key, line] of found) if (glob(pattern, key) || key.startsWith(pattern + ".")) for (const number of line.cases) cases.add(number);
    return cases;
  };
}

const worstOf = (numbers) => [...URGENCY].find((kind) => kind !== " " && numbers.some((n) => report.columns.some((column) => kindOf(column, n) === kind))) || " ";

async function specView(route) {
  const [wanted] = route.path.length ? [route.path.join("/")] : [null];
  if (wanted && wanted.includes("/")) return behaviourView(wanted);
  const [found, { behaviours }] = [await stepsOf(), await block("detail")];
  const { algorithms } = report;
  if (wanted) return stepView(wanted, found, algorithms);
  const sections = new Map();
  for (const row of behaviours) {
    const name = row[0].split("/")[0];
    if (!sections.has(name)) sections.set(name, []);
    sections.get(name).push(row);
  }
  const standings = ["covered", "no case needed", "untestable here", "not in this run"];
  const names = [...new Set([...found.values()].map((line) => line.algorithm))].sort((a, b) => algorithms.findIndex(([n]) => n === a) - algorithms.findIndex(([n]) => n === b));
  return [
    el("h1", { tabindex: "-1" }, "How much of the standards was tested"),
    el("p", null, "Each behaviour of the checklist has a case that can fail, or a stated reason why none can exist. Below stand the algorithms whose steps the cases of this run go through, with the worst that came of a case on that step."),
    table("The checklist by section", ["section", ...standings], [...sections].map(([name, rows]) => [el("a", { href: "#/spec/" + encodeId(name) }, name), ...standings.map((standing) => number(rows.filter((row) => row[2] === standing).length))])),
    [...sections].map(([name, rows]) => el("details.section", { id: "section-" + name }, el("summary", null, name + ": " + plural(rows.length, "behaviour", "behaviours")), behaviourList(rows))),
    el("h2", null, "Algorithms"),
    names.map((name) => {
      const lines = [...found].filter(([, line]) => line.algorithm === name).sort(([, a], [, b]) => compareSteps(a.step, b.step));
      const spec = algorithms.find(([n]) => n === name);
      return el("details.section", null, el("summary", null, name + ": " + plural(lines.length, "step", "steps"), " ", chip(worstOf([...new Set(lines.flatMap(([, line]) => [...line.cases]))]))), spec && el("p", null, outside(specUrl(spec[1]), spec[1])), stepList(lines));
    }),
  ];
}

function compareSteps(a, b) {
  const [x, y] = [a.split("."), b.split(".")].map((parts) => parts.map(Number));
  for (let i = 0; i < Math.max(x.length, y.length); i++) if (x[i] !== y[i]) return (x[i] || 0) - (y[i] || 0);
  return 0;
}

const stepList = (lines) => el("ul.steps", null, lines.map(([key, line]) => el("li", null, el("a", { href: writeRoute("spec", [key]) }, "step " + line.step), " ", el("span.quiet", null, plural(line.cases.size, "case", "cases")), " ", chip(worstOf([...line.cases])), el("div.quiet", null, [...line.says].slice(0, 3).join(" \u00b7 ")))));

const behaviourCases = (id) => report.cases.flatMap((entry, n) => ((entry.behaviour || []).includes(id) ? [n] : []));

function behaviourList(rows) {
  return el(
    "ul.steps",
    null,
    rows.map(([id, sentence, standing, why]) => {
      const numbers = behaviourCases(id);
      return el("li", null, el("a", { href: writeRoute("spec", [id]) }, code(id)), " ", el("span.quiet", null, standing + (numbers.length ? ", " + plural(numbers.length, "case", "cases") : "")), numbers.length > 0 && [" ", chip(worstOf(numbers))], el("div", null, sentence), why && el("div.quiet", null, why));
    }),
  );
}

async function behaviourView(id) {
  const { behaviours } = await block("detail");
  const row = behaviours.find(([name]) => name === id);
  if (!row) return [el("h1", { tabindex: "-1" }, "There is no behaviour ", code(id)), el("p", null, el("a", { href: writeRoute("spec") }, "All of them"))];
  const [, sentence, standing, why, anchor] = row;
  return [el("h1", { tabindex: "-1" }, code(id)), el("p.lead", null, sentence), facts([["standard", anchor], ["standing", standing], ["why", why]]), el("h2", null, "Cases"), caseList(behaviourCases(id))];
}

const caseList = (numbers) => (numbers.length ? el("ul.ids", null, numbers.slice(0, 500).map((n) => el("li", null, el("a", { href: caseRoute(n) }, code(report.cases[n].id)), " ", report.columns.map((column) => [el("span.glyph.k-" + KINDS[kindOf(column, n)].word, { title: column.name + ": " + KINDS[kindOf(column, n)].words }, glyph(kindOf(column, n), column.cells.outcomes[n])), " "]), report.cases[n].title)), numbers.length > 500 && el("li", null, "and " + number(numbers.length - 500) + " more")) : el("p", null, "None in this run."));

function stepView(wanted, found, algorithms) {
  const lines = [...found].filter(([key]) => key === wanted || key.startsWith(wanted + "."));
  if (!lines.length) {
    const section = document.getElementById("section-" + wanted);
    if (section) return section;
    return sectionView(wanted, found);
  }
  const [, first] = lines[0];
  const numbers = [...new Set(lines.flatMap(([, line]) => [...line.cases]))];
  const spec = algorithms.find(([name]) => name === first.algorithm);
  return [
    el("h1", { tabindex: "-1" }, lines.length === 1 || lines[0][0] === wanted ? first.algorithm + ", step " + first.step : first.algorithm),
    spec && el("p", null, outside(specUrl(spec[1]), spec[1])),
    el("p", null, plural(numbers.length, "case goes", "cases go") + " through it. ", el("a", { href: matrixRoute("step:" + wanted) }, "In the matrix")),
    stepList(lines.sort(([, a], [, b]) => compareSteps(a.step, b.step))),
    el("h2", null, "Cases"),
    caseList(numbers),
  ];
}

async function sectionView(name) {
  const { behaviours } = await block("detail");
  const rows = behaviours.filter(([id]) => id.startsWith(name + "/"));
  if (!rows.length) return [el("h1", { tabindex: "-1" }, "Nothing in this run is called " + name), el("p", null, el("a", { href: writeRoute("spec") }, "Everything that was tested"))];
  return [el("h1", { tabindex: "-1" }, name), behaviourList(rows)];
}
