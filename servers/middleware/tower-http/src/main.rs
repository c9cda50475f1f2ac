//! The application in axum, behind `tower_http::cors::CorsLayer`.

use std::{env, fmt::Debug, panic, process, str::FromStr, time::Duration};

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri},
    response::{AppendHeaders, IntoResponse},
    routing::{any, get},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, Any, CorsLayer},
};

const APP: (&str, &str) = ("x-app", "corscheck");
const PNG: &[u8] = include_bytes!("pixel.png");

fn unsupported(words: &str) -> ! {
    println!("corscheck: unsupported {words}");
    process::exit(1)
}

fn list<T: FromStr<Err: Debug>>(names: &Value) -> Vec<T> {
    let names = names.as_array().into_iter().flatten();
    names.map(|name| name.as_str().unwrap().parse().unwrap()).collect()
}

fn any_or_list<T: FromStr<Err: Debug>, Option: From<Any> + From<Vec<T>>>(names: &Value) -> Option {
    if *names == json!(["*"]) { Any.into() } else { list(names).into() }
}

fn cors(policy: &Value) -> CorsLayer {
    if policy["default"] == true {
        return CorsLayer::new();
    }
    let origins = match &policy["origins"] {
        Value::String(one) => AllowOrigin::exact(one.parse().unwrap()),
        Value::Array(many) if many.iter().any(|origin| origin != "*" && origin.as_str().unwrap().contains('*')) => {
            unsupported("patterns of origins: there is only a predicate")
        }
        many => any_or_list::<HeaderValue, _>(many),
    };
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(policy["credentials"] == true)
        .allow_methods(any_or_list::<Method, tower_http::cors::AllowMethods>(&policy["methods"]))
        .allow_headers(any_or_list::<HeaderName, tower_http::cors::AllowHeaders>(&policy["requestHeaders"]))
        .expose_headers(any_or_list::<HeaderName, tower_http::cors::ExposeHeaders>(&policy["expose"]));
    match policy["maxAge"].as_i64().map(u64::try_from) {
        Some(Ok(seconds)) => layer.max_age(Duration::from_secs(seconds)),
        Some(Err(_)) => unsupported("a negative max age: it is a Duration"),
        None => layer,
    }
}

async fn resource() -> impl IntoResponse {
    let headers = [
        APP,
        ("content-type", "text/plain"),
        ("vary", "Accept-Language"),
        ("x-secret", "secret"),
        ("x-other", "other"),
        ("etag", "\"r\""),
        ("cache-control", "max-age=600"),
    ];
    (headers, "resource")
}

async fn redirect(uri: Uri) -> impl IntoResponse {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    (StatusCode::FOUND, AppendHeaders([APP]), [("location", format!("/r{query}"))])
}

async fn panics() {
    panic!("the handler panics")
}

async fn slow() -> impl IntoResponse {
    sleep(Duration::from_millis(300)).await;
    resource().await
}

fn application(policy: &Value) -> Router {
    let mut app = Router::new()
        .route("/r", any(resource))
        .route("/500", any(panics))
        .route("/302", any(redirect))
        .route("/304", get(async || (StatusCode::NOT_MODIFIED, [APP, ("etag", "\"r\"")])))
        .route("/dup", get(async || ([("access-control-allow-origin", "https://handler.test")], resource().await)))
        .route("/opt", get(async || ([APP], "no options")).options(async || ([APP], "own options")))
        .route("/slow", get(slow))
        .route("/img", get(async || ([APP, ("content-type", "image/png")], PNG)))
        .route("/get", get(resource));
    for code in [401, 403, 404, 405, 413] {
        app = app.route(&format!("/{code}"), any(async move || (StatusCode::from_u16(code).unwrap(), [APP], "error")));
    }
    let by_path = policy["paths"].as_array();
    for path in ["/public", "/private"] {
        let below = Router::new().route("/r", any(resource));
        let part = by_path.into_iter().flatten().find(|part| part["path"] == path);
        app = app.nest(path, if let Some(part) = part { below.layer(cors(part)) } else { below });
    }
    // As its documentation has it, what catches panics is next to the handlers, so the 500 passes through `CorsLayer`.
    app = app.layer(CatchPanicLayer::new());
    if by_path.is_none() { app.layer(cors(policy)) } else { app }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let policy = serde_json::from_str(&env::var("CORSCHECK_POLICY").unwrap()).unwrap();
    // With its state a router is complete: layers are called, and panic when they are not content.
    let app: Router = match panic::catch_unwind(|| application(&policy).with_state(())) {
        Ok(app) => app,
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            println!("corscheck: refused {}", words.unwrap_or_default());
            process::exit(1)
        }
    };
    let address = format!("{}:{}", env::var("CORSCHECK_HOST").unwrap(), env::var("CORSCHECK_PORT").unwrap());
    axum::serve(TcpListener::bind(address).await.unwrap(), app).await.unwrap();
}
