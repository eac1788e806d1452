//! `capsnet runs`, and folders that are none.

use super::*;

#[test]
fn a_folder_of_a_file_is_no_run() {
    let folder = folder();
    let root = folder.path();
    fs::write(root.join("file"), "text").unwrap();
    capsnet(root, train("file")).fails(1, &["file"]);
    capsnet(root, ["train", "--resume", "digits"]).fails(1, &["digits", "no run to resume"]);
    assert_eq!(names_in(&root.join("digits")).len(), 4, "a look leaves no trace");
    let args = [&["train", "lenet5", "--out", text(Path::new("digits/run"))], &QUICK[..]].concat();
    capsnet(root, args).done();
}

#[test]
fn runs_are_listed_best_first_and_not_touched() {
    let folder = folder();
    let root = folder.path();
    let mut good = train("runs/study/good/seed-1");
    good[7] = "8";
    good.extend(["--learning-rate", "1e-2"]);
    capsnet(root, good).done();
    capsnet(root, train("runs/bad")).done();
    stopped(root, "runs/half");
    fs::create_dir_all(root.join("runs/damaged")).unwrap();
    fs::write(root.join("runs/damaged/config.toml"), "epochs = 'many'").unwrap();
    let before = content(&root.join("runs"));
    let list = capsnet(root, ["runs", "--json"]).json();
    let field = |name: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|run| run[name].clone())
            .collect::<Vec<_>>()
    };
    let accuracy = |run: &serde_json::Value| {
        let epochs = run["curve"].as_array().unwrap().iter();
        let best = epochs.min_by(|a, b| {
            let loss = |epoch: &serde_json::Value| epoch["validation_loss"].as_f64().unwrap();
            loss(a).total_cmp(&loss(b))
        });
        best.map(|epoch| epoch["validation_accuracy"].as_f64().unwrap())
    };
    let accuracies: Vec<_> = list.as_array().unwrap().iter().map(accuracy).collect();
    assert!(accuracies.is_sorted_by(|a, b| a >= b), "{accuracies:?}");
    let mut names: Vec<_> = field("name")
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.pop().unwrap(), "damaged");
    names.sort();
    assert_eq!(names, ["bad", "half", "study/good/seed-1"]);
    let text = capsnet(root, ["runs"]).done();
    for part in [
        "study/good/seed-1",
        "8 of 8",
        "unfinished",
        "ended",
        "not a configuration",
        "Best first",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    // Held by this process, it is one that is being trained.
    let held = FolderLock::take(&root.join("runs/half"), "a test").unwrap();
    if cfg!(target_os = "linux") {
        assert!(capsnet(root, ["runs"]).done().contains("training now"));
    }
    drop(held);
    capsnet(root, ["runs", "--out", "curves"]).done();
    assert_eq!(
        names_in(&root.join("curves")),
        ["runs-accuracy.svg", "runs-loss.svg", "runs.html"]
    );
    assert!(content(&root.join("runs")) == before);
    capsnet(root, ["runs", "nowhere"]).fails(1, &["nowhere"]);
}
