//! One owner a folder: of commands at once one wins, and the others are refused and change nothing.

use capsnet_data::picture::encode_png;

use super::*;

#[test]
fn of_trainings_begun_at_once_in_one_folder_one_wins() {
    let folder = folder();
    let root = folder.path();
    capsnet(root, train("alone")).done();
    for (round, at) in [2, 2, 2, 2, 2, 5, 5, 10].into_iter().enumerate() {
        let run = format!("run-{round}");
        let runs = at_once(root, &vec![train(&run); at]);
        let (won, lost): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(|run| run.code == Some(0));
        assert_eq!((won.len(), lost.len()), (1, at - 1), "{won:?} {lost:?}");
        for run in lost {
            let said = ["is in use", "a run in this folder already"];
            assert!(said.iter().any(|said| run.stderr.contains(said)), "{run:?}");
            run.fails(1, &[]);
        }
        assert!(weights(root, &run) == weights(root, "alone"));
        assert_eq!(epochs(root, &run), 2);
        assert_eq!(names_in(&root.join(&run)), names_in(&root.join("alone")));
    }
}

#[test]
fn runs_without_a_name_begun_at_once_get_a_number_each() {
    let folder = folder();
    let root = folder.path();
    let args = [&["train", "lenet5"], &QUICK[..]].concat();
    let runs = at_once(root, &vec![args; 5]);
    assert!(runs.iter().all(|run| run.code == Some(0)), "{runs:?}");
    let names: Vec<String> = (1..=5).map(|number| format!("lenet5-{number}")).collect();
    assert_eq!(names_in(&root.join("runs")), names);
    for name in &names {
        assert!(weights(root, &format!("runs/{name}")) == weights(root, "runs/lenet5-1"));
    }
}

#[test]
fn of_commands_at_once_on_a_run_one_goes_on_with_it() {
    let folder = folder();
    let root = folder.path();
    write_lenet5(root);
    write_study(root);
    capsnet(root, train("alone")).done();
    stopped(root, "run");
    let resume = vec!["train", "--resume", "run", "--no-tensorboard"];
    let sweep = vec![
        "sweep",
        "--models",
        "lenet5",
        "--weights",
        "lenet5.safetensors",
        "--data",
        "digits",
        "--limit",
        "4",
        "--rotate=0",
        "--out",
        "run",
    ];
    let commands = [
        &vec![resume.clone(); 6][..],
        &[train("run"), train("run"), sweep.clone(), sweep],
    ]
    .concat();
    let runs = at_once(root, &commands);
    // Whoever comes after the end finds a run that has ended, and leaves it.
    let went_on = |run: &&Run| run.code == Some(0) && !run.stderr.contains("has ended and is left as it is");
    assert_eq!(runs.iter().filter(went_on).count(), 1, "{runs:?}");
    for run in runs.iter().filter(|run| run.code != Some(0)) {
        assert_eq!(run.code, Some(1), "{run:?}");
    }
    assert!(weights(root, "run") == weights(root, "alone"));
    assert_eq!(epochs(root, "run"), 2);
    assert_eq!(names_in(&root.join("run")), names_in(&root.join("alone")));
}

#[test]
fn a_folder_that_is_somebody_else_s_is_refused_by_every_command_and_stays_as_it_is() {
    let folder = folder();
    let root = folder.path();
    write_lenet5(root);
    write_study(root);
    stopped(root, "run");
    fs::create_dir(root.join("out")).unwrap();
    let held = ["run", "out"].map(|name| FolderLock::take(&root.join(name), "a test").unwrap());
    let data = ["--data", "digits", "--threads", "1"];
    let models = ["--models", "lenet5", "--weights", "lenet5.safetensors", "--limit", "4"];
    fs::write(root.join("digit.png"), encode_png(28, 28, &[9; 784]).unwrap()).unwrap();
    let before = content(root);
    let weights = ["--weights", "lenet5.safetensors"];
    let commands: [Vec<&str>; 15] = [
        vec!["train", "--resume", "run"],
        train("out"),
        [&["study", "study.toml", "--out", "out"], &data[..]].concat(),
        [&["sweep", "--rotate=0", "--out", "out"], &models[..], &data].concat(),
        [&["compare", "--out", "out"], &models[..], &data].concat(),
        [
            &["equivariance", "--out", "out"],
            &models[..4],
            &["--limit", "20"],
            &data,
        ]
        .concat(),
        [&["test", "lenet5", "--limit", "4", "--out", "out"], &weights[..], &data].concat(),
        [&["predict", "lenet5", "digit.png", "--seen", "out"], &weights[..]].concat(),
        [&["predict", "lenet5", "digit.png", "--out", "out"], &weights[..]].concat(),
        vec!["data", "digits", "--out", "out"],
        vec!["draw", "doorway", "--out", "out"],
        vec!["draw", "doorway", "--out", "out/doorway.png"],
        vec!["convert", "lenet5.safetensors", "run/best.safetensors"],
        vec!["convert", "lenet5.safetensors", "out/new.onnx"],
        vec!["man", "--out", "out"],
    ];
    for args in commands {
        let run = capsnet(root, &args);
        run.fails(1, &["is in use", &format!("a test (process {})", std::process::id())]);
        assert!(content(root) == before, "{args:?} changed something");
    }
    drop(held);
}
