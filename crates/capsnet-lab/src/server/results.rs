//! Reports in the folder of runs: pages that sweeps, equivariance measurements and studies wrote, with their pictures.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// They are pages by themselves, with scripts and styles in them, and may ask this server nothing: `sandbox` gives them
/// an origin of their own.
pub(super) const POLICY: &str = "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline'; \
     style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

/// What is shown, by the end of its name.
const KINDS: [(&str, &str); 6] = [
    ("html", "text/html; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("csv", "text/plain; charset=utf-8"),
    ("md", "text/plain; charset=utf-8"),
    ("json", "application/json"),
];
const DEEPEST: usize = 4;
const MOST: usize = 2000;
/// The largest file shown.
const LARGEST: u64 = 64 << 20;

/// A page of results.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    /// Below the folder of runs, with slashes.
    path: String,
    title: String,
    bytes: u64,
    /// Whether a sweep's figures are beside it.
    sweep: bool,
}

/// The pages and tables in a folder.
pub(super) fn list(root: &Path) -> Vec<Report> {
    let mut found = Vec::new();
    walk(root, "", 0, &mut |path, entry| {
        let shown = [".html", "results.md"].iter().any(|end| path.ends_with(end));
        if shown && let Ok(metadata) = entry.metadata() {
            let title = if path.ends_with(".html") {
                title(&entry.path())
            } else {
                None
            };
            found.push(Report {
                title: title.unwrap_or_else(|| path.to_owned()),
                bytes: metadata.len(),
                sweep: path.ends_with(".html") && entry.path().with_file_name("sweep.json").is_file(),
                path: path.to_owned(),
            });
        }
    });
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// A file of that path below the folder, if a walk through the folder meets it: no path leads out.
pub(super) fn open(root: &Path, wanted: &str) -> Option<(&'static str, fs::File)> {
    let end = wanted.rsplit_once('.')?.1;
    let (_, kind) = KINDS.iter().find(|(of, _)| *of == end)?;
    let mut found = None;
    walk(root, "", 0, &mut |path, entry| {
        if path == wanted && entry.metadata().is_ok_and(|metadata| metadata.len() <= LARGEST) {
            found = fs::File::open(entry.path()).ok();
        }
    });
    Some((kind, found?))
}

/// Every file below a folder, links passed over.
fn walk(folder: &Path, path: &str, depth: usize, see: &mut dyn FnMut(&str, &fs::DirEntry)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().take(MOST) {
        let name = entry.file_name();
        let (Some(name), Ok(kind)) = (name.to_str(), entry.file_type()) else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        };
        if kind.is_dir() && depth < DEEPEST {
            walk(&entry.path(), &path, depth + 1, see);
        } else if kind.is_file() {
            see(&path, &entry);
        }
    }
}

/// What a page calls itself, at its beginning.
fn title(path: &Path) -> Option<String> {
    let mut head = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(fs::File::open(path).ok()?, 4096), &mut head).ok()?;
    let head = String::from_utf8_lossy(&head);
    let title = head.split_once("<title>")?.1.split_once("</title>")?.0;
    let plain = title.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    Some(plain.replace("&amp;", "&"))
}
