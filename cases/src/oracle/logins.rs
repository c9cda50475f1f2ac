//! Authentication entries (Fetch, authentication entries; RFC 7617, section 2.2): logins that were used once and are used again.

use url::Url;

/// The logins that a user agent remembers.
#[derive(Debug, Clone, Default)]
pub struct Logins(Vec<Login>);

#[derive(Debug, Clone)]
struct Login {
    partition: String,
    origin: String,
    /// The path up to its last slash: whatever lies below it is in the same protection space.
    folder: String,
    /// The value of `Authorization`.
    value: String,
}

impl Logins {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Creates an entry for the URL of a request.
    pub(super) fn add(&mut self, partition: &str, url: &Url, value: String) {
        let folder = folder(url.path()).to_owned();
        let origin = url.origin().ascii_serialization();
        self.0.retain(|l| (&*l.partition, &l.origin, &l.folder) != (partition, &origin, &folder));
        self.0.push(Login { partition: partition.to_owned(), origin, folder, value });
    }

    /// The entry for a request to this URL: which requests one is for beyond that which made it, HTTP says.
    pub(super) fn find(&self, partition: &str, url: &Url) -> Option<&str> {
        let origin = url.origin().ascii_serialization();
        let is_for = |l: &&Login| l.partition == partition && l.origin == origin && url.path().starts_with(&l.folder);
        self.0.iter().filter(is_for).max_by_key(|l| l.folder.len()).map(|l| &*l.value)
    }
}

fn folder(path: &str) -> &str {
    path.rfind('/').map_or(path, |at| &path[..=at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_for_its_folder_and_what_lies_below() {
        let url = |text: &str| Url::parse(text).expect("it is a URL");
        let mut logins = Logins::default();
        logins.add("p", &url("http://b.test/x/r?q"), "Basic 1".to_owned());
        logins.add("p", &url("http://b.test/x/y/r"), "Basic 2".to_owned());
        for (found, partition, text) in [
            (Some("Basic 1"), "p", "http://b.test/x/other"),
            (Some("Basic 2"), "p", "http://b.test/x/y/z/r"),
            (None, "p", "http://b.test/r"),
            (None, "p", "http://b.test:8080/x/r"),
            (None, "q", "http://b.test/x/r"),
        ] {
            assert_eq!(logins.find(partition, &url(text)), found, "{text}");
        }
        logins.add("p", &url("http://b.test/x/s"), "Basic 3".to_owned());
        assert_eq!(logins.find("p", &url("http://b.test/x/r")), Some("Basic 3"));
    }
}
