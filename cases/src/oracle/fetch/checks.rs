//! CORS check and TAO check.

use std::borrow::Cow;

use url::Url;

use super::Fetch;
use crate::oracle::{
    defect::Defect,
    lapses,
    network::Network,
    origin::Origin,
    request::{Request, Response, Tainting},
    trace::{Algorithm, Trace},
};
use crate::words::Reason;

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// CORS check; `Err` holds why it fails.
    pub(super) fn cors_check(&mut self, request: &Request<'a>, response: &Response<'a, N::Body>, on_preflight: bool) -> Result<(), Reason> {
        use Algorithm::CorsCheck;
        let defects = self.defects();
        let include = request.includes();
        let allowed = response.headers.get("Access-Control-Allow-Origin");
        let wanted = self.serialized_origin(request);
        let replaced = self.lapse(|d| lapses::allowed_origin(d, &response.headers));
        let Some(allowed) = replaced.map(Cow::Owned).or(allowed) else {
            if defects.has(Defect::AcaoMissingAllowed) || defects.has(Defect::CorsCheckMissing) {
                return Ok(());
            }
            self.compare(CorsCheck, "2", "there is no Access-Control-Allow-Origin", wanted.as_bytes(), None);
            return Err(Reason::AcaoMissing);
        };
        let allowed = &*allowed;
        let wildcard = allowed == b"*" || defects.has(Defect::WildcardInList) && allowed.contains(&b'*');
        if wildcard && !defects.has(Defect::WildcardNever) {
            if !include {
                self.note(CorsCheck, "3", "`*`, and the credentials mode is not include: success");
                return if defects.has(Defect::AcacAlwaysDemanded) { self.credentials_allowed(response) } else { Ok(()) };
            }
            if defects.has(Defect::WildcardWithCredentials) {
                return self.credentials_allowed(response);
            }
        }
        let matches = if defects.has(Defect::AcaoNullNever) && allowed == b"null" { false } else { allowed == wanted.as_bytes() };
        if !matches
            && !self.lapse(|d| lapses::accepts_origin(d, wanted, allowed, request.url(), include))
            && !defects.has(Defect::CorsCheckMissing)
        {
            self.compare(CorsCheck, "4", "Access-Control-Allow-Origin is not the request's origin", wanted.as_bytes(), Some(allowed));
            return Err(mismatch(allowed, response.headers.values("Access-Control-Allow-Origin").count(), include));
        }
        if !include && !defects.has(Defect::AcacAlwaysDemanded) {
            self.compare(
                CorsCheck,
                "5",
                "the origin matches, and the credentials mode is not include: success",
                wanted.as_bytes(),
                Some(allowed),
            );
            return Ok(());
        }
        if on_preflight && defects.has(Defect::PreflightCredentialsNotDemanded) {
            return Ok(());
        }
        self.credentials_allowed(response)
    }

    /// CORS check, steps 6 to 8.
    pub(super) fn credentials_allowed(&mut self, response: &Response<'a, N::Body>) -> Result<(), Reason> {
        use Algorithm::CorsCheck;
        let credentials = response.headers.get("Access-Control-Allow-Credentials");
        if credentials.as_deref() == Some(b"true") || self.lapse(|d| lapses::accepts_credentials(d, credentials.as_deref())) {
            self.note(CorsCheck, "7", "Access-Control-Allow-Credentials is true: success");
            return Ok(());
        }
        self.compare(CorsCheck, "8", "Access-Control-Allow-Credentials is not true", b"true", credentials.as_deref());
        Err(Reason::AcacNotTrue)
    }

    /// TAO check; whether it succeeds.
    pub(super) fn tao_check(&mut self, request: &Request<'a>, response: &Response<'a, N::Body>) -> bool {
        if request.timing_allow_failed && !self.has(Defect::TaoLastHop) {
            return false;
        }
        let basic = request.tainting == Tainting::Basic && !self.has(Defect::TaoSameOriginNeeded);
        let origin = self.serialized_origin(request);
        let name = if self.has(Defect::TaoIsAcao) { "Access-Control-Allow-Origin" } else { "Timing-Allow-Origin" };
        let matches = |v: &String| {
            v == "*" && !self.has(Defect::TaoWildcardNever)
                || v == origin
                || self.has(Defect::TaoCaseInsensitive) && v.eq_ignore_ascii_case(origin)
                || self.has(Defect::TaoPrefix) && v.starts_with(origin)
        };
        let values = response.headers.get_decode_split(name);
        let most = if self.has(Defect::TaoFirst) { 1 } else { usize::MAX };
        let listed = values.is_some_and(|values| values.iter().take(most).any(matches));
        if !listed && !basic {
            self.note(Algorithm::TaoCheck, "8", "neither Timing-Allow-Origin nor the same origin: no timing details");
        }
        listed || basic
    }
}

/// What is wrong with a value of Access-Control-Allow-Origin that does not match.
pub(super) fn mismatch(allowed: &[u8], fields: usize, include: bool) -> Reason {
    if allowed == b"*" && include {
        return Reason::WildcardWithCredentials;
    }
    if fields > 1 || allowed.contains(&b',') || allowed.trim_ascii().contains(&b' ') {
        return Reason::AcaoMultiple;
    }
    let is_origin = allowed == b"null"
        || std::str::from_utf8(allowed)
            .ok()
            .and_then(|text| Url::parse(text).ok().map(|url| (text, url)))
            .is_some_and(|(text, url)| Origin::of(&url).serialized() == text);
    if is_origin { Reason::AcaoMismatch } else { Reason::AcaoInvalid }
}
