//! What a user agent remembers from one fetch to the next.

use super::{
    cookies::CookieStore, defect::Defects, http_cache::HttpCache, logins::Logins, preflight_cache::PreflightCache, preloads::Preloads,
};

/// A user agent: its stores, its settings, and, for self-tests, its defects.
#[derive(Debug, Clone, Default)]
pub struct UserAgent {
    /// The CORS-preflight cache.
    pub cache: PreflightCache,
    /// The HTTP cache.
    pub http_cache: HttpCache,
    /// What its documents have loaded ahead.
    pub preloads: Preloads,
    /// The authentication entries.
    pub logins: Logins,
    /// The cookie store.
    pub cookies: CookieStore,
    /// What is wrong with it; nothing, for a prediction.
    pub defects: Defects,
    /// What the standard leaves to it.
    pub settings: Settings,
}

/// What the standard leaves to a user agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The value of `User-Agent`.
    pub user_agent: &'static str,
    /// The imposed limit on max-age, in seconds (CORS-preflight fetch, step 7.10).
    pub max_age_limit: u64,
    /// Whether entries of the CORS-preflight cache stay as long as they may.
    pub keeps_preflights: bool,
    /// Whether there is an HTTP cache.
    pub keeps_responses: bool,
    /// Whether requests to other sites have cookies (append a request `Cookie` header, step 1).
    pub third_party_cookies: bool,
    /// The value of Accept-Language, when it is in the list before the request is judged (fetching, step 14).
    pub accept_language: Option<&'static str>,
    /// Whether a 304 that nobody asked for and a status above 599 are responses.
    pub odd_status: bool,
}

impl Default for Settings {
    fn default() -> Self {
        // Chromium's limit, the least of those that engines have.
        Self {
            user_agent: "Mozilla/5.0 (simulated user agent)",
            max_age_limit: 7200,
            keeps_preflights: true,
            keeps_responses: true,
            third_party_cookies: true,
            accept_language: None,
            odd_status: true,
        }
    }
}

impl UserAgent {
    /// A user agent that conforms and remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one defect.
    pub fn with(defects: Defects) -> Self {
        Self { defects, ..Self::default() }
    }
}
