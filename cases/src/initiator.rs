//! Initiators: what makes a request besides `fetch()` and XMLHttpRequest, and what its reads mean.
//!
//! Each has one small definition of its outcomes. `allowed`: the page has the thing and may look into it. `opaque`: the page has the
//! thing and may not look into it. `blocked`: the page has nothing.
//!
//! | initiator | allowed | opaque | blocked |
//! |---|---|---|---|
//! | `img` | `load`, and a canvas gives its pixels back | `load`, and the canvas is tainted | `error` |
//! | `script` | it ran, and its exception is told in full | it ran, and its exception is "Script error." | `error` |
//! | `module` | `load` | never | `error` |
//! | `import` | the promise gives its exports | never | the promise is rejected |
//! | `import-scripts` | it ran, and its exception is told in full | it ran, and its exception is a NetworkError | it did not run |
//! | `style` | `load`, and script may read its rules | `load`, and reading them throws | `error` |
//! | `font` | the FontFace loads | never | it fails |
//! | `track` | `load`, and there are cues | never | `error` |
//! | `video` | `loadeddata`, and a canvas gives its pixels back | `loadeddata`, and the canvas is tainted | `error` |
//! | `audio` | it plays, and Web Audio hears it | it plays, and Web Audio hears silence | `error` |
//! | `event-source` | a message arrives | never | `error` |
//! | `beacon` | never | the browser takes it | it does not |
//! | `image-bitmap`, `image-pattern`, `image-texture` | the image gives its pixels back this way | it is tainted, or the reader refuses it | `error` |
//! | `mask-image`, `shape-outside`, `background-image` | never | it is asked for; the wire tells the rest | – |
//! | `frame`, `object`, `embed`, `form` | `load`, and its document can be looked into (never that of `embed`) | `load`, and it cannot | – |
//! | `dedicated-worker`, `shared-worker` | a message comes of it | never | `error` |
//! | `worker-import` | the worker that imports it runs | never | `error` |
//! | `worklet` | the promise is fulfilled | never | it is rejected |
//! | `keepalive-frame` | never | it is called; the wire tells the rest | – |
//! | `web-socket` | `open` | never | `error` |
//! | `ping` | never | the link is followed; the wire tells the rest | – |
//! | `fetch-later` | never | the browser takes it | – |
//! | `preload`, `module-preload` | never | `load` | `error` |

use crate::format::{AnswerEntry, Api, FieldEntry, PreloadAs};

/// One pixel of a colour that nothing else here has.
const PIXEL: &[u8] = include_bytes!("../media/pixel.png");

/// A fifth of a second of one colour: VP8 in WebM.
const FRAME: &[u8] = include_bytes!("../media/frame.webm");

/// A quarter of a second of a tone: PCM in WAV.
const TONE: &[u8] = include_bytes!("../media/tone.wav");

/// A font of one letter.
const LETTER: &[u8] = include_bytes!("../media/letter.ttf");

/// Bytes in the notation of case files.
fn escaped(bytes: &[u8]) -> String {
    crate::text::escape(bytes).replace('{', "{{").replace('}', "}}")
}

impl Api {
    /// The word used in files, on terminals and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Api::Fetch => "fetch",
            Api::Xhr => "xhr",
            Api::Img => "img",
            Api::Script => "script",
            Api::Module => "module",
            Api::Import => "import",
            Api::ImportScripts => "import-scripts",
            Api::Style => "style",
            Api::Font => "font",
            Api::Track => "track",
            Api::Audio => "audio",
            Api::Video => "video",
            Api::EventSource => "event-source",
            Api::Beacon => "beacon",
            Api::FetchLater => "fetch-later",
            Api::ImageBitmap => "image-bitmap",
            Api::ImagePattern => "image-pattern",
            Api::ImageTexture => "image-texture",
            Api::MaskImage => "mask-image",
            Api::ShapeOutside => "shape-outside",
            Api::BackgroundImage => "background-image",
            Api::Frame => "frame",
            Api::Object => "object",
            Api::Embed => "embed",
            Api::Form => "form",
            Api::DedicatedWorker => "dedicated-worker",
            Api::SharedWorker => "shared-worker",
            Api::WorkerImport => "worker-import",
            Api::Worklet => "worklet",
            Api::WebSocket => "web-socket",
            Api::Ping => "ping",
            Api::KeepaliveFrame => "keepalive-frame",
            Api::Preload => "preload",
            Api::ModulePreload => "module-preload",
        }
    }

    /// Whether it is neither `fetch()` nor XMLHttpRequest.
    pub fn is_initiator(self) -> bool {
        !matches!(self, Api::Fetch | Api::Xhr)
    }

    /// Whether nobody hears what becomes of its requests: it takes them, and the wire tells the rest.
    pub fn is_sent_and_gone(self) -> bool {
        matches!(self, Api::Beacon | Api::FetchLater | Api::Ping | Api::KeepaliveFrame) || self.is_css_image()
    }

    /// Whether it takes a credentials mode.
    pub(crate) fn has_credentials(self) -> bool {
        matches!(self, Api::EventSource | Api::FetchLater | Api::KeepaliveFrame | Api::WorkerImport | Api::Worklet)
    }

    /// Whether it is an image of a style.
    pub(crate) fn is_css_image(self) -> bool {
        matches!(self, Api::MaskImage | Api::ShapeOutside | Api::BackgroundImage)
    }

    /// Whether it is an `<img>`, whoever reads it.
    pub(crate) fn is_img(self) -> bool {
        matches!(self, Api::Img | Api::ImageBitmap | Api::ImagePattern | Api::ImageTexture)
    }

    /// Whether it is an `<audio>` or a `<video>`.
    pub(crate) fn is_media(self) -> bool {
        matches!(self, Api::Audio | Api::Video)
    }

    /// Whether it is a navigation of a frame.
    pub(crate) fn is_navigation(self) -> bool {
        matches!(self, Api::Frame | Api::Object | Api::Embed | Api::Form)
    }

    /// Whether its element has a `crossorigin` attribute.
    pub(crate) fn has_crossorigin(self) -> bool {
        self.is_img()
            || self.is_media()
            || matches!(self, Api::Script | Api::Module | Api::Style | Api::Track | Api::Preload | Api::ModulePreload)
    }

    /// Whether its element has an `integrity` attribute.
    pub(crate) fn has_integrity(self) -> bool {
        matches!(self, Api::Script | Api::Module | Api::Style | Api::Preload | Api::ModulePreload)
    }

    /// Whether workers have it.
    pub(crate) fn is_in_workers(self) -> bool {
        matches!(self, Api::Fetch | Api::Xhr | Api::Import | Api::ImportScripts | Api::EventSource | Api::WebSocket)
    }

    /// Whether windows have it.
    pub(crate) fn is_in_windows(self) -> bool {
        self != Api::ImportScripts
    }

    /// What an answer has for it where a case says nothing else: a Content-Type and a body, in the notation of case files.
    pub(crate) fn material(self) -> Option<(&'static str, String)> {
        Some(match self {
            Api::Fetch | Api::Xhr | Api::Beacon | Api::FetchLater | Api::Ping | Api::KeepaliveFrame | Api::Preload | Api::WebSocket => {
                return None;
            }
            _ if self.is_img() || self.is_css_image() => ("image/png", escaped(PIXEL)),
            _ if self.is_navigation() => ("text/html", "<!doctype html><title>corscheck</title><body>corscheck {token}</body>".to_owned()),
            Api::DedicatedWorker => ("text/javascript", "postMessage(\"corscheck {token}\");".to_owned()),
            Api::SharedWorker => {
                ("text/javascript", "onconnect = (event) => event.ports[0].postMessage(\"corscheck {token}\");".to_owned())
            }
            Api::Worklet => {
                ("text/javascript", "registerProcessor(\"corscheck-{token}\", class extends AudioWorkletProcessor {{}});".to_owned())
            }
            Api::Img | Api::ImageBitmap | Api::ImagePattern | Api::ImageTexture => return None,
            Api::MaskImage | Api::ShapeOutside | Api::BackgroundImage => return None,
            Api::Frame | Api::Object | Api::Embed | Api::Form => return None,
            // It leaves a trace that it ran, and then tells, or must not tell, of itself. It is the engine that throws: what becomes
            // of what a script throws itself is not settled (whatwg/html#10514).
            Api::Script | Api::ImportScripts => {
                ("text/javascript", "(globalThis.corscheckRan ||= {{}})[\"{token}\"] = true; corscheck_{token};".to_owned())
            }
            Api::Module | Api::Import | Api::ModulePreload | Api::WorkerImport => {
                ("text/javascript", "export default \"corscheck {token}\";".to_owned())
            }
            Api::Style => ("text/css", ".corscheck-{token} {{ color: red }}".to_owned()),
            Api::Font => ("font/ttf", escaped(LETTER)),
            Api::Audio => ("audio/wav", escaped(TONE)),
            Api::Video => ("video/webm", escaped(FRAME)),
            Api::Track => ("text/vtt", "WEBVTT\\n\\n00:00.000 --> 00:01.000\\ncorscheck {token}\\n".to_owned()),
            Api::EventSource => ("text/event-stream", "data: corscheck {token}\\n\\n".to_owned()),
        })
    }

    /// The bytes of its content, where they are the same for every token.
    fn content(self) -> Option<&'static [u8]> {
        match self {
            Api::Audio => Some(TONE),
            Api::Video => Some(FRAME),
            _ => None,
        }
    }

    /// Its content, and the first and the last byte of a range of it, `FIRST-LAST` or `FIRST-`, where there is such a range.
    fn range(self, range: &str) -> Option<(&'static [u8], usize, usize)> {
        let whole = self.content()?;
        let (first, last) = range.split_once('-')?;
        let first = first.parse().ok()?;
        let last = if last.is_empty() { whole.len() - 1 } else { last.parse().ok()? };
        (first <= last && last < whole.len()).then_some((whole, first, last))
    }

    /// An answer with what goes without saying for it.
    pub(crate) fn furnished(self, entry: &AnswerEntry) -> AnswerEntry {
        let mut entry = entry.clone();
        let Some((content_type, body)) = self.material() else { return entry };
        if entry.raw.is_some() || entry.drop.is_some() {
            return entry;
        }
        let literal = |text: &str| crate::text::Bytes::parse(text).expect("the program's own literals parse");
        let names = |f: &FieldEntry| match f {
            FieldEntry::Pair(name, _) => name.source().eq_ignore_ascii_case("Content-Type"),
            FieldEntry::Line(line) => line.source().to_ascii_lowercase().starts_with("content-type"),
        };
        if !entry.headers.iter().any(names) {
            entry.headers.push(FieldEntry::Pair(literal("Content-Type"), literal(content_type)));
        }
        let range = entry.range.as_ref().filter(|_| entry.body.is_none()).and_then(|range| self.range(range));
        let Some((whole, first, last)) = range else {
            entry.body.get_or_insert_with(|| literal(&body));
            return entry;
        };
        entry.range = None;
        entry.status.get_or_insert(206);
        entry.headers.push(FieldEntry::Pair(literal("Content-Range"), literal(&format!("bytes {first}-{last}/{}", whole.len()))));
        entry.body = Some(literal(&escaped(&whole[first..=last])));
        entry
    }
}

impl PreloadAs {
    /// What uses it.
    pub(crate) fn user(self) -> Api {
        match self {
            PreloadAs::Fetch => Api::Fetch,
            PreloadAs::Font => Api::Font,
            PreloadAs::Image => Api::Img,
            PreloadAs::Script => Api::Script,
            PreloadAs::Style => Api::Style,
        }
    }
}
