//! What lies in the folder.

use std::fs;

use crate::support::names_in;
use crate::{prepared, swept};

#[test]
fn the_files_are_those_of_the_families() {
    let folder = prepared();
    let root = folder.path();
    let out = root.join("out");
    let report = swept(root, &["--rotate=0,90"]);
    let one = [
        "accuracy.png",
        "accuracy.svg",
        "report.html",
        "sweep.csv",
        "sweep.json",
        "true-class.png",
        "true-class.svg",
    ];
    assert_eq!(names_in(&out), one);
    assert_eq!(report["files"].as_array().unwrap().len(), one.len());
    assert!(
        fs::read(out.join("accuracy.png"))
            .unwrap()
            .starts_with(b"\x89PNG\r\n\x1a\n")
    );
    assert!(
        fs::read_to_string(out.join("true-class.svg"))
            .unwrap()
            .contains("capsule length for Caps")
    );
    let csv = fs::read_to_string(out.join("sweep.csv")).unwrap();
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 1 + 2 * 2);
    assert!(rows[0].starts_with("family,unit,value,model"));
    assert!(
        rows[1].starts_with("rotation,°,0,LeNet,lenet5.safetensors,40,"),
        "{}",
        rows[1]
    );

    // Two families: charts of each, and none that could be taken for theirs.
    swept(root, &["--rotate=0,90", "--scale=1,2"]);
    let names = names_in(&out);
    for name in ["accuracy-rotate.svg", "accuracy-scale.png", "true-class-scale.svg"] {
        assert!(names.iter().any(|other| other == name), "{names:?}");
    }
    assert!(
        !names
            .iter()
            .any(|name| name == "accuracy.svg" || name == "true-class.png"),
        "{names:?}"
    );
    let csv = fs::read_to_string(out.join("sweep.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2 * 4);
    assert!(csv.contains("\r\nscale,,2,Caps,"));
}
