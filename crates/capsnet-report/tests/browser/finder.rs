//! Chromium is looked for as `CAPSNET_CHROMIUM` says, else by its usual names. Without one a test says so and passes,
//! unless `CAPSNET_REQUIRE_BROWSER` is set.

use std::io::Write as _;
use std::process::{Command, Stdio};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The command that starts Chromium, if there is one.
pub(crate) fn browser() -> Option<String> {
    let named = std::env::var("CAPSNET_CHROMIUM").ok();
    let candidates = named.into_iter().chain(NAMES.map(str::to_owned));
    let answers = |name: &String| {
        let version = Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        version.is_ok_and(|status| status.success())
    };
    let found = candidates.into_iter().find(answers);
    if found.is_none() {
        assert!(
            std::env::var_os("CAPSNET_REQUIRE_BROWSER").is_none(),
            "chromium not found, and CAPSNET_REQUIRE_BROWSER is set"
        );
        // Not eprintln, which the test harness keeps to itself when a test passes.
        let _ = writeln!(std::io::stderr(), "chromium not found: browser test not run");
    }
    found
}
