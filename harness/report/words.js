// The words of the report: kinds of results, outcomes, and what they look like.

// In order of urgency. A mark is a shape that needs no colour.
const KINDS = {
  o: { word: "too-open", words: "too open", mark: "\u25b2", means: "the page got to know what the standard hides" },
  s: { word: "too-strict", words: "too strict", mark: "\u25bc", means: "the page was denied what the standard grants" },
  w: { word: "wrong-wire", words: "wrong wire", mark: "\u2260", means: "the outcome is right, how it came about is not" },
  l: { word: "stale", words: "stale", mark: "!", means: "a known deviation is on record, and it agrees or fails otherwise" },
  f: { word: "flaky", words: "flaky", mark: "~", means: "attempts came to different verdicts" },
  n: { word: "not-judged", words: "not judged", mark: "?", means: "the observation proves nothing: a control failed, or there was no answer" },
  k: { word: "known", words: "known", mark: "K", means: "it fails exactly as a known deviation says" },
  a: { word: "agrees", words: "agrees", mark: "", means: "as the standard says, on the page and on the wire" },
  i: { word: "recorded", words: "recorded", mark: "", means: "unspecified behaviour: what happened is noted" },
  u: { word: "unsupported", words: "unsupported", mark: "\u00b7", means: "the user agent lacks what the case needs" },
  " ": { word: "none", words: "no result", mark: "", means: "not selected here" },
};
const URGENCY = "oswlfnkaiu ";
const isAttention = (kind) => URGENCY.indexOf(kind) < 6;

const VERDICTS = { a: "agrees", o: "too-open", s: "too-strict", w: "wrong-wire", n: "not-judged", u: "unsupported" };
const STANDINGS = { l: "stale", f: "flaky", k: "known", a: "as-expected", i: "as-expected", u: "as-expected" };

const OUTCOMES = { A: "allowed", B: "blocked", O: "opaque", P: "opaque-redirect", R: "refused", X: "aborted", "-": "no outcome", " ": "" };

const LEVELS = ["must", "should", "info"];

// What a cell shows: the letter of what was observed, and a mark where the verdict is not plain agreement.
function glyph(kind, outcome) {
  const letter = outcome === "-" || outcome === " " ? "" : outcome;
  if (kind === "o" || kind === "s") return letter + KINDS[kind].mark;
  if (kind === "a" || kind === "i") return letter || "\u2013";
  return KINDS[kind].mark;
}

const plural = (n, one, many) => number(n) + " " + (n === 1 ? one : many);
const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
const seconds = (ms) => (ms >= 60000 ? Math.floor(ms / 60000) + " min " : "") + ((ms % 60000) / 1000).toFixed(1) + " s";

// Characters that cannot be seen, or that make a line read as something it is not, are written out.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;
const visible = (text) =>
  String(text).replace(HIDDEN, (c) => {
    const code = c.charCodeAt(0).toString(16).toUpperCase();
    return code.length > 2 ? "\\u{" + code + "}" : "\\x" + code.padStart(2, "0");
  });
