//! Everything that is printed, under snapshots.

use corscheck_cases::{Outcome, Reason, oracle::network::Fault};

use super::*;
use crate::explain::{live::Confirmation, probe::Kind, reach::Reach, scene::Scene};

const OWN: &str = "Access-Control-Allow-Origin: https://app.example.com";

fn explanation(scene: Scene) -> Explanation {
    Explanation::of(scene.evidence(), Source::Live { probes: true })
}

fn shown(scene: Scene) -> String {
    text(&explanation(scene), false)
}

fn blocked() -> Scene {
    Scene::put()
        .include()
        .header("X-Token", "1")
        .preflight(204, "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: PUT")
        .probe(Kind::HarmlessPreflight, 204, "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: PUT")
        .probe(Kind::OwnOrigin, 200, "Access-Control-Allow-Origin: *")
        .probe(Kind::ErrorPath, 404, "")
}

#[test]
fn a_blocked_request() {
    insta::assert_snapshot!(shown(blocked()), @r#"
    BLOCKED  wildcard-with-credentials
      Blocked: a page of https://app.example.com may not read the answer to PUT https://api.example.com/x,
      because the answer to its preflight allows `*`, which does not count for a request with credentials.
      The PUT itself was never sent.
      Asked by fetch(), mode cors, credentials include, X-Token: 1.

    path
        1 main fetch, step 12: another origin: cors, and the method is not CORS-safelisted: a preflight
        2 HTTP fetch, step 4.1: the CORS-preflight cache does not grant all of it: a preflight
        3 CORS-preflight fetch, step 6: the preflight goes to the wire, without credentials
        4 append a request Origin header, step 3: response tainting cors: Origin: https://app.example.com
        5 HTTP-network fetch, step 8.5: OPTIONS https://api.example.com/x: status 204
        6 CORS check, step 4: Access-Control-Allow-Origin is not the request's origin
            wanted `https://app.example.com`
            found  `*`
    =>  7 CORS-preflight fetch, step 8: the CORS check fails on the preflight's answer: a network error
        8 main fetch, step 12: a network error clears the CORS-preflight cache of this origin and URL

    wire
      1. preflight
         > OPTIONS /x
         > Host: api.example.com
         > Connection: keep-alive
         > Accept: */*
         > Access-Control-Request-Method: PUT
         > Access-Control-Request-Headers: x-token
         > Referer: https://app.example.com/
         > Origin: https://app.example.com
         > Sec-Fetch-Dest: empty
         > Sec-Fetch-Mode: cors
         > Sec-Fetch-Site: same-site
         > User-Agent: Mozilla/5.0 (simulated user agent)
         > Accept-Encoding: gzip, deflate
         < 204 No Content
         < Access-Control-Allow-Origin: *
         < Access-Control-Allow-Methods: PUT

    probes
      3 harmless requests were sent besides, to tell causes apart (--no-probe sends none):
      preflight for GET without headers: 204, Access-Control-Allow-Origin: *
          preflights are answered: it is about what this one asks for
      GET with this origin: 200, Access-Control-Allow-Origin: *
          answers to GET have the headers
      GET /corscheck-probe-404: 404, no Access-Control-Allow-Origin
          error answers lack the headers

    likely cause  [wildcard-with-credentials]
      The request is made with credentials, and the server allows every origin by `*`, which does not
      count for such requests.
      told by  the credentials mode is include, and the header is `*`
      remedy   If the page needs no cookies or HTTP authentication, ask without `credentials: "include"`
               (withCredentials). If it does, list the origins that may, and answer with the one that asks. Do not
               answer with whatever origin asks: any site could then read what the user may read.

    fix
      the answer to the preflight OPTIONS https://api.example.com/x
        - Access-Control-Allow-Origin: *
        + Access-Control-Allow-Origin: https://app.example.com
        + Access-Control-Allow-Credentials: true
        + Access-Control-Allow-Headers: x-token
      the answer to PUT https://api.example.com/x (not seen yet; it must have)
        + Access-Control-Allow-Origin: https://app.example.com
        + Access-Control-Allow-Credentials: true
        + Vary: Origin
      Tried: with these changes the request is allowed.

    warning  [error-path-lacks-headers]
      Error answers lack the CORS headers: a page cannot read why a request failed, and sees "blocked by
      CORS" instead of 404.
      told by  GET is answered with `Access-Control-Allow-Origin: *`, a path that does not exist with 404 and no
               such field
      remedy   Add the headers to every answer, whatever its status; in nginx, `add_header … always`.

    consoles
      Chrome
        Access to fetch at 'https://api.example.com/x' from origin 'https://app.example.com' has been blocked by CORS policy: Response to preflight request doesn't pass access control check: The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's credentials mode is 'include'.
        PUT https://api.example.com/x net::ERR_FAILED
        Uncaught (in promise) TypeError: Failed to fetch
      Firefox
        Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at ‘https://api.example.com/x’. (Reason: Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’). [CORSNotSupportingCredentials]
        https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS/Errors/CORSNotSupportingCredentials
        Uncaught (in promise) TypeError: NetworkError when attempting to fetch resource.
    "#);
}

#[test]
fn an_allowed_request_with_a_danger() {
    let scene = Scene::get().answer(200, OWN).probe(
        Kind::OtherOrigin,
        200,
        "Access-Control-Allow-Origin: https://corscheck-probe.example\nAccess-Control-Allow-Credentials: true",
    );
    insta::assert_snapshot!(shown(scene), @r"
    ALLOWED
      Allowed: a page of https://app.example.com may read the answer to GET https://api.example.com/x
      (200).
      Asked by fetch(), mode cors, credentials same-origin.

    path
        1 main fetch, step 12: another origin: cors, without a preflight
        2 HTTP-network-or-cache fetch, step 8.3: credentials mode same-origin, and the request has left its origin: without credentials
        3 append a request Origin header, step 3: response tainting cors: Origin: https://app.example.com
        4 HTTP-network fetch, step 8.5: GET https://api.example.com/x: status 200
        5 CORS check, step 5: the origin matches, and the credentials mode is not include: success
            wanted `https://app.example.com`
            found  `https://app.example.com`
        6 TAO check, step 8: neither Timing-Allow-Origin nor the same origin: no timing details
        7 main fetch, step 14.2: a CORS filtered response

    wire
      1. request
         > GET /x
         > Host: api.example.com
         > Connection: keep-alive
         > Accept: */*
         > Referer: https://app.example.com/
         > Origin: https://app.example.com
         > Sec-Fetch-Dest: empty
         > Sec-Fetch-Mode: cors
         > Sec-Fetch-Site: same-site
         > User-Agent: Mozilla/5.0 (simulated user agent)
         > Accept-Encoding: gzip, deflate
         < 200 OK
         < Access-Control-Allow-Origin: https://app.example.com

    probes
      1 harmless request was sent besides, to tell causes apart (--no-probe sends none):
      GET with Origin: https://corscheck-probe.example: 200, Access-Control-Allow-Origin: https://corscheck-probe.example
          the server allows any origin, by repeating it

    warning  [reflects-any-origin-with-credentials]
      DANGEROUS: the server allows any origin with credentials. Any site that a user visits can read
      whatever this user may read here.
      told by  GET with `Origin: https://corscheck-probe.example` is answered (200) with that origin and
               `Access-Control-Allow-Credentials: true`
      remedy   List the origins that may read with credentials. If everybody may read, answer `*` and leave
               Access-Control-Allow-Credentials out.

    warning  [vary-missing]
      The answer depends on the request's Origin and does not say so: a cache may give one origin's answer
      to another, which then is blocked.
      told by  Access-Control-Allow-Origin is `https://app.example.com` for this origin, and for another origin
               there is `https://corscheck-probe.example`; there is no `Vary: Origin`
      remedy   Send `Vary: Origin` with every answer of this resource, also where Access-Control-Allow-Origin is
               left out.
    ");
}

#[test]
fn no_answer_and_nothing_sent() {
    let scene = Scene::get().unanswered(Fault::Unreachable("refused".into()), Reach::Refused { address: "192.0.2.1:443".into() });
    insta::assert_snapshot!(shown(scene), @r"
    UNREACHABLE  network
      Unreachable: a page of https://app.example.com gets nothing from GET https://api.example.com/x,
      because there is no answer: refused.
      Asked by fetch(), mode cors, credentials same-origin.

    path
        1 main fetch, step 12: another origin: cors, without a preflight
        2 HTTP-network-or-cache fetch, step 8.3: credentials mode same-origin, and the request has left its origin: without credentials
        3 append a request Origin header, step 3: response tainting cors: Origin: https://app.example.com
    =>  4 HTTP-network fetch, step 8.1: refused

    wire
      1. request
         > GET /x
         > Host: api.example.com
         > Connection: keep-alive
         > Accept: */*
         > Referer: https://app.example.com/
         > Origin: https://app.example.com
         > Sec-Fetch-Dest: empty
         > Sec-Fetch-Mode: cors
         > Sec-Fetch-Site: same-site
         > User-Agent: Mozilla/5.0 (simulated user agent)
         > Accept-Encoding: gzip, deflate
         < (refused)

    likely cause  [connection-refused]
      Nobody listens at api.example.com:443. This is no matter of CORS, although a page cannot tell the
      difference.
      told by  192.0.2.1:443 refuses the connection
      remedy   Start the server, and see whether the port is right and the server listens on this address (a
               container: on 0.0.0.0).

    consoles
      Chrome
        GET https://api.example.com/x net::ERR_CONNECTION_REFUSED
        Uncaught (in promise) TypeError: Failed to fetch
      Firefox
        Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://api.example.com/x. (Reason: CORS request did not succeed). Status code: (null). [CORSDidNotSucceed2]
        https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS/Errors/CORSDidNotSucceed
        Uncaught (in promise) TypeError: NetworkError when attempting to fetch resource.
    ");
    insta::assert_snapshot!(shown(Scene::new("GET", "http://api.example.com/x")), @r"
    BLOCKED  blocked-by-policy
      Blocked: a page of https://app.example.com may not read the answer to GET http://api.example.com/x,
      because a secure page may not fetch from an insecure URL.
      Nothing was sent.
      Asked by fetch(), mode cors, credentials same-origin.

    path
    =>  1 main fetch, step 7: a secure page may not fetch from an insecure URL

    wire
      nothing: no request leaves the browser

    likely cause  [mixed-content]
      The page is https and what it asks for is http: mixed content, which browsers block before CORS is
      looked at.
      told by  the page's origin is https, and the URL is http on another host than this one
      remedy   Serve the API over https, or through the page's own server.

    consoles
      Chrome
        Mixed Content: The page at 'https://app.example.com/' was loaded over HTTPS, but requested an insecure resource 'http://api.example.com/x'. This request has been blocked; the content must be served over HTTPS.
        Uncaught (in promise) TypeError: Failed to fetch
      Firefox
        Blocked loading mixed active content “http://api.example.com/x” [Mixed Content Blocker]
        Uncaught (in promise) TypeError: NetworkError when attempting to fetch resource.
    ");
}

#[test]
fn a_redirect_to_a_login_page() {
    let scene = Scene::get().answer(302, &format!("{OWN}\nLocation: https://login.example.net/")).answer(200, "Content-Type: text/html");
    insta::assert_snapshot!(shown(scene), @r"
    BLOCKED  acao-missing
      Blocked: a page of https://app.example.com may not read the answer to GET https://api.example.com/x,
      because the answer to GET https://login.example.net/ (200) has no Access-Control-Allow-Origin.
      The server did get the GET and answered it; the browser keeps the answer from the page.
      Asked by fetch(), mode cors, credentials same-origin.

    path
        1 main fetch, step 12: another origin: cors, without a preflight
        2 HTTP-network-or-cache fetch, step 8.3: credentials mode same-origin, and the request has left its origin: without credentials
        3 append a request Origin header, step 3: response tainting cors: Origin: https://app.example.com
        4 HTTP-network fetch, step 8.5: GET https://api.example.com/x: status 302
        5 CORS check, step 5: the origin matches, and the credentials mode is not include: success
            wanted `https://app.example.com`
            found  `https://app.example.com`
        6 TAO check, step 8: neither Timing-Allow-Origin nor the same origin: no timing details
        7 serializing a request origin, step 2: redirects led from one foreign origin to another: the origin is null from here on
        8 HTTP-redirect fetch, step 22: on to https://login.example.net/
        9 main fetch, step 12: another origin: cors, without a preflight
       10 HTTP-network-or-cache fetch, step 8.3: credentials mode same-origin, and the request has left its origin: without credentials
       11 append a request Origin header, step 3: response tainting cors: Origin: null
       12 HTTP-network fetch, step 8.5: GET https://login.example.net/: status 200
       13 CORS check, step 2: there is no Access-Control-Allow-Origin
            wanted `null`
            found  nothing
    => 14 HTTP fetch, step 4.4: the CORS check fails: a network error

    wire
      1. request
         > GET /x
         > Host: api.example.com
         > Connection: keep-alive
         > Accept: */*
         > Referer: https://app.example.com/
         > Origin: https://app.example.com
         > Sec-Fetch-Dest: empty
         > Sec-Fetch-Mode: cors
         > Sec-Fetch-Site: same-site
         > User-Agent: Mozilla/5.0 (simulated user agent)
         > Accept-Encoding: gzip, deflate
         < 302 Found
         < Access-Control-Allow-Origin: https://app.example.com
         < Location: https://login.example.net/
      2. request
         > GET /
         > Host: login.example.net
         > Connection: keep-alive
         > Accept: */*
         > Referer: https://app.example.com/
         > Origin: null
         > Sec-Fetch-Dest: empty
         > Sec-Fetch-Mode: cors
         > Sec-Fetch-Site: cross-site
         > User-Agent: Mozilla/5.0 (simulated user agent)
         > Accept-Encoding: gzip, deflate
         < 200 OK
         < Content-Type: text/html

    likely cause  [redirect-to-login]
      The request is not logged in, and the server leads it to a login page. A script cannot log in there,
      and must not read the page.
      told by  the answer 302 leads to https://login.example.net/, a login page by its name, whose answer lacks the
               headers
      remedy   Answer API requests without a session with 401 (and CORS headers) instead of a redirect. In the
               page: log in first, and see that the session's cookie is sent (credentials mode include,
               SameSite=None; Secure).

    fix
      the answer to GET https://login.example.net/
        + Access-Control-Allow-Origin: *
      Tried: with these changes the request is allowed.

    consoles
      Chrome
        Access to fetch at 'https://login.example.net/' (redirected from 'https://api.example.com/x') from origin 'https://app.example.com' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.
        GET https://login.example.net/ net::ERR_FAILED 200 (OK)
        Uncaught (in promise) TypeError: Failed to fetch
      Firefox
        Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://login.example.net/. (Reason: CORS header ‘Access-Control-Allow-Origin’ missing). Status code: 200. [CORSMissingAllowOrigin2]
        https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS/Errors/CORSMissingAllowOrigin
        Uncaught (in promise) TypeError: NetworkError when attempting to fetch resource.
    ");
}

#[test]
fn a_header_that_is_not_exposed_and_an_authorization_that_all_engines_let_pass() {
    insta::assert_snapshot!(shown(Scene::get().expects("X-Total").answer(200, &format!("{OWN}\nX-Total: 1"))), @r"
    HEADER-HIDDEN
      Allowed, but a page of https://app.example.com gets null for X-Total in the answer to GET
      https://api.example.com/x (200).
      Asked by fetch(), mode cors, credentials same-origin.

    path
        1 main fetch, step 12: another origin: cors, without a preflight
        2 HTTP-network-or-cache fetch, step 8.3: credentials mode same-origin, and the request has left its origin: without credentials
        3 append a request Origin header, step 3: response tainting cors: Origin: https://app.example.com
        4 HTTP-network fetch, step 8.5: GET https://api.example.com/x: status 200
        5 CORS check, step 5: the origin matches, and the credentials mode is not include: success
            wanted `https://app.example.com`
            found  `https://app.example.com`
        6 TAO check, step 8: neither Timing-Allow-Origin nor the same origin: no timing details
        7 main fetch, step 14.2: a CORS filtered response

    wire
      1. request
         > GET /x
         > Host: api.example.com
         > Connection: keep-alive
         > Accept: */*
         > Referer: https://app.example.com/
         > Origin: https://app.example.com
         > Sec-Fetch-Dest: empty
         > Sec-Fetch-Mode: cors
         > Sec-Fetch-Site: same-site
         > User-Agent: Mozilla/5.0 (simulated user agent)
         > Accept-Encoding: gzip, deflate
         < 200 OK
         < Access-Control-Allow-Origin: https://app.example.com
         < X-Total: 1

    likely cause  [header-not-exposed]
      The answer has X-Total, and the server does not expose it: script gets null.
      told by  X-Total is in the answer, and there is no Access-Control-Expose-Headers
      remedy   Answer with `Access-Control-Expose-Headers: X-Total`.

    fix
      the answer to GET https://api.example.com/x
        + Access-Control-Expose-Headers: X-Total
      Tried: with these changes the request is allowed.
    ");
    let scene = Scene::get().header("Authorization", "Bearer x").preflight(204, &format!("{OWN}\nAccess-Control-Allow-Headers: *"));
    insta::assert_snapshot!(shown(scene), @r"
    BLOCKED  header-not-allowed
      Blocked: a page of https://app.example.com may not read the answer to GET https://api.example.com/x,
      because the answer to its preflight does not allow the header authorization.
      The GET itself was never sent.
      Asked by fetch(), mode cors, credentials same-origin, Authorization: Bearer x.

    path
        1 CORS-unsafe request-header names, step 6: unsafe: authorization
        2 main fetch, step 12: another origin: cors, and unsafe request headers: a preflight
        3 HTTP fetch, step 4.1: the CORS-preflight cache does not grant all of it: a preflight
        4 CORS-preflight fetch, step 6: the preflight goes to the wire, without credentials
        5 append a request Origin header, step 3: response tainting cors: Origin: https://app.example.com
        6 HTTP-network fetch, step 8.5: OPTIONS https://api.example.com/x: status 204
        7 CORS check, step 5: the origin matches, and the credentials mode is not include: success
            wanted `https://app.example.com`
            found  `https://app.example.com`
        8 CORS-preflight fetch, step 7.5: the method must be listed or safelisted
            wanted `GET`
            found  ``
    =>  9 CORS-preflight fetch, step 7.6: Authorization must be listed by name: `*` does not cover it
       10 main fetch, step 12: a network error clears the CORS-preflight cache of this origin and URL

    wire
      1. preflight
         > OPTIONS /x
         > Host: api.example.com
         > Connection: keep-alive
         > Accept: */*
         > Access-Control-Request-Method: GET
         > Access-Control-Request-Headers: authorization
         > Referer: https://app.example.com/
         > Origin: https://app.example.com
         > Sec-Fetch-Dest: empty
         > Sec-Fetch-Mode: cors
         > Sec-Fetch-Site: same-site
         > User-Agent: Mozilla/5.0 (simulated user agent)
         > Accept-Encoding: gzip, deflate
         < 204 No Content
         < Access-Control-Allow-Origin: https://app.example.com
         < Access-Control-Allow-Headers: *

    likely cause  [authorization-needs-its-name]
      Access-Control-Allow-Headers is `*`, which covers every header but Authorization: that must be
      listed by its name.
      told by  Authorization is the one header that is missing, and `*` is in the list
      remedy   Send `Access-Control-Allow-Headers: *, Authorization`. Today's Chromium, Firefox and WebKit let the
               request pass all the same; Firefox warns that it will not for long.

    fix
      the answer to the preflight OPTIONS https://api.example.com/x
        - Access-Control-Allow-Headers: *
        + Access-Control-Allow-Headers: *, authorization
      the answer to GET https://api.example.com/x (not seen yet; it must have)
        + Access-Control-Allow-Origin: https://app.example.com
        + Vary: Origin
      Tried: with these changes the request is allowed.

    consoles
      Chromium, Firefox and WebKit let this request pass today, against the standard; Chrome says nothing,
      Firefox warns.
      Firefox
        Cross-Origin Request Warning: The Same Origin Policy will disallow reading the remote resource at https://api.example.com/x soon. (Reason: When the `Access-Control-Allow-Headers` is `*`, the `Authorization` header is not covered. To include the `Authorization` header, it must be explicitly listed in CORS header `Access-Control-Allow-Headers`). [CORSAllowHeaderFromPreflightDeprecation]
    ");
}

#[test]
fn an_answer_that_nobody_described() {
    let mut evidence = Scene::put().answer(200, OWN).evidence();
    evidence.question.remarks.push("Something was taken for granted.".to_owned());
    insta::assert_snapshot!(text(&Explanation::of(evidence, Source::File("a.toml".to_owned())), false), @r"
    ALLOWED
      Allowed: a page of https://app.example.com may read the answer to PUT https://api.example.com/x
      (200).
      Asked by fetch(), mode cors, credentials same-origin.
      Something was taken for granted.
      The answers are those that a.toml describes; nothing was sent.
      The answer to the preflight OPTIONS https://api.example.com/x is not described: it is taken to grant
      everything.

    path
        1 main fetch, step 12: another origin: cors, and the method is not CORS-safelisted: a preflight
        2 HTTP fetch, step 4.1: the CORS-preflight cache does not grant all of it: a preflight
        3 CORS-preflight fetch, step 6: the preflight goes to the wire, without credentials
        4 append a request Origin header, step 3: response tainting cors: Origin: https://app.example.com
        5 HTTP-network fetch, step 8.5: OPTIONS https://api.example.com/x: status 204
        6 CORS check, step 5: the origin matches, and the credentials mode is not include: success
            wanted `https://app.example.com`
            found  `https://app.example.com`
        7 CORS-preflight fetch, step 7.5: the method must be listed or safelisted
            wanted `PUT`
            found  `PUT`
        8 CORS-preflight fetch, step 7.12: the grants are stored for 5 s
        9 HTTP-network-or-cache fetch, step 8.3: credentials mode same-origin, and the request has left its origin: without credentials
       10 append a request Origin header, step 3: response tainting cors: Origin: https://app.example.com
       11 HTTP-network fetch, step 8.5: PUT https://api.example.com/x: status 200
       12 CORS check, step 5: the origin matches, and the credentials mode is not include: success
            wanted `https://app.example.com`
            found  `https://app.example.com`
       13 TAO check, step 8: neither Timing-Allow-Origin nor the same origin: no timing details
       14 main fetch, step 14.2: a CORS filtered response

    wire
      1. preflight
         > OPTIONS /x
         > Host: api.example.com
         > Connection: keep-alive
         > Accept: */*
         > Access-Control-Request-Method: PUT
         > Referer: https://app.example.com/
         > Origin: https://app.example.com
         > Sec-Fetch-Dest: empty
         > Sec-Fetch-Mode: cors
         > Sec-Fetch-Site: same-site
         > User-Agent: Mozilla/5.0 (simulated user agent)
         > Accept-Encoding: gzip, deflate
         < (nobody said so; taken for granted:)
         < 204
         < Access-Control-Allow-Origin: https://app.example.com
         < Access-Control-Allow-Methods: PUT
         < Access-Control-Allow-Credentials: true
      2. request
         > PUT /x
         > Host: api.example.com
         > Connection: keep-alive
         > Accept: */*
         > Content-Length: 0
         > Referer: https://app.example.com/
         > Origin: https://app.example.com
         > Sec-Fetch-Dest: empty
         > Sec-Fetch-Mode: cors
         > Sec-Fetch-Site: same-site
         > User-Agent: Mozilla/5.0 (simulated user agent)
         > Accept-Encoding: gzip, deflate
         < 200 OK
         < Access-Control-Allow-Origin: https://app.example.com

    note  [preflight-each-time]
      Almost every such request is preceded by a preflight: browsers keep what it grants for no more than
      five seconds.
      told by  the preflight's answer has no Access-Control-Max-Age, which counts as 5 s
      remedy   Send `Access-Control-Max-Age: 7200`, or less while the settings still change.
    ");
}

#[test]
fn what_a_browser_made_of_it() {
    let browser_line = |explanation: &Explanation| {
        let text = text(explanation, false);
        text[text.find("\nbrowser").expect("the block")..].to_owned()
    };
    let mut explanation = explanation(blocked());
    let confirmed = Confirmation {
        browser: "chromium".to_owned(),
        version: "156.0".to_owned(),
        outcome: Some(Outcome::Blocked),
        reason: Some(Reason::WildcardWithCredentials),
        words: vec!["Access to fetch \u{1b}[31m".to_owned()],
        agrees: true,
        differences: Vec::new(),
    };
    explanation.confirmation = Some(Ok(confirmed.clone()));
    insta::assert_snapshot!(browser_line(&explanation), @r#"

    browser
      chromium 156.0 agrees: blocked, and it names wildcard-with-credentials.
      The recorded answers were replayed to it by servers of this program, to a page of its own origin:
      where an answer names the page's origin, the replay named that one. Cookies, TLS and addresses of
      the real servers had no part in it.
        "Access to fetch \x1B[31m"
    "#);
    let differences = vec!["page.outcome: expected blocked, saw allowed".to_owned()];
    let other = Confirmation { outcome: Some(Outcome::Allowed), reason: None, words: Vec::new(), agrees: false, differences, ..confirmed };
    explanation.confirmation = Some(Ok(other));
    insta::assert_snapshot!(browser_line(&explanation), @r"

    browser
      chromium 156.0 DISAGREES: allowed, and it names no reason.
      The recorded answers were replayed to it by servers of this program, to a page of its own origin:
      where an answer names the page's origin, the replay named that one. Cookies, TLS and addresses of
      the real servers had no part in it.
        page.outcome: expected blocked, saw allowed
    ");
    explanation.confirmation = Some(Err("There was no answer: there is nothing to replay.".to_owned()));
    insta::assert_snapshot!(browser_line(&explanation), @r"

    browser
      Not confirmed. There was no answer: there is nothing to replay.
    ");
}

#[test]
fn nothing_of_an_answer_steers_the_terminal() {
    let hostile = "\u{1b}[2J\u{9b}31m\u{7}\u{202e}";
    let scene = Scene::put()
        .header("X-A", hostile)
        .preflight(403, &format!("X-Evil: {hostile}\nLocation: {hostile}\nAccess-Control-Allow-Origin: {hostile}\n\n{hostile}"))
        .probe(Kind::OtherOrigin, 200, &format!("Access-Control-Allow-Origin: {hostile}"))
        .probe(Kind::OwnOrigin, 200, &format!("Access-Control-Allow-Origin: {hostile}\nETag: {hostile}"));
    let printed = shown(scene.clone());
    let harmful = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{9b}');
    assert!(!printed.contains(harmful), "{printed}");
    let mut socketed = scene.evidence();
    for exchange in &mut socketed.run.exchanges {
        let head = format!("HTTP/1.1 403 {hostile}\r\nX: {hostile}\r\n\r\n").into_bytes();
        exchange.socket = Some(Box::new(Socket { server: None, sent: head.clone(), received: head, ms: 0 }));
    }
    let printed = text(&Explanation::of(socketed, Source::File(hostile.to_owned())), false);
    assert!(!printed.contains(harmful), "{printed}");
}

#[test]
fn colour_marks_headings_and_hides_no_word() {
    let explanation = explanation(blocked());
    let (plain, coloured) = (text(&explanation, false), text(&explanation, true));
    let mut bare = coloured.clone();
    for code in ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[0m"] {
        bare = bare.replace(code, "");
    }
    assert_ne!(plain, coloured);
    assert_eq!(plain, bare);
}
