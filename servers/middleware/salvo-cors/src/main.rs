//! The application in Salvo, behind `salvo_cors::Cors` (which Salvo has as `salvo::cors`).

use std::{env, panic, process, time::Duration};

use salvo::{
    catch_panic::CatchPanic,
    cors::{Any, Cors, CorsHandler},
    http::{Method, StatusCode},
    prelude::*,
};
use serde_json::{Value, json};
use tokio::time::sleep;

fn unsupported(words: &str) -> ! {
    println!("corscheck: unsupported {words}");
    process::exit(1)
}

fn list(names: &Value) -> Vec<&str> {
    names.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn cors(policy: &Value) -> CorsHandler {
    let mut cors = Cors::new();
    if policy["default"] == true {
        return cors.into_handler();
    }
    if policy["paths"].is_array() {
        unsupported("policies by path: as its documentation has it, Cors is for the whole Service");
    }
    let any = |part: &str| policy[part] == json!(["*"]);
    cors = match &policy["origins"] {
        Value::String(one) => cors.allow_origin(one),
        _ if any("origins") => cors.allow_origin(Any),
        many => {
            let origins = list(many);
            if origins.iter().any(|origin| *origin != "*" && origin.contains('*')) {
                unsupported("patterns of origins: there are only closures");
            }
            cors.allow_origin(origins)
        }
    };
    cors = cors.allow_credentials(policy["credentials"] == true);
    cors = if any("methods") {
        cors.allow_methods(Any)
    } else {
        cors.allow_methods(list(&policy["methods"]).into_iter().map(|name| name.parse().unwrap()).collect::<Vec<Method>>())
    };
    cors = if any("requestHeaders") { cors.allow_headers(Any) } else { cors.allow_headers(list(&policy["requestHeaders"])) };
    cors = if any("expose") { cors.expose_headers(Any) } else { cors.expose_headers(list(&policy["expose"])) };
    if let Some(seconds) = policy["maxAge"].as_i64() {
        cors = cors.max_age(seconds);
    }
    cors.into_handler()
}

/// Makes `res` an answer of the application.
fn answer(res: &mut Response, headers: &[(&'static str, &'static str)], body: &'static str) {
    res.add_header("x-app", "corscheck", true).unwrap();
    for (name, value) in headers {
        res.add_header(*name, *value, true).unwrap();
    }
    res.render(body);
}

#[handler]
async fn resource(res: &mut Response) {
    let headers = [
        ("content-type", "text/plain"),
        ("vary", "Accept-Language"),
        ("x-secret", "secret"),
        ("x-other", "other"),
        ("etag", "\"r\""),
        ("cache-control", "max-age=600"),
    ];
    answer(res, &headers, "resource");
}

struct Fails(u16);

#[handler]
impl Fails {
    async fn handle(&self, res: &mut Response) {
        res.status_code(StatusCode::from_u16(self.0).unwrap());
        answer(res, &[], "error");
    }
}

#[handler]
async fn panics() {
    panic!("the handler panics")
}

#[handler]
async fn redirect(req: &mut Request, res: &mut Response) {
    let query = req.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    res.add_header("x-app", "corscheck", true).unwrap();
    res.render(Redirect::found(format!("/r{query}")));
}

#[handler]
async fn not_modified(res: &mut Response) {
    res.status_code(StatusCode::NOT_MODIFIED);
    res.add_header("x-app", "corscheck", true).unwrap().add_header("etag", "\"r\"", true).unwrap();
}

#[handler]
async fn sets_origin(res: &mut Response) {
    res.add_header("access-control-allow-origin", "https://handler.test", true).unwrap();
}

#[handler]
async fn opt(req: &mut Request, res: &mut Response) {
    answer(res, &[], if req.method() == Method::OPTIONS { "own options" } else { "no options" });
}

#[handler]
async fn waits() {
    sleep(Duration::from_millis(300)).await;
}

#[handler]
async fn image(res: &mut Response) {
    res.add_header("x-app", "corscheck", true).unwrap().add_header("content-type", "image/png", true).unwrap();
    res.write_body(include_bytes!("pixel.png").as_slice()).unwrap();
}

fn application(policy: &Value) -> Service {
    let mut router = Router::new()
        .push(Router::with_path("r").goal(resource))
        .push(Router::with_path("500").goal(panics))
        .push(Router::with_path("302").goal(redirect))
        .push(Router::with_path("304").get(not_modified))
        .push(Router::with_path("dup").hoop(sets_origin).get(resource))
        .push(Router::with_path("opt").goal(opt))
        .push(Router::with_path("slow").hoop(waits).get(resource))
        .push(Router::with_path("img").get(image))
        .push(Router::with_path("get").get(resource))
        .push(Router::with_path("public/r").goal(resource))
        .push(Router::with_path("private/r").goal(resource));
    for code in [401, 403, 404, 405, 413] {
        router = router.push(Router::with_path(code.to_string()).goal(Fails(code)));
    }
    // As its documentation has it, what catches panics is outermost: around `Cors` too.
    Service::new(router).hoop(CatchPanic::new()).hoop(cors(policy))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let policy = serde_json::from_str(&env::var("CORSCHECK_POLICY").unwrap()).unwrap();
    // `Cors` panics on configurations that it refuses.
    let service = match panic::catch_unwind(|| application(&policy)) {
        Ok(service) => service,
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            println!("corscheck: refused {}", words.unwrap_or_default());
            process::exit(1)
        }
    };
    let address = format!("{}:{}", env::var("CORSCHECK_HOST").unwrap(), env::var("CORSCHECK_PORT").unwrap());
    Server::new(TcpListener::new(address).bind().await).serve(service).await;
}
