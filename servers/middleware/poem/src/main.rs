//! The application in poem, behind `poem::middleware::Cors`.

use std::{env, io, panic, process, time::Duration};

use poem::{
    Endpoint, EndpointExt, Response, Route, Server,
    endpoint::make_sync,
    get, handler,
    http::{Method, StatusCode, Uri},
    listener::TcpListener,
    middleware::{CatchPanic, Cors, SetHeader},
};
use serde_json::{Value, json};
use tokio::time::sleep;

fn list(names: &Value) -> Vec<&str> {
    match names {
        Value::String(one) => vec![one],
        many => many.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    }
}

/// What is not set is any, for origins, methods and request headers.
fn cors(policy: &Value) -> Cors {
    let any = |part: &str| policy[part] == json!(["*"]);
    let mut cors = Cors::new();
    if policy["default"] == true {
        return cors;
    }
    if !any("origins") {
        let (patterns, origins): (Vec<_>, Vec<_>) =
            list(&policy["origins"]).into_iter().partition(|origin| *origin != "*" && origin.contains('*'));
        cors = patterns.into_iter().fold(cors.allow_origins(origins), Cors::allow_origin_regex);
    }
    if !any("methods") {
        cors = cors.allow_methods(list(&policy["methods"]));
    }
    if !any("requestHeaders") {
        cors = cors.allow_headers(list(&policy["requestHeaders"]));
    }
    if let Some(seconds) = policy["maxAge"].as_i64() {
        cors = cors.max_age(seconds.try_into().unwrap());
    }
    cors.allow_credentials(policy["credentials"] == true).expose_headers(list(&policy["expose"]))
}

#[handler]
fn resource() -> Response {
    Response::builder()
        .content_type("text/plain")
        .header("x-app", "corscheck")
        .header("vary", "Accept-Language")
        .header("x-secret", "secret")
        .header("x-other", "other")
        .header("etag", "\"r\"")
        .header("cache-control", "max-age=600")
        .body("resource")
}

#[handler]
fn panics() {
    panic!("the handler panics")
}

#[handler]
fn redirect(uri: &Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Response::builder().status(StatusCode::FOUND).header("x-app", "corscheck").header("location", format!("/r{query}")).finish()
}

#[handler]
fn not_modified() -> Response {
    Response::builder().status(StatusCode::NOT_MODIFIED).header("x-app", "corscheck").header("etag", "\"r\"").finish()
}

#[handler]
fn opt(method: Method) -> Response {
    let body = if method == Method::OPTIONS { "own options" } else { "no options" };
    Response::builder().header("x-app", "corscheck").body(body)
}

#[handler]
fn image() -> Response {
    Response::builder().content_type("image/png").header("x-app", "corscheck").body(include_bytes!("pixel.png").as_slice())
}

fn application(policy: &Value) -> impl Endpoint + use<> {
    let mut app = Route::new()
        .at("/r", resource)
        .at("/500", panics)
        .at("/302", redirect)
        .at("/304", get(not_modified))
        .at("/dup", get(resource.with(SetHeader::new().overriding("access-control-allow-origin", "https://handler.test"))))
        .at("/opt", opt)
        .at(
            "/slow",
            get(resource.before(async |request| {
                sleep(Duration::from_millis(300)).await;
                Ok(request)
            })),
        )
        .at("/img", get(image))
        .at("/get", get(resource));
    for code in [401, 403, 404, 405, 413] {
        let code = StatusCode::from_u16(code).unwrap();
        app = app.at(
            format!("/{}", code.as_str()),
            make_sync(move |_| Response::builder().status(code).header("x-app", "corscheck").body("error")),
        );
    }
    let by_path = policy["paths"].as_array();
    for path in ["/public", "/private"] {
        let part = by_path.into_iter().flatten().find(|part| part["path"] == path);
        app = app.nest(path, Route::new().at("/r", resource).with_if(part.is_some(), cors(part.unwrap_or(&Value::Null))));
    }
    // As in the example of its documentation, what catches panics is next to the routes, so the 500 passes through `Cors`.
    app.with(CatchPanic::new()).with_if(by_path.is_none(), cors(policy))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let policy = serde_json::from_str(&env::var("CORSCHECK_POLICY").unwrap()).unwrap();
    // `Cors` panics on names that it refuses.
    let app = match panic::catch_unwind(|| application(&policy)) {
        Ok(app) => app,
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            println!("corscheck: refused {}", words.unwrap_or_default());
            process::exit(1)
        }
    };
    let address = format!("{}:{}", env::var("CORSCHECK_HOST").unwrap(), env::var("CORSCHECK_PORT").unwrap());
    Server::new(TcpListener::bind(address)).run(app).await
}
