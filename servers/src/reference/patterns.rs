//! Origins and patterns of them, as an owner writes them.

use url::Url;

use super::policy::Refusal;

/// Who may read: one entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// A serialized origin.
    Origin(String),
    /// Every origin that has this before and that behind at least one character more of a host.
    Wild(String, String),
    /// `null`.
    Opaque,
    /// `*`.
    Any,
}

impl Pattern {
    /// Reads an entry; what is meant without a doubt is brought into serialized form, and the rest is refused.
    pub(super) fn parse(text: &str, credentials: bool) -> Result<Self, Refusal> {
        match text {
            "*" => return Ok(Pattern::Any),
            "null" => return Ok(Pattern::Opaque),
            _ => {}
        }
        let Some((before, behind)) = text.split_once('*') else {
            return origin(text).map(Pattern::Origin);
        };
        let refused = |words: &str| Err(Refusal(format!("`{text}`: {words}")));
        // An origin it must be, whatever stands for the asterisk.
        let Ok(example) = origin(&format!("{before}x{behind}")) else { return refused("it is no pattern of origins") };
        if behind.contains('*') || format!("{before}x{behind}") != example {
            return refused("one asterisk, in a host");
        }
        let host = behind.split(':').next().unwrap_or_default();
        let parent = host.split_once('.').map_or("", |(_, parent)| parent);
        if credentials {
            if !parent.contains('.') && !parent.ends_with("test") {
                return refused("nearly every site matches it: that is every origin, with credentials");
            }
            let suffix = psl::suffix(parent.as_bytes());
            if suffix.is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == parent.as_bytes()) {
                return refused("anybody can have a name below a public suffix");
            }
        }
        Ok(Pattern::Wild(before.to_owned(), behind.to_owned()))
    }

    /// Whether an origin is meant.
    pub(super) fn matches(&self, origin: &str) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Opaque => origin == "null",
            Pattern::Origin(one) => one == origin,
            Pattern::Wild(before, behind) => {
                let inner = origin.strip_prefix(&**before).and_then(|rest| rest.strip_suffix(&**behind)).unwrap_or_default();
                let label = |label: &str| {
                    !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
                };
                inner.split('.').all(label)
            }
        }
    }
}

fn origin(text: &str) -> Result<String, Refusal> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url {
        Some(url) if matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() => {
            Ok(url.origin().ascii_serialization())
        }
        _ => Err(Refusal(format!("`{text}` is no origin: expected one like https://app.example.com"))),
    }
}
