//! Seeded defects: what user agents got wrong or might, one switch each.
//!
//! A conforming user agent has none. With one of them set, the same state machine takes the wrong turn at one place; a catalogue
//! is as good as the defects it catches.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use crate::select::nearest;

macro_rules! defects {
    ($( $area:literal { $( $name:ident = $word:literal, $says:literal; )* } )*) => {
        /// A defect of a user agent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Defect {
            $( $( #[doc = $says] $name, )* )*
        }

        impl Defect {
            /// Every defect, area by area.
            pub const ALL: &'static [Defect] = &[$( $( Defect::$name, )* )*];

            /// Its name, as on the command line.
            pub fn word(self) -> &'static str {
                match self { $( $( Defect::$name => $word, )* )* }
            }

            /// What is wrong, in one sentence.
            pub fn says(self) -> &'static str {
                match self { $( $( Defect::$name => $says, )* )* }
            }

            /// The part of the standard it is about.
            pub fn area(self) -> &'static str {
                match self { $( $( Defect::$name => $area, )* )* }
            }
        }
    };
}

defects! {
    "CORS check" {
        CorsCheckMissing = "cors-check-missing", "No CORS check at all: every response can be read.";
        CorsCheckOnOkOnly = "cors-check-on-ok-only", "Responses with an error status are not checked.";
        ErrorStatusBlocked = "error-status-blocked", "A response with an error status is a network error.";
        AcaoMissingAllowed = "acao-missing-allowed", "A response without Access-Control-Allow-Origin passes.";
        AcaoPrefix = "acao-prefix", "Access-Control-Allow-Origin passes when one is the beginning of the other.";
        AcaoSuffix = "acao-suffix", "Access-Control-Allow-Origin passes when the hosts end alike.";
        AcaoSubstring = "acao-substring", "Access-Control-Allow-Origin passes when the origin occurs in it.";
        AcaoIgnoresPort = "acao-ignores-port", "Ports are left out of the comparison.";
        AcaoIgnoresScheme = "acao-ignores-scheme", "Schemes are left out of the comparison.";
        AcaoIgnoresCase = "acao-ignores-case", "The comparison ignores ASCII case.";
        AcaoSameSite = "acao-same-site", "Another origin of the same site passes.";
        AcaoTrailingSlash = "acao-trailing-slash", "A slash after the origin is ignored.";
        AcaoUrl = "acao-url", "The value is parsed as a URL, and its origin is compared.";
        AcaoFirstOfList = "acao-first-of-list", "Of several values in one field the first is taken.";
        AcaoLastOfList = "acao-last-of-list", "Of several values in one field the last is taken.";
        AcaoAnyOfList = "acao-any-of-list", "Of several values any may match.";
        AcaoSpaceList = "acao-space-list", "Values separated by spaces are a list, and any may match.";
        AcaoFirstField = "acao-first-field", "Of several fields the first is taken.";
        AcaoLastField = "acao-last-field", "Of several fields the last is taken.";
        AcaoQuoted = "acao-quoted", "Quotation marks around the value are removed.";
        AcaoStripsControls = "acao-strips-controls", "Control characters and odd white space around the value are removed.";
        AcaoCutAtNonAscii = "acao-cut-at-non-ascii", "The value ends before the first byte that is not ASCII.";
        AcaoSubdomainWildcard = "acao-subdomain-wildcard", "`scheme://*.host` covers subdomains.";
        AcaoPortWildcard = "acao-port-wildcard", "`:*` covers ports.";
        AcaoNullForAll = "acao-null-for-all", "`null` passes for every origin.";
        AcaoNullNever = "acao-null-never", "`null` never passes.";
        AcaoNullIgnoresCase = "acao-null-ignores-case", "`NULL` passes for an opaque origin.";
        AcaoTargetOrigin = "acao-target-origin", "The server's own origin passes.";
        AcaoHeaderName = "acao-header-name", "A name that only begins with Access-Control-Allow-Origin, or has underscores, is taken for it.";
        AcaoFromInterim = "acao-from-interim", "Fields of interim responses are joined with those of the response.";
        WildcardWithCredentials = "wildcard-with-credentials", "`*` passes for requests with credentials.";
        WildcardNever = "wildcard-never", "`*` never passes.";
        WildcardInList = "wildcard-in-list", "`*` passes anywhere in the value.";
        AcacIgnored = "acac-ignored", "Access-Control-Allow-Credentials is not looked at.";
        AcacIgnoresCase = "acac-ignores-case", "Access-Control-Allow-Credentials `True` passes.";
        AcacAnyValue = "acac-any-value", "Access-Control-Allow-Credentials passes with any value.";
        AcacPrefix = "acac-prefix", "Access-Control-Allow-Credentials passes when it begins with `true`.";
        AcacAlwaysDemanded = "acac-always-demanded", "Access-Control-Allow-Credentials is demanded without credentials too.";
    }
    "Preflight decision" {
        PreflightNever = "preflight-never", "No request is preflighted.";
        PreflightAlways = "preflight-always", "Every cross-origin request is preflighted.";
        PreflightSameOrigin = "preflight-same-origin", "Same-origin requests are preflighted too.";
        PreflightNotForPatch = "preflight-not-for-patch", "PATCH is taken for a safelisted method.";
        PreflightNotForDelete = "preflight-not-for-delete", "DELETE is taken for a safelisted method.";
        PreflightNotForPut = "preflight-not-for-put", "PUT is taken for a safelisted method.";
        PreflightNotForUnknownMethods = "preflight-not-for-unknown-methods", "Methods that are not registered are not preflighted.";
        PreflightForHead = "preflight-for-head", "HEAD is preflighted.";
        PreflightForPost = "preflight-for-post", "POST is preflighted.";
        PreflightNotForHeaders = "preflight-not-for-headers", "Headers alone never cause a preflight.";
        PreflightNotForUploadListener = "preflight-not-for-upload-listener", "Upload listeners cause no preflight.";
        PreflightForUpload = "preflight-for-upload", "Reading `xhr.upload`, or a listener added after send(), causes a preflight.";
        PreflightNotForStream = "preflight-not-for-stream", "Stream bodies cause no preflight.";
        PreflightNotForNull = "preflight-not-for-null", "Opaque origins make no preflights.";
        PreflightNotSameSite = "preflight-not-same-site", "Requests within one site are not preflighted.";
        SafelistNoLength = "safelist-no-length", "Safelisted headers may be longer than 128 bytes.";
        SafelistShorter = "safelist-shorter", "Safelisted headers of 128 bytes are unsafe.";
        SafelistNoTotal = "safelist-no-total", "The sum of 1024 bytes is not looked at.";
        SafelistNoUnsafeBytes = "safelist-no-unsafe-bytes", "CORS-unsafe request-header bytes are not looked at.";
        SafelistTabUnsafe = "safelist-tab-unsafe", "A tab makes Accept or Content-Type unsafe.";
        SafelistHighUnsafe = "safelist-high-unsafe", "Bytes above 0x7F make Accept or Content-Type unsafe.";
        SafelistDelSafe = "safelist-del-safe", "DEL does not make a value unsafe.";
        SafelistLanguageAnyByte = "safelist-language-any-byte", "Accept-Language and Content-Language may hold any byte.";
        SafelistLanguageAlphanumeric = "safelist-language-alphanumeric", "Accept-Language may hold letters and digits only.";
        SafelistContentTypeAny = "safelist-content-type-any", "Any Content-Type is safe.";
        SafelistContentTypeJson = "safelist-content-type-json", "application/json is safe.";
        SafelistContentTypePrefix = "safelist-content-type-prefix", "A Content-Type that only begins with a safe one is safe.";
        SafelistContentTypeNoParameters = "safelist-content-type-no-parameters", "A Content-Type with parameters is unsafe.";
        SafelistContentTypeCaseSensitive = "safelist-content-type-case-sensitive", "A Content-Type in capitals is unsafe.";
        SafelistRangeAny = "safelist-range-any", "Any Range is safe.";
        SafelistRangeNever = "safelist-range-never", "Range is never safe.";
        SafelistRangeSuffix = "safelist-range-suffix", "A suffix range is safe.";
        SafelistClientHints = "safelist-client-hints", "Client hints (DPR, Width, Save-Data …) are safe.";
        SafelistExtra = "safelist-extra", "X-Requested-With, Last-Event-ID and other everyday names are safe.";
        SafelistCaseSensitive = "safelist-case-sensitive", "Safelisted names count only in their usual case.";
    }
    "Preflight request" {
        AcrhUnsorted = "acrh-unsorted", "Access-Control-Request-Headers keeps the order of the request.";
        AcrhNotLowercased = "acrh-not-lowercased", "Access-Control-Request-Headers keeps the case of the names.";
        AcrhSpaces = "acrh-spaces", "Names in Access-Control-Request-Headers are separated by a comma and a space.";
        AcrhRepeats = "acrh-repeats", "A repeated name is listed as often as it is set.";
        AcrhListsAll = "acrh-lists-all", "Access-Control-Request-Headers lists safelisted headers too.";
        AcrhEmpty = "acrh-empty", "An empty Access-Control-Request-Headers is sent.";
        AcrmLowercase = "acrm-lowercase", "Access-Control-Request-Method is lower-cased.";
        AcrmUppercase = "acrm-uppercase", "Access-Control-Request-Method is upper-cased.";
        AcrmMissing = "acrm-missing", "Access-Control-Request-Method is left out.";
        PreflightCookies = "preflight-cookies", "The preflight carries cookies.";
        PreflightAuthorHeaders = "preflight-author-headers", "The preflight carries the request's own headers.";
        PreflightBody = "preflight-body", "The preflight carries the request's body.";
        PreflightNoOrigin = "preflight-no-origin", "The preflight carries no Origin.";
        PreflightNoAccept = "preflight-no-accept", "The preflight carries no Accept.";
        PreflightCacheMode = "preflight-cache-mode", "The preflight carries the headers of the request's cache mode.";
        PreflightReferrer = "preflight-referrer", "The preflight carries no Referer.";
        PreflightMode = "preflight-mode", "The preflight says Sec-Fetch-Mode: no-cors.";
    }
    "Preflight answer" {
        PreflightAnyStatus = "preflight-any-status", "The status of a preflight answer is not looked at.";
        PreflightOnly200 = "preflight-only-200", "Only the statuses 200 and 204 are accepted.";
        PreflightRedirectFollowed = "preflight-redirect-followed", "A redirect of a preflight is followed.";
        PreflightRedirectOk = "preflight-redirect-ok", "A redirect is taken for the preflight's answer.";
        PreflightNotChecked = "preflight-not-checked", "There is no CORS check on the preflight.";
        PreflightCredentialsNotDemanded = "preflight-credentials-not-demanded", "The preflight of a request with credentials needs no Access-Control-Allow-Credentials.";
        PreflightFailureIgnored = "preflight-failure-ignored", "A preflight that gets no answer is taken for a grant.";
        MethodsIgnored = "methods-ignored", "Access-Control-Allow-Methods is not looked at.";
        MethodsIgnoreCase = "methods-ignore-case", "Access-Control-Allow-Methods ignores case.";
        MethodsSimpleDemanded = "methods-simple-demanded", "Safelisted methods must be listed.";
        MethodsWildcardCredentials = "methods-wildcard-credentials", "`*` covers methods of requests with credentials.";
        MethodsWildcardNever = "methods-wildcard-never", "`*` covers no method.";
        HeadersIgnored = "headers-ignored", "Access-Control-Allow-Headers is not looked at.";
        HeadersCaseSensitive = "headers-case-sensitive", "Access-Control-Allow-Headers must match the case of the request.";
        HeadersPrefix = "headers-prefix", "A listed name covers all names that begin with it.";
        HeadersSafelistedDemanded = "headers-safelisted-demanded", "Safelisted headers must be listed.";
        HeadersWildcardCredentials = "headers-wildcard-credentials", "`*` covers headers of requests with credentials.";
        HeadersWildcardNever = "headers-wildcard-never", "`*` covers no header.";
        WildcardCoversAuthorization = "wildcard-covers-authorization", "`*` covers Authorization.";
        ListsFirstField = "lists-first-field", "Of several fields of one list the first is read.";
        ListsLastField = "lists-last-field", "Of several fields of one list the last is read.";
        ListsMalformedSkipped = "lists-malformed-skipped", "What is no token in a list is skipped.";
        ListsMalformedEmpty = "lists-malformed-empty", "A malformed list counts as absent.";
        ListsNoEmptyElements = "lists-no-empty-elements", "A list with empty elements is malformed.";
        ListsSpaceSeparated = "lists-space-separated", "Spaces separate elements of a list.";
    }
    "Preflight cache" {
        CacheNone = "cache-none", "Nothing is stored.";
        CacheFailures = "cache-failures", "A refused preflight is stored as if it were a grant, and stays.";
        CacheNeverExpires = "cache-never-expires", "Entries live for ever.";
        CacheNoDefault = "cache-no-default", "Without Access-Control-Max-Age nothing is stored.";
        CacheDefaultLong = "cache-default-long", "Without Access-Control-Max-Age entries live a day.";
        CacheMaxAgeLenient = "cache-max-age-lenient", "Access-Control-Max-Age takes a sign, a fraction, a unit or the first of several values.";
        CacheMaxAgeMalformedNone = "cache-max-age-malformed-none", "A malformed Access-Control-Max-Age stores nothing.";
        CacheMaxAgeOverflow = "cache-max-age-overflow", "A very large Access-Control-Max-Age overflows to 0.";
        CacheHttpHeaders = "cache-http-headers", "Cache-Control of the preflight answer decides on storing.";
        CacheIgnoresPartition = "cache-ignores-partition", "The preflight cache is shared by all top-level sites.";
        CacheIgnoresOrigin = "cache-ignores-origin", "Entries count for every origin.";
        CacheIgnoresCredentials = "cache-ignores-credentials", "Entries granted without credentials count with them.";
        CacheSeparatesCredentials = "cache-separates-credentials", "Entries granted with credentials do not count without them.";
        CacheIgnoresQuery = "cache-ignores-query", "Entries count whatever the query.";
        CacheIgnoresPath = "cache-ignores-path", "Entries count for every URL of the origin.";
        CacheMethodGrantsAll = "cache-method-grants-all", "A stored method grants every method.";
        CacheHeaderGrantsAll = "cache-header-grants-all", "A stored header name grants every name.";
        CacheForgetsWildcard = "cache-forgets-wildcard", "A stored `*` counts for nothing.";
        CacheOnlyAsked = "cache-only-asked", "Only what the request asked for is stored, not all that the answer lists.";
        CacheNeverUpdates = "cache-never-updates", "A later preflight does not renew or end an entry.";
        CacheNeverClears = "cache-never-clears", "A network error does not clear entries.";
        CacheClearsAll = "cache-clears-all", "A network error clears the entries of every URL.";
        CacheForcedUnlisted = "cache-forced-unlisted", "The method of a forced preflight without a list of methods is not stored.";
    }
    "Redirects" {
        RedirectNoTaint = "redirect-no-taint", "A redirect from one foreign origin to another does not make the origin null.";
        RedirectTaintEarly = "redirect-taint-early", "The first redirect to another origin makes the origin null.";
        RedirectHomeReadable = "redirect-home-readable", "A redirect back to the page's origin ends the CORS check.";
        RedirectNoCheck = "redirect-no-check", "Redirect responses are not checked.";
        RedirectOnlyCheck = "redirect-only-check", "Only redirect responses are checked, the last response is not.";
        RedirectBlocked = "redirect-blocked", "A cross-origin redirect of a CORS request is a network error.";
        RedirectPreflightedBlocked = "redirect-preflighted-blocked", "A redirect of a preflighted request is a network error.";
        RedirectNoPreflight = "redirect-no-preflight", "A redirected request is not preflighted again.";
        RedirectKeepsAuthorization = "redirect-keeps-authorization", "Authorization goes along to another origin.";
        RedirectDropsAuthorization = "redirect-drops-authorization", "Authorization is dropped by every redirect.";
        RedirectDropsHeaders = "redirect-drops-headers", "A cross-origin redirect drops the author's headers.";
        RedirectPostKept = "redirect-post-kept", "POST stays POST on 301 and 302.";
        RedirectPutChanged = "redirect-put-changed", "Every method becomes GET on 301 and 302.";
        Redirect303Kept = "redirect-303-kept", "303 keeps the method.";
        Redirect303Head = "redirect-303-head", "303 turns HEAD into GET.";
        Redirect307Changed = "redirect-307-changed", "307 and 308 turn POST into GET.";
        RedirectBodyHeadersKept = "redirect-body-headers-kept", "Content-Type and its kin stay when the body is dropped.";
        RedirectBodyDropped = "redirect-body-dropped", "307 and 308 drop the body.";
        RedirectStreamResent = "redirect-stream-resent", "A stream body does not stop a redirect.";
        RedirectLimitLess = "redirect-limit-less", "The twentieth redirect is not followed.";
        RedirectLimitMore = "redirect-limit-more", "The twenty-first redirect is followed.";
        RedirectUserinfoAllowed = "redirect-userinfo-allowed", "Location may carry credentials.";
        RedirectUserinfoNever = "redirect-userinfo-never", "Location may carry credentials nowhere, not within the page's own origin either.";
        RedirectDataAllowed = "redirect-data-allowed", "Location may lead to a data: URL.";
        RedirectSchemeCrash = "redirect-scheme-stops", "Location with another scheme gives the redirect response itself.";
        RedirectNoLocationBlocked = "redirect-no-location-blocked", "A redirect status without Location is a network error.";
        Redirect300 = "redirect-300", "300 with Location is followed.";
        Redirect304 = "redirect-304-305-306", "304, 305 and 306 with Location are followed.";
        Redirect308Unknown = "redirect-308-unknown", "308 is not a redirect.";
        RedirectErrorFollows = "redirect-error-follows", "Redirect mode `error` follows.";
        RedirectManualFollows = "redirect-manual-follows", "Redirect mode `manual` follows.";
        RedirectManualUnchecked = "redirect-manual-unchecked", "Redirect mode `manual` makes no CORS check.";
        RedirectModeSameOriginLeaves = "redirect-same-origin-leaves", "Mode `same-origin` follows redirects to other origins.";
        RedirectLocationFirst = "redirect-location-first", "Of several Location fields the first is taken.";
        RedirectReferrerPolicy = "redirect-referrer-policy-ignored", "Referrer-Policy of a redirect is ignored.";
    }
    "Modes and tainting" {
        NoCorsReadable = "no-cors-readable", "A no-cors response of another origin can be read.";
        NoCorsStatus = "no-cors-status", "An opaque response shows its status.";
        NoCorsUrl = "no-cors-url", "An opaque response shows its URL.";
        NoCorsAnyMethod = "no-cors-any-method", "no-cors takes any method.";
        NoCorsAnyHeader = "no-cors-any-header", "no-cors takes any header.";
        HeadersSetAppends = "headers-set-appends", "set() on the headers of a Request appends.";
        HeadersSetUnguarded = "headers-set-unguarded", "set() on the headers of a no-cors Request takes any name.";
        HeadersDeleteNothing = "headers-delete-nothing", "delete() on the headers of a Request does nothing.";
        CopyResetsModes = "copy-resets-modes", "A copied Request has the default modes.";
        CopyKeepsHeaders = "copy-keeps-headers", "A Request copied to mode no-cors keeps all headers.";
        NoCorsRange = "no-cors-range", "no-cors keeps Range.";
        NoCorsBlocked = "no-cors-blocked", "A no-cors response without a grant is a network error.";
        NoCorsRedirectModes = "no-cors-redirect-modes", "no-cors takes the redirect modes error and manual to other origins.";
        NoCorsOrigin = "no-cors-origin", "no-cors GET carries Origin.";
        SameOriginIgnored = "same-origin-ignored", "Mode `same-origin` reads other origins by CORS.";
        SameOriginByHost = "same-origin-by-host", "Two ports or schemes of one host are one origin.";
        SameOriginBySite = "same-origin-by-site", "Two origins of one site are one origin.";
        SameOriginChecked = "same-origin-checked", "Same-origin responses need Access-Control-Allow-Origin.";
        OpaqueOriginIsHost = "opaque-origin-is-host", "A sandboxed or data: document has the origin of its page.";
        InheritedOriginOpaque = "inherited-origin-opaque", "Documents and workers that inherit an origin (srcdoc, about:blank, blob:) have an opaque one.";
        OriginOfBase = "origin-of-base", "The origin of a page is that of its `<base>`.";
        UpgradeNever = "upgrade-never", "upgrade-insecure-requests changes no URL.";
        MixedContentAllowed = "mixed-content-allowed", "A secure page may ask any insecure server.";
        CspIgnored = "csp-ignored", "A Content-Security-Policy stops no request.";
        CspFirstUrlOnly = "csp-first-url-only", "A Content-Security-Policy is not asked about redirects.";
        CspPathAfterRedirect = "csp-path-after-redirect", "Paths in a Content-Security-Policy are compared after redirects too.";
        BlobRangeIgnored = "blob-range-ignored", "A Range on a blob: URL is ignored.";
        BlobRangeLenient = "blob-range-lenient", "A Range that a blob: URL cannot give is answered in full.";
        BlobBlocked = "blob-blocked", "blob: URLs cannot be fetched.";
        BlobMethods = "blob-methods", "blob: URLs can be fetched by any method.";
        BlobRevokedReadable = "blob-revoked-readable", "A blob: URL that was revoked can be fetched.";
        DataBlocked = "data-blocked", "data: URLs cannot be fetched.";
        DataOpaque = "data-opaque", "data: URLs give opaque or unreadable responses.";
        AboutAllowed = "about-allowed", "about:blank can be read.";
        SchemesAllowed = "schemes-allowed", "Unknown schemes give an empty response.";
        CorpIgnored = "corp-ignored", "Cross-Origin-Resource-Policy is ignored.";
        CorpSameSiteIsOrigin = "corp-same-site-is-origin", "Cross-Origin-Resource-Policy: same-site demands the same origin.";
        CorpSameOriginIsSite = "corp-same-origin-is-site", "Cross-Origin-Resource-Policy: same-origin admits the same site.";
        CorpIgnoresCase = "corp-ignores-case", "Cross-Origin-Resource-Policy ignores case.";
        CorpFirstOfList = "corp-first-of-list", "Of several policies the first is taken.";
        CorpForCors = "corp-for-cors", "Cross-Origin-Resource-Policy blocks CORS requests too.";
        CoepIgnored = "coep-ignored", "Under require-corp responses need no Cross-Origin-Resource-Policy.";
        CoepForCors = "coep-for-cors", "Under an embedder policy CORS responses need Cross-Origin-Resource-Policy, too.";
        CoepSendsCredentials = "coep-sends-credentials", "Under credentialless no-cors requests carry credentials.";
        CoepOmitsForCors = "coep-omits-for-cors", "Under credentialless CORS requests carry no credentials either.";
        CoepOmitsAtHome = "coep-omits-at-home", "Under credentialless requests to the own origin carry no credentials.";
        CorpUnknownBlocks = "corp-unknown-blocks", "An unknown Cross-Origin-Resource-Policy blocks.";
    }
    "Fetch metadata and address spaces" {
        SecFetchAlways = "sec-fetch-always", "Sec-Fetch-* goes to URLs that are not potentially trustworthy, too.";
        PrivateNetworkAsked = "private-network-asked", "Preflights ask for a private network.";
    }
    "Service workers" {
        WorkerIgnored = "worker-ignored", "What a service worker responds is not taken.";
        WorkerChecked = "worker-checked", "A Response that a service worker made needs Access-Control-Allow-Origin.";
        WorkerUnchecked = "worker-unchecked", "Responses to requests of a service worker are not checked.";
        WorkerOpaqueForCors = "worker-opaque-for-cors", "A service worker may give an opaque response to any request.";
        WorkerCorsForSameOrigin = "worker-cors-for-same-origin", "A service worker may give a CORS response to a request of mode same-origin.";
        WorkerOpaqueRedirect = "worker-opaque-redirect", "A service worker may give an opaque redirect to any request.";
        WorkerRedirected = "worker-redirected", "A service worker may give a redirected response whatever the redirect mode.";
        WorkerCorpSkipped = "worker-corp-skipped", "What a service worker gives is not asked for Cross-Origin-Resource-Policy.";
        WorkerSeesRedirects = "worker-sees-redirects", "A service worker sees where redirects from the network lead.";
        WorkerSeesPreflights = "worker-sees-preflights", "A service worker sees preflights.";
    }
    "Filtered responses" {
        CloneUnfiltered = "clone-unfiltered", "A clone of a response shows what the response hides.";
        ResponseHeadersMutable = "response-headers-mutable", "The headers of a fetched response can be changed.";
        FilterNone = "filter-none", "A CORS response shows every header.";
        FilterTooFew = "filter-too-few", "Of the safelisted response headers only Content-Type is shown.";
        FilterNoContentLength = "filter-no-content-length", "Content-Length is not safelisted.";
        FilterExtra = "filter-extra", "ETag, Date, Server and Location are safelisted.";
        FilterSetCookie = "filter-set-cookie", "Set-Cookie can be exposed by name.";
        FilterBasicSetCookie = "filter-basic-set-cookie", "Same-origin responses show Set-Cookie.";
        FilterBasicLikeCors = "filter-basic-like-cors", "Same-origin responses are filtered like CORS responses.";
        ExposeIgnored = "expose-ignored", "Access-Control-Expose-Headers is ignored.";
        ExposeWildcardCredentials = "expose-wildcard-credentials", "`*` exposes all with credentials too.";
        ExposeWildcardNever = "expose-wildcard-never", "`*` exposes nothing.";
        ExposeWildcardAlone = "expose-wildcard-alone", "`*` counts only when it stands alone.";
        ExposeWildcardNotAuthorization = "expose-wildcard-not-authorization", "`*` does not expose Authorization.";
        ExposeCaseSensitive = "expose-case-sensitive", "Exposed names must match in case.";
        ExposeMalformedSkipped = "expose-malformed-skipped", "What is no token in Access-Control-Expose-Headers is skipped.";
        ExposeFirstField = "expose-first-field", "Of several Access-Control-Expose-Headers the first is read.";
        ExposePrefix = "expose-prefix", "A name exposes all names that begin with it.";
        JoinedWithoutSpace = "joined-without-space", "Repeated fields are joined by a comma alone.";
        JoinedLast = "joined-last", "Of repeated fields the last is shown.";
        ValuesUtf8 = "values-utf8", "Header values are decoded as UTF-8.";
        StatusTextHidden = "status-text-hidden", "The status text of a CORS response is empty.";
        StatusHidden = "status-hidden", "The status of a CORS response is 200 whatever it is.";
        UrlWithFragment = "url-with-fragment", "The response's URL keeps its fragment.";
        UrlFirst = "url-first", "The response's URL is the request's first.";
        RedirectedHidden = "redirected-hidden", "`redirected` is false after redirects.";
        RedirectedAlways = "redirected-always", "`redirected` is true without redirects.";
        TypeAlwaysBasic = "type-always-basic", "The type of CORS responses is `basic`.";
        TypeAlwaysCors = "type-always-cors", "The type of same-origin responses is `cors`.";
        NullBodyShown = "null-body-shown", "A body that came with HEAD or a null body status is shown.";
        BodyCut = "body-cut", "The last byte of each body is lost.";
        OpaqueBody = "opaque-body", "An opaque response shows its body.";
    }
    "Credentials" {
        CookiesAlways = "cookies-always", "Cookies are sent whatever the credentials mode.";
        CookiesNever = "cookies-never", "Cookies are never sent.";
        CookiesOmitStored = "cookies-omit-stored", "Set-Cookie is stored whatever the credentials mode.";
        CookiesNotStored = "cookies-not-stored", "Set-Cookie of other origins is never stored.";
        CookiesSameSite = "cookies-same-site", "Credentials mode same-origin sends cookies to the whole site.";
        CookiesIgnoreSameSite = "cookies-ignore-same-site", "SameSite is ignored.";
        CookiesIgnorePath = "cookies-ignore-path", "The path of a cookie is ignored.";
        CookiesIgnoreHost = "cookies-ignore-host", "Cookies go to every host.";
        CookiesNotIfBlocked = "cookies-not-if-blocked", "Set-Cookie of a response that the CORS check blocks is not stored.";
        CookiesStrictOnlySameOrigin = "cookies-strict-only-same-origin", "SameSite=Strict cookies go to the same origin only.";
        CredentialsDefaultInclude = "credentials-default-include", "The default credentials mode is include.";
        CredentialsDefaultOmit = "credentials-default-omit", "The default credentials mode is omit.";
        CredentialsUrlUsed = "credentials-url-used", "User and password of a redirect's URL are sent to other origins.";
        AuthorizationDropped = "authorization-dropped", "An author's Authorization is not sent without credentials.";
    }
    "Origin and Referer" {
        OriginMissing = "origin-missing", "CORS requests carry no Origin.";
        OriginAlways = "origin-always", "Every request carries Origin.";
        OriginNotSameOriginPost = "origin-not-same-origin-post", "Same-origin requests never carry Origin.";
        OriginTrailingSlash = "origin-trailing-slash", "Origin ends in a slash.";
        OriginNoPort = "origin-no-port", "Origin has no port.";
        OriginPath = "origin-path", "Origin carries the page's path.";
        OriginCorsPolicy = "origin-cors-policy", "A referrer policy of no-referrer makes the Origin of CORS requests null.";
        OriginPolicyIgnored = "origin-policy-ignored", "The referrer policy never makes Origin null.";
        OriginNotOnPreflightedGet = "origin-only-with-preflight", "Only preflights carry Origin.";
        ReferrerFull = "referrer-full", "Referer carries the whole URL to other origins.";
        ReferrerNone = "referrer-none", "Referer is never sent.";
        ReferrerForeign = "referrer-foreign", "A foreign referrer given by the author is used.";
        SecFetchMissing = "sec-fetch-missing", "No Sec-Fetch-* is sent.";
        SecFetchSite = "sec-fetch-site", "Sec-Fetch-Site is cross-site for every other origin.";
        SecFetchSiteLast = "sec-fetch-site-last", "Sec-Fetch-Site looks at the last URL alone.";
        SecFetchUser = "sec-fetch-user", "Sec-Fetch-User is sent with every request.";
        SecFetchDest = "sec-fetch-dest", "Sec-Fetch-Dest is left out.";
    }
    "Elements and other interfaces" {
        CrossOriginIgnored = "crossorigin-ignored", "The crossorigin attribute is ignored.";
        AnonymousIncludes = "crossorigin-anonymous-includes", "crossorigin=anonymous sends cookies to other origins.";
        UseCredentialsOmitted = "crossorigin-credentials-omitted", "crossorigin=use-credentials sends no cookies to other origins.";
        MediaRangesUnchecked = "media-ranges-unchecked", "Of audio and video that come in ranges, only the first is checked.";
        WebAudioHears = "web-audio-hears", "Web Audio hears audio that CORS has not let through.";
        CanvasNotTainted = "canvas-not-tainted", "A canvas gives back the pixels of an image that CORS has not let through.";
        ErrorsNotMuted = "errors-not-muted", "The errors of a script that CORS has not let through are told in full.";
        RulesReadable = "rules-readable", "The rules of a style sheet that CORS has not let through can be read.";
        ModuleNoCors = "module-no-cors", "Module scripts are fetched without CORS.";
        FontNoCors = "font-no-cors", "Fonts are fetched without CORS.";
        CssImagesNoCors = "css-images-no-cors", "Masks and shapes are fetched without CORS.";
        WorkersCrossOrigin = "workers-cross-origin", "Workers run scripts of other origins.";
        NavigationChecked = "navigation-checked", "Documents of other origins need Access-Control-Allow-Origin.";
        FramesOpen = "frames-open", "Documents of other origins can be looked into.";
        KeepaliveDies = "keepalive-dies", "A request with keepalive ends with its frame.";
        WebSocketNoOrigin = "websocket-no-origin", "WebSockets to the own origin send no Origin.";
        WebSocketChecked = "websocket-checked", "WebSockets to other origins need Access-Control-Allow-Origin.";
        WebSocketStatusIgnored = "websocket-status-ignored", "WebSockets open whatever the status is.";
        WebSocketReferrer = "websocket-referrer", "WebSockets send Referer.";
        WebSocketOmits = "websocket-omits", "WebSockets send no cookies.";
        PingPreflighted = "ping-preflighted", "Pings are preflighted.";
        FetchLaterNoCors = "fetch-later-no-cors", "fetchLater() makes no-cors requests.";
        BeaconNoPreflight = "beacon-no-preflight", "A beacon of any type goes out without a preflight.";
        InitiatorStatusIgnored = "element-status-ignored", "Elements take answers with error statuses.";
        InitiatorTypeIgnored = "element-type-ignored", "Style sheets, modules and event streams may be of any type.";
        NosniffIgnored = "nosniff-ignored", "X-Content-Type-Options is ignored.";
        NosniffCaseSensitive = "nosniff-case-sensitive", "nosniff counts in lower case only.";
        NosniffAnyElement = "nosniff-any-element", "nosniff is found anywhere in its list.";
        NosniffEverything = "nosniff-everything", "nosniff blocks what is no script and no style sheet, too.";
        MimeTypeIgnored = "mime-type-ignored", "A script may have the MIME type of an image.";
        ServerTimingAlways = "server-timing-always", "Server-Timing is shown without Timing-Allow-Origin.";
        PreflightHasEntry = "preflight-has-entry", "A preflight has an entry in Resource Timing.";
        TimingTellsOpaque = "timing-tells-opaque", "Resource Timing tells status and sizes of opaque responses.";
        TimingSizesNeedTao = "timing-sizes-need-tao", "Resource Timing tells sizes only with Timing-Allow-Origin.";
        TimingStatusNeedsTao = "timing-status-needs-tao", "Resource Timing tells status and type only with Timing-Allow-Origin.";
        TaoIgnored = "tao-ignored", "Resource Timing tells the times of every response.";
        TaoFirst = "tao-first", "Only the first value of Timing-Allow-Origin counts.";
        TaoLastHop = "tao-last-hop", "Timing-Allow-Origin counts on the last response of a redirect chain alone.";
        TaoCaseInsensitive = "tao-case-insensitive", "Timing-Allow-Origin is compared without regard to case.";
        TaoPrefix = "tao-prefix", "A value of Timing-Allow-Origin that begins with the origin opens the times.";
        TaoIsAcao = "tao-is-acao", "Access-Control-Allow-Origin opens the times instead of Timing-Allow-Origin.";
        TaoWildcardNever = "tao-wildcard-never", "* in Timing-Allow-Origin opens nothing.";
        TaoSameOriginNeeded = "tao-same-origin", "The page's own origin needs Timing-Allow-Origin, too.";
        SecFetchDestEmpty = "sec-fetch-dest-empty", "Sec-Fetch-Dest is always empty.";
    }
    "HTTP cache and connections" {
        VaryIgnored = "vary-ignored", "Vary is not looked at when a stored response is selected.";
        VaryStarIgnored = "vary-star-ignored", "Vary: * is not looked at.";
        VaryFirstField = "vary-first-field", "Of several Vary fields the first counts.";
        VaryFirstName = "vary-first-name", "Of several names in Vary the first counts.";
        VaryCaseSensitive = "vary-case-sensitive", "Names in Vary count in their usual casing only.";
        VaryAbsentMatches = "vary-absent-matches", "A field that the stored request did not have need not match.";
        ForceCacheIgnoresVary = "force-cache-ignores-vary", "Cache mode force-cache uses stored responses whatever Vary says.";
        ReloadFromCache = "reload-from-cache", "Cache mode reload is answered from the cache.";
        NoCacheFromCache = "no-cache-from-cache", "Cache mode no-cache is answered from the cache without validation.";
        HttpCacheIgnoresQuery = "http-cache-ignores-query", "Stored responses are selected whatever the query of the URL.";
        HttpCacheKeptByPost = "http-cache-kept-by-post", "Stored responses outlive unsafe requests to their URL.";
        CacheHitUnchecked = "cache-hit-unchecked", "Responses from the HTTP cache are not checked.";
        CachedRedirectUnchecked = "cached-redirect-unchecked", "Redirects from the HTTP cache are not checked.";
        CacheHitTainted = "cache-hit-tainted", "What was stored from a request without CORS stays unreadable, and what was stored from one with CORS stays readable.";
        NotModifiedUnchecked = "not-modified-unchecked", "Responses that were validated with a 304 are not checked.";
        NotModifiedShown = "not-modified-shown", "The page gets the 304 that answers the cache.";
        ResponsesUnpartitioned = "responses-unpartitioned", "The HTTP cache is shared by all top-level sites.";
        NotModifiedUpdatesNothing = "not-modified-updates-nothing", "The fields of a 304 do not reach the stored response.";
        NotModifiedReplacesAll = "not-modified-replaces-all", "Stored fields that a 304 does not repeat are gone.";
        NotModifiedAppends = "not-modified-appends", "The fields of a 304 are added to those that are stored.";
        LoginForgotten = "login-forgotten", "A login that was used once is not used again.";
        LoginAlways = "login-always", "A login goes with requests without credentials, too.";
        LoginOnPreflight = "login-on-preflight", "A login goes with preflights, too.";
        LoginReplacesAuthor = "login-replaces-author", "A login takes the place of the author's Authorization.";
        LoginAskedForCors = "login-asked-for-cors", "A 401 is answered with the URL's user and password across origins, too.";
        StreamResent = "stream-resent", "A stream body is sent again after a 401 or 421.";
        ResentWithoutBody = "resent-without-body", "A request that goes out again after a 401 or 421 has lost its body.";
        MisdirectedFinal = "misdirected-final", "A request does not go out again after a 421.";
        MisdirectedTwice = "misdirected-twice", "A request goes out again after a second 421.";
        MisdirectedChecked = "misdirected-checked", "The CORS check is made on a 421 before the request goes out again.";
        PreloadUnused = "preload-unused", "A preload is fetched again by what it is for.";
        PreloadUsedTwice = "preload-used-twice", "A preload answers more than one request.";
        PreloadIgnoresDestination = "preload-ignores-destination", "A preload answers requests of another destination.";
        PreloadIgnoresMode = "preload-ignores-mode", "A preload answers requests of another mode.";
        PreloadIgnoresCredentials = "preload-ignores-credentials", "A preload answers requests of another credentials mode.";
        PreloadIgnoresIntegrity = "preload-ignores-integrity", "A preload answers requests with integrity metadata that it did not have.";
        PreloadIgnoresHeaders = "preload-ignores-headers", "A preload answers requests with headers of the author.";
        ModulePreloadUnused = "module-preload-unused", "A modulepreload is fetched again by what imports it.";
        ConnectionsShared = "connections-shared", "Requests with and without credentials share connections.";
        MisdirectedSameConnection = "misdirected-same-connection", "After a 421 a request goes out again over the same connection.";
    }
    "Fetch API and XMLHttpRequest" {
        ForbiddenHeadersSent = "forbidden-headers-sent", "Forbidden request headers can be set.";
        ForbiddenPrefixSent = "forbidden-prefix-sent", "Sec- and Proxy- headers can be set.";
        ForbiddenPrefixAll = "forbidden-prefix-all", "Names that only resemble forbidden ones are forbidden.";
        ForbiddenOverrideSent = "forbidden-override-sent", "X-HTTP-Method-Override can name forbidden methods.";
        ForbiddenOverrideAll = "forbidden-override-all", "X-HTTP-Method-Override is always forbidden.";
        ForbiddenThrows = "forbidden-throws", "Setting a forbidden header throws.";
        ForbiddenMethodsAllowed = "forbidden-methods-allowed", "CONNECT, TRACE and TRACK are taken.";
        MethodsNotNormalised = "methods-not-normalised", "get, put and delete are not upper-cased.";
        MethodsAllUppercased = "methods-all-uppercased", "Every method is upper-cased.";
        InvalidMethodAllowed = "invalid-method-allowed", "A method that is no token does not throw.";
        InvalidHeaderAllowed = "invalid-header-allowed", "An invalid header name or value does not throw.";
        ValuesNotNormalised = "values-not-normalised", "White space around header values is sent.";
        ValuesSentUtf8 = "values-sent-utf8", "Header values are sent as UTF-8.";
        UserAgentForbidden = "user-agent-forbidden", "User-Agent cannot be set.";
        RepeatsNotJoined = "repeats-replace", "A repeated header replaces the one before it.";
        GetBodyAllowed = "get-body-allowed", "GET and HEAD take a body.";
        UrlUserinfoAllowed = "url-userinfo-allowed", "fetch() takes a URL with user and password.";
        NavigateAllowed = "navigate-allowed", "Request mode navigate is taken.";
        OnlyIfCachedAllowed = "only-if-cached-allowed", "Cache mode only-if-cached goes to the network.";
        CacheModesSilent = "cache-modes-silent", "Cache modes send no Cache-Control and Pragma.";
        ConditionalNoStore = "conditional-no-cache-control", "Conditional headers of the author send no Cache-Control.";
        RangeEncoded = "range-encoded", "A request with Range accepts content codings.";
        BodyTypeIgnored = "body-type-ignored", "The type of a body sets no Content-Type.";
        BodyTypeForced = "body-type-forced", "The type of a body replaces the author's Content-Type.";
        BodyLengthMissing = "body-length-missing", "A POST or PUT without a body sends no Content-Length.";
        BodyLost = "body-lost", "The body is not sent.";
        KeepaliveUnlimited = "keepalive-unlimited", "Keepalive bodies may be of any size.";
        KeepaliveLimitLess = "keepalive-limit-less", "Keepalive bodies may be smaller than 64 KiB only.";
        StreamNoCors = "stream-no-cors", "A stream body is taken in mode no-cors.";
        StreamHttp1 = "stream-http1", "A stream body is sent over HTTP/1.";
        IntegrityIgnored = "integrity-ignored", "Integrity metadata is ignored.";
        IntegrityOpaque = "integrity-opaque", "Integrity metadata does not stop opaque responses.";
        IntegrityFirst = "integrity-weakest", "Any hash of the integrity metadata will do.";
        AbortIgnored = "abort-ignored", "Aborting does not end a request.";
        AbortIsError = "abort-is-error", "An aborted request gives a TypeError.";
        TruncatedAccepted = "truncated-accepted", "A body that ends early counts as whole.";
        InterimFinal = "interim-final", "An interim response is taken for the final one.";
        NetworkErrorEmpty = "network-error-empty", "A connection that is refused or breaks gives an empty response that can be read.";
        XhrSurfaceLeaks = "xhr-surface-leaks", "XMLHttpRequest shows the status of a blocked response.";
        XhrSyncSilent = "xhr-sync-silent", "A synchronous request that fails does not throw.";
        XhrLateCredentials = "xhr-late-credentials", "withCredentials can be set after send().";
        XhrCharsetKept = "xhr-charset-kept", "send() leaves the charset of the author's Content-Type.";
        XhrOrder = "xhr-order", "getAllResponseHeaders() keeps the order of the response.";
        XhrNoProgress = "xhr-no-progress", "No progress event is fired.";
        XhrNoUploadEvents = "xhr-no-upload-events", "No events are fired on the upload object.";
        XhrLoadOnError = "xhr-load-on-error", "A blocked request fires load.";
        XhrTimeoutIsError = "xhr-timeout-is-error", "A timeout fires error.";
        XhrGetBody = "xhr-get-body", "XMLHttpRequest sends a body with GET.";
        XhrCredentialsIgnored = "xhr-open-credentials-ignored", "User and password of open() are ignored.";
        ErrorName = "error-name", "Failures throw an Error instead of a TypeError or the DOMException.";
    }
}

const WORDS: usize = Defect::ALL.len().div_ceil(u64::BITS as usize);

/// A set of defects; empty for a conforming user agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Defects([u64; WORDS]);

impl Defects {
    /// No defect.
    pub const NONE: Defects = Defects([0; WORDS]);

    /// One defect alone.
    pub fn only(defect: Defect) -> Self {
        let mut set = Self::NONE;
        set.0[defect as usize / 64] |= 1 << (defect as usize % 64);
        set
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether it has this one.
    #[inline]
    pub fn has(&self, defect: Defect) -> bool {
        self.0[defect as usize / 64] & (1 << (defect as usize % 64)) != 0
    }

    /// Every defect of the set.
    pub fn iter(&self) -> impl Iterator<Item = Defect> + '_ {
        Defect::ALL.iter().copied().filter(|d| self.has(*d))
    }
}

impl FromIterator<Defect> for Defects {
    fn from_iter<I: IntoIterator<Item = Defect>>(defects: I) -> Self {
        let mut set = Self::NONE;
        for defect in defects {
            set.0[defect as usize / 64] |= 1 << (defect as usize % 64);
        }
        set
    }
}

/// A name that no defect has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no defect is called `{name}`; the nearest are {}", .nearest.join(", "))]
pub struct UnknownDefect {
    /// The name as it was given.
    pub name: String,
    /// Names like it, the likest first.
    pub nearest: Vec<String>,
}

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(name: &str) -> Result<Self, UnknownDefect> {
        Self::ALL.iter().copied().find(|d| d.word() == name).ok_or_else(|| {
            let nearest = nearest(name, Self::ALL.iter().map(|d| d.word()), 3);
            UnknownDefect { name: name.to_owned(), nearest }
        })
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Defect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        assert!(Defect::ALL.len() <= WORDS * 64, "{} defects", Defect::ALL.len());
        for defect in Defect::ALL {
            assert_eq!(Defects::only(*defect).iter().collect::<Vec<_>>(), [*defect]);
            assert!(!Defects::NONE.has(*defect));
        }
    }

    #[test]
    fn names_are_read_and_others_lead_to_the_nearest() {
        for defect in Defect::ALL {
            assert_eq!(defect.word().parse(), Ok(*defect));
        }
        let unknown = "acac-ignore".parse::<Defect>().expect_err("no such defect");
        assert_eq!(unknown.nearest[0], "acac-ignored");
        assert!(unknown.to_string().contains("`acac-ignore`") && unknown.to_string().contains("acac-ignored, "), "{unknown}");
    }

    #[test]
    fn words_are_unique() {
        let mut words: Vec<_> = Defect::ALL.iter().map(|d| d.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Defect::ALL.len());
    }
}
