//! The page: its files are inside the program.

/// A file of the page.
pub(super) struct Asset {
    /// Its path in the address.
    pub(super) path: &'static str,
    pub(super) kind: &'static str,
    pub(super) bytes: &'static [u8],
}

macro_rules! assets {
    ($($path:literal $file:literal $kind:literal;)+) => {
        &[$(Asset { path: $path, kind: $kind, bytes: include_bytes!(concat!("../../page/", $file)) }),+]
    };
}

/// Every file.
pub(super) const ASSETS: &[Asset] = assets![
    "/" "index.html" "text/html; charset=utf-8";
    "/style.css" "style.css" "text/css; charset=utf-8";
    "/panels.css" "panels.css" "text/css; charset=utf-8";
    "/app.js" "app.js" "text/javascript; charset=utf-8";
    "/host.js" "host.js" "text/javascript; charset=utf-8";
    "/backend.js" "backend.js" "text/javascript; charset=utf-8";
    "/dataset.js" "dataset.js" "text/javascript; charset=utf-8";
    "/state.js" "state.js" "text/javascript; charset=utf-8";
    "/panel.js" "panel.js" "text/javascript; charset=utf-8";
    "/parts.js" "parts.js" "text/javascript; charset=utf-8";
    "/chart.js" "chart.js" "text/javascript; charset=utf-8";
    "/input.js" "input.js" "text/javascript; charset=utf-8";
    "/shown.js" "shown.js" "text/javascript; charset=utf-8";
    "/panes.js" "panes.js" "text/javascript; charset=utf-8";
    "/draw.js" "draw.js" "text/javascript; charset=utf-8";
    "/train.js" "train.js" "text/javascript; charset=utf-8";
    "/start.js" "start.js" "text/javascript; charset=utf-8";
    "/follow.js" "follow.js" "text/javascript; charset=utf-8";
    "/capsules.js" "capsules.js" "text/javascript; charset=utf-8";
    "/routing.js" "routing.js" "text/javascript; charset=utf-8";
    "/doorway.js" "doorway.js" "text/javascript; charset=utf-8";
    "/votes.js" "votes.js" "text/javascript; charset=utf-8";
    "/crowd.js" "crowd.js" "text/javascript; charset=utf-8";
    "/principal.js" "principal.js" "text/javascript; charset=utf-8";
    "/measures.js" "measures.js" "text/javascript; charset=utf-8";
    "/icon.svg" "icon.svg" "image/svg+xml";
];
