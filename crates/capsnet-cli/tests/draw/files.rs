//! Where pictures go.

use std::fs;

use tempfile::tempdir;

use crate::support::{capsnet, names_in};
use crate::{BOTH, png_size, prepared};

#[test]
fn all_pictures_on_one_page() {
    let folder = prepared();
    let root = folder.path();
    let flags = [&["draw", "all", "--index", "3", "--out", "all", "--json"], &BOTH[..]].concat();
    let report = capsnet(root, flags).json();
    assert_eq!(report["page"], "all/index.html");
    let mut names: Vec<&str> = Vec::new();
    for drawing in report["drawings"].as_array().unwrap() {
        names.push(drawing["drawing"].as_str().unwrap());
        png_size(&root.join(drawing["files"][0].as_str().unwrap()));
    }
    let expected = [
        "doorway",
        "reconstructions",
        "perturbations",
        "angles",
        "couplings",
        "crowding",
    ];
    assert_eq!(names, expected);
    assert_eq!(report["drawings"][2]["numbers"]["index"], 3);
    let mut files: Vec<String> = expected
        .iter()
        .flat_map(|name| [format!("{name}.png"), format!("{name}.svg")])
        .collect();
    files.push("index.html".to_owned());
    files.sort();
    assert_eq!(names_in(&root.join("all")), files);
    let page = fs::read_to_string(root.join("all/index.html")).unwrap();
    assert_eq!(page.matches("<figure class=\"picture\"").count(), 6);
    // Drawn in the page, with captions as text and a list of them.
    assert!(!page.contains("<img") && page.contains("<figcaption>"));
    assert!(page.contains("<a href=\"#section-6\">"));
    assert!(page.contains("default-src 'none'") && !page.contains("src=\"http") && !page.contains("href=\"http"));
}

#[test]
fn one_file_where_one_is_named() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    for name in ["door.svg", "deeper/door.PNG"] {
        let printed = capsnet(root, ["draw", "doorway", "--iterations", "1", "--out", name]).done();
        assert!(printed.contains(&format!("wrote {name}")), "{printed}");
    }
    assert_eq!(names_in(root), ["deeper", "door.svg"]);
    assert_eq!(names_in(&root.join("deeper")), ["door.PNG"]);
    png_size(&root.join("deeper/door.PNG"));
}
