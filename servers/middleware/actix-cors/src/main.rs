//! The application in actix-web, behind `actix_cors::Cors`.

use std::{env, io, process, time::Duration};

use actix_cors::Cors;
use actix_web::{
    App, HttpRequest, HttpResponse, HttpResponseBuilder, HttpServer,
    http::{Method, StatusCode},
    middleware::Condition,
    rt::time::sleep,
    test, web,
};
use actix_web_lab::middleware::CatchPanic;
use serde_json::{Value, json};

/// `Cors` tells what it refuses to the log alone.
struct Refusals;

impl log::Log for Refusals {
    fn enabled(&self, of: &log::Metadata) -> bool {
        of.target().starts_with("actix_cors") && of.level() == log::Level::Error
    }

    fn log(&self, record: &log::Record) {
        if self.enabled(record.metadata()) {
            println!("corscheck: refused {}", record.args());
            process::exit(1)
        }
    }

    fn flush(&self) {}
}

fn unsupported(words: &str) -> ! {
    println!("corscheck: unsupported {words}");
    process::exit(1)
}

fn list(names: &Value) -> Vec<&str> {
    match names {
        Value::String(one) => vec![one],
        many => many.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    }
}

fn cors(policy: &Value) -> Cors {
    let any = |part: &str| policy[part] == json!(["*"]);
    let mut cors = Cors::default();
    if any("origins") {
        cors = cors.allow_any_origin();
    } else {
        for origin in list(&policy["origins"]) {
            if origin != "*" && origin.contains('*') {
                unsupported("patterns of origins: there is only a function");
            }
            cors = cors.allowed_origin(origin);
        }
    }
    if policy["credentials"] == true {
        cors = cors.supports_credentials();
    }
    cors = if any("methods") { cors.allow_any_method() } else { cors.allowed_methods(list(&policy["methods"])) };
    cors = if any("requestHeaders") { cors.allow_any_header() } else { cors.allowed_headers(list(&policy["requestHeaders"])) };
    cors = if any("expose") { cors.expose_any_header() } else { cors.expose_headers(list(&policy["expose"])) };
    match policy["maxAge"].as_i64().map(usize::try_from) {
        Some(Ok(seconds)) => cors.max_age(seconds),
        Some(Err(_)) => unsupported("a negative max age: it is a usize"),
        None => cors,
    }
}

fn answer(code: u16) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(StatusCode::from_u16(code).unwrap());
    answer.insert_header(("x-app", "corscheck"));
    answer
}

fn full() -> HttpResponseBuilder {
    let mut answer = answer(200);
    answer
        .content_type("text/plain")
        .insert_header(("vary", "Accept-Language"))
        .insert_header(("x-secret", "secret"))
        .insert_header(("x-other", "other"))
        .insert_header(("etag", "\"r\""))
        .insert_header(("cache-control", "max-age=600"));
    answer
}

async fn resource() -> HttpResponse {
    full().body("resource")
}

async fn panics() -> HttpResponse {
    panic!("the handler panics")
}

async fn redirect(request: HttpRequest) -> HttpResponse {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    answer(302).insert_header(("location", format!("/r{query}"))).finish()
}

async fn not_modified() -> HttpResponse {
    answer(304).insert_header(("etag", "\"r\"")).finish()
}

async fn dup() -> HttpResponse {
    full().insert_header(("access-control-allow-origin", "https://handler.test")).body("resource")
}

async fn opt(method: Method) -> HttpResponse {
    answer(200).body(if method == Method::OPTIONS { "own options" } else { "no options" })
}

async fn slow() -> HttpResponse {
    sleep(Duration::from_millis(300)).await;
    resource().await
}

async fn image() -> HttpResponse {
    answer(200).content_type("image/png").body(include_bytes!("pixel.png").as_slice())
}

fn routes(app: &mut web::ServiceConfig, policy: &Value) {
    app.route("/r", web::to(resource))
        .route("/500", web::to(panics))
        .route("/302", web::to(redirect))
        .service(web::resource("/304").get(not_modified))
        .service(web::resource("/dup").get(dup))
        .route("/opt", web::to(opt))
        .service(web::resource("/slow").get(slow))
        .service(web::resource("/img").get(image))
        .service(web::resource("/get").get(resource));
    for code in [401, 403, 404, 405, 413] {
        app.route(&format!("/{code}"), web::to(move || async move { answer(code).body("error") }));
    }
    for path in ["/public", "/private"] {
        let part = policy["paths"].as_array().into_iter().flatten().find(|part| part["path"] == path);
        let cors = Condition::new(part.is_some(), cors(part.unwrap_or(&Value::Null)));
        app.service(web::scope(path).wrap(cors).route("/r", web::to(resource)));
    }
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    log::set_logger(&Refusals).unwrap();
    log::set_max_level(log::LevelFilter::Error);
    let policy: Value = serde_json::from_str(&env::var("CORSCHECK_POLICY").unwrap()).unwrap();
    let app = move || {
        App::new()
            .configure(|app| routes(app, &policy))
            .wrap(Condition::new(policy["paths"].is_null(), cors(&policy)))
            // As its documentation has it, what catches panics is wrapped around everything else, `Cors` too.
            .wrap(CatchPanic::default())
    };
    // A worker would make it, and `Cors` refuse it, only after the server listens.
    test::init_service(app()).await;
    let address = format!("{}:{}", env::var("CORSCHECK_HOST").unwrap(), env::var("CORSCHECK_PORT").unwrap());
    HttpServer::new(app).workers(1).shutdown_timeout(0).bind(address)?.run().await
}
