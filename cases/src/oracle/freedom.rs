//! What the standards leave to a user agent: for each freedom what else may happen besides the prediction.
//!
//! The latitude that HTTP gives in reading malformed messages is not among them: [`super::http1`] reads strictly and says where.

use serde::{Serialize, Serializer};

use super::{
    scenario::{Prediction, Scenario},
    trace::{NoTrace, Path},
    user_agent::{Settings, UserAgent},
};

/// Something that a conforming user agent may do or leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Freedom {
    /// Entries of the CORS-preflight cache may be removed at any time (Fetch, CORS-preflight cache).
    ForgetsPreflights,
    /// What the HTTP cache holds may be removed at any time, or never be stored (RFC 9111, sections 3 and 4).
    ForgetsResponses,
    /// Max-age may be held to a limit, here to none at all (CORS-preflight fetch, step 7.10).
    LimitsMaxAge,
    /// Cookies may be disabled for requests to other sites (append a request `Cookie` header, step 1).
    NoThirdPartyCookies,
    /// Accept-Language should be in the list before the request is judged (fetching, step 14), and is often added later.
    SendsAcceptLanguage,
    /// A 304 that was not asked for, and a status above 599, may be refused as a broken message (RFC 9110, sections 15 and 15.4.5).
    RefusesOddStatus,
}

impl Freedom {
    /// Every freedom.
    pub const ALL: &'static [Freedom] = &[
        Freedom::ForgetsPreflights,
        Freedom::ForgetsResponses,
        Freedom::LimitsMaxAge,
        Freedom::NoThirdPartyCookies,
        Freedom::SendsAcceptLanguage,
        Freedom::RefusesOddStatus,
    ];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Freedom::ForgetsPreflights => "forgets-preflights",
            Freedom::ForgetsResponses => "forgets-responses",
            Freedom::LimitsMaxAge => "limits-max-age",
            Freedom::NoThirdPartyCookies => "no-third-party-cookies",
            Freedom::SendsAcceptLanguage => "sends-accept-language",
            Freedom::RefusesOddStatus => "refuses-odd-status",
        }
    }

    /// The settings of a user agent that takes it.
    pub fn settings(self) -> Settings {
        let mut settings = Settings::default();
        match self {
            Freedom::ForgetsPreflights => settings.keeps_preflights = false,
            Freedom::ForgetsResponses => settings.keeps_responses = false,
            Freedom::LimitsMaxAge => settings.max_age_limit = 0,
            Freedom::NoThirdPartyCookies => settings.third_party_cookies = false,
            Freedom::SendsAcceptLanguage => settings.accept_language = Some("en"),
            Freedom::RefusesOddStatus => settings.odd_status = false,
        }
        settings
    }
}

impl Serialize for Freedom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// Everything a conforming user agent may do with a case.
#[derive(Debug, Clone)]
pub struct Allowed<'a> {
    /// What happens when no freedom is taken.
    pub prediction: Prediction<'a, Path>,
    /// What happens instead when one is, where that makes a difference.
    pub others: Vec<(Freedom, Prediction<'a, NoTrace>)>,
}

impl Scenario {
    /// The prediction, and what the standards allow besides.
    pub fn allowed(&self) -> Allowed<'_> {
        let prediction = self.predict();
        let others = Freedom::ALL.iter().filter_map(|freedom| {
            let mut ua = UserAgent { settings: freedom.settings(), ..UserAgent::new() };
            let other: Prediction<'_, NoTrace> = self.run(&mut ua);
            (!other.is_like(&prediction)).then_some((*freedom, other))
        });
        Allowed { others: others.collect(), prediction }
    }
}
