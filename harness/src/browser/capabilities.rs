//! What a browser is asked for: a fresh profile that says what it blocks, keeps quiet otherwise, and never waits for a person.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Engine, Installed, SessionOptions};
use corscheck_cases::{Alias, topology::Reach};

/// The machine, as far as it decides on switches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Machine {
    /// The harness runs as root.
    pub(super) root: bool,
    /// The harness runs in a container.
    pub(super) container: bool,
}

impl Machine {
    /// The machine this runs on.
    pub(super) fn here() -> Machine {
        Machine {
            root: rustix::process::geteuid().is_root(),
            container: Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists(),
        }
    }
}

/// Audio and video play though nobody has touched the page.
const WEBKIT_ARGS: [&str; 2] = ["--automation", "--autoplay-policy=allow"];

/// The capabilities for a browser on this machine; `dir` is the session's directory.
pub(super) fn local(installed: &Installed, options: &SessionOptions, dir: &Path, machine: Machine) -> Map<String, Value> {
    let binary = installed.browser.to_string_lossy();
    let own = match installed.engine {
        Engine::Chromium => {
            let mut args = vec![format!("--user-data-dir={}", dir.join("profile").display())];
            // Chromium's sandbox refuses root and needs namespaces that containers forbid.
            if machine.root || machine.container {
                args.push("--no-sandbox".into());
            }
            // A container's /dev/shm is often 64 MiB, too little for a browser.
            if machine.container {
                args.push("--disable-dev-shm-usage".into());
            }
            json!({ "goog:chromeOptions": { "binary": binary, "args": args } })
        }
        Engine::Firefox => json!({ "moz:firefoxOptions": { "binary": binary } }),
        Engine::Webkit => json!({ "webkitgtk:browserOptions": { "binary": binary, "args": WEBKIT_ARGS } }),
    };
    let mut all = common(installed.engine, options);
    merge(&mut all, &own);
    merge(&mut all, &Value::Object(options.capabilities.clone()));
    all
}

/// The capabilities to ask a remote end for; it knows where its browsers are and how they must be started.
pub(super) fn remote(engine: Engine, options: &SessionOptions) -> Map<String, Value> {
    let mut all = common(engine, options);
    let name = match engine {
        Engine::Chromium => "chrome",
        Engine::Firefox => "firefox",
        Engine::Webkit => "safari",
    };
    all.insert("browserName".into(), name.into());
    merge(&mut all, &Value::Object(options.capabilities.clone()));
    all
}

fn common(engine: Engine, options: &SessionOptions) -> Map<String, Value> {
    let mut all = Map::new();
    let standard = json!({
        "acceptInsecureCerts": true,
        "pageLoadStrategy": "normal",
        // A prompt (for a password, say) must not hold up a run.
        "unhandledPromptBehavior": "dismiss",
    });
    merge(&mut all, &standard);
    let own = match engine {
        Engine::Chromium => json!({
            "goog:chromeOptions": { "args": chromium_args(options.headed) },
            "goog:loggingPrefs": { "browser": "ALL" },
        }),
        Engine::Firefox => json!({
            "moz:firefoxOptions": {
                "args": if options.headed { vec![] } else { vec!["-headless"] },
                "prefs": firefox_prefs(),
            },
        }),
        Engine::Webkit => json!({}),
    };
    merge(&mut all, &own);
    all
}

fn chromium_args(headed: bool) -> Vec<String> {
    let mut args = vec![
        "--disable-gpu",
        // QUIC and the services below would put requests on the wire that no case made, and wait for them in a closed network.
        "--disable-quic",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-default-apps",
        "--disable-extensions",
        // Audio and video play though nobody has touched the page.
        "--autoplay-policy=no-user-gesture-required",
        // Names of the topology outside `localhost`.
        "--host-resolver-rules=MAP *.test 127.0.0.1",
        // No key ring of the desktop asks for a password.
        "--password-store=basic",
        "--use-mock-keychain",
        // A page that nobody looks at runs as fast as one in front.
        "--disable-background-timer-throttling",
        "--disable-renderer-backgrounding",
        "--disable-backgrounding-occluded-windows",
    ];
    if !headed {
        args.push("--headless=new");
    }
    args.into_iter().map(str::to_owned).collect()
}

/// Preferences that keep Firefox from asking its makers' services for anything, and from slowing down a page.
fn firefox_prefs() -> Value {
    json!({
        "app.normandy.enabled": false,
        "app.update.disabledForTesting": true,
        "browser.newtabpage.enabled": false,
        "browser.region.network.url": "",
        "browser.region.update.enabled": false,
        "browser.safebrowsing.blockedURIs.enabled": false,
        "browser.safebrowsing.downloads.enabled": false,
        "browser.safebrowsing.malware.enabled": false,
        "browser.safebrowsing.phishing.enabled": false,
        "browser.search.update": false,
        // Off by itself, and without it there are no pings.
        "browser.send_pings": true,
        "browser.startup.homepage": "about:blank",
        "browser.startup.page": 0,
        "datareporting.healthreport.uploadEnabled": false,
        "datareporting.policy.dataSubmissionEnabled": false,
        "dom.push.connection.enabled": false,
        "dom.timeout.enable_budget_timer_throttling": false,
        "extensions.getAddons.cache.enabled": false,
        "extensions.systemAddon.update.enabled": false,
        "extensions.update.enabled": false,
        // Audio and video play though nobody has touched the page.
        "media.autoplay.blocking_policy": 0,
        "media.autoplay.default": 0,
        // Web Audio goes on where there is no device to hear it.
        "media.cubeb.force_mock_context": true,
        "media.gmp-manager.updateEnabled": false,
        "messaging-system.rsexperimentloader.enabled": false,
        "network.captive-portal-service.enabled": false,
        "network.connectivity-service.enabled": false,
        "network.dns.disablePrefetch": true,
        // Names of the topology outside `localhost`.
        "network.dns.localDomains": names().join(","),
        // A connection that is opened on a guess would show on the wire.
        "network.http.speculative-parallel-limit": 0,
        "network.prefetch-next": false,
        // Agents connect anew with every page; a link that was cut is no reason to keep the next one waiting.
        "network.websocket.delay-failed-reconnects": false,
        "services.settings.server": "data:,#remote-settings-dummy/v1",
        "signon.autofillForms": false,
        "toolkit.telemetry.enabled": false,
        "toolkit.telemetry.server": "data:,",
        "toolkit.telemetry.unified": false,
    })
}

/// The hosts that the engine must be told of.
fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = Alias::ALL.iter().filter(|a| a.reach() == Reach::Names).map(|a| a.host()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Merges `over` into `base`: objects by key, lists appended (of a switch given twice the browser takes the last), anything
/// else replaced.
fn merge(base: &mut Map<String, Value>, over: &Value) {
    let Value::Object(over) = over else { return };
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Object(mine)), Value::Object(_)) => merge(mine, value),
            (Some(Value::Array(mine)), Value::Array(theirs)) => mine.extend(theirs.iter().cloned()),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(engine: Engine) -> Installed {
        Installed {
            engine,
            browser: "/usr/bin/browser".into(),
            driver: "/usr/bin/driver".into(),
            browser_version: "1".into(),
            driver_version: "1".into(),
        }
    }

    fn args(capabilities: &Map<String, Value>) -> Vec<&str> {
        let list = capabilities["goog:chromeOptions"]["args"].as_array().expect("a list");
        list.iter().filter_map(Value::as_str).collect()
    }

    #[test]
    fn objects_merge_lists_grow_and_the_last_word_wins() {
        let Value::Object(mut base) = json!({ "a": { "b": 1, "c": [1] }, "d": 1 }) else { unreachable!("an object") };
        merge(&mut base, &json!({ "a": { "b": 2, "c": [2] }, "d": { "e": 3 }, "f": 4 }));
        assert_eq!(Value::Object(base), json!({ "a": { "b": 2, "c": [1, 2] }, "d": { "e": 3 }, "f": 4 }));
    }

    #[test]
    fn the_sandbox_goes_only_where_it_cannot_stay() {
        let options = SessionOptions::default();
        let free = local(&installed(Engine::Chromium), &options, Path::new("/s"), Machine { root: false, container: false });
        assert!(!args(&free).contains(&"--no-sandbox"));
        assert!(args(&free).contains(&"--headless=new"));
        assert!(args(&free).contains(&"--user-data-dir=/s/profile"));
        let root = local(&installed(Engine::Chromium), &options, Path::new("/s"), Machine { root: true, container: false });
        assert!(args(&root).contains(&"--no-sandbox"));
        assert_eq!(args(&root).iter().filter(|arg| **arg == "--disable-quic").count(), 1);
    }

    #[test]
    fn a_users_capabilities_come_last() {
        let Value::Object(capabilities) =
            json!({ "acceptInsecureCerts": false, "goog:chromeOptions": { "args": ["--lang=de"] }, "browserVersion": "stable" })
        else {
            unreachable!("an object")
        };
        let options = SessionOptions { capabilities, headed: true, ..SessionOptions::default() };
        let all = remote(Engine::Chromium, &options);
        assert_eq!(all["acceptInsecureCerts"], false);
        assert_eq!(all["browserVersion"], "stable");
        assert_eq!(args(&all).last(), Some(&"--lang=de"));
        assert!(!args(&all).contains(&"--headless=new"));
    }
}
