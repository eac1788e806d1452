//! Runs that go on, have ended, begin with other weights, and what a resume is told.

use super::*;

#[test]
fn a_run_that_has_ended_says_so_and_more_epochs_go_on() {
    let folder = folder();
    let root = folder.path();
    capsnet(root, train("run")).done();
    let before = content(&root.join("run"));
    // As a kill leaves it that comes after the last epoch.
    for leftover in [".capsnet.lock", ".loss.svg.AbCdEf.capsnet.tmp"] {
        fs::write(root.join("run").join(leftover), "a training (process 1)").unwrap();
    }
    let run = capsnet(root, ["train", "--resume", "run"]);
    assert!(
        run.stderr
            .contains("has ended and is left as it is; train on with --epochs"),
        "{run:?}"
    );
    assert!(run.done().contains("trained 2 epochs"));
    assert!(content(&root.join("run")) == before);
    // As if there had been as many from the start.
    let mut args = train("longer");
    args[7] = "3";
    capsnet(root, args).done();
    capsnet(root, ["train", "--resume", "run", "--epochs", "1"]).fails(2, &["epochs", "is in epoch 2 already"]);
    assert!(content(&root.join("run")) == before);
    capsnet(root, ["train", "--resume", "run", "--epochs", "3"]).done();
    assert!(weights(root, "run") == weights(root, "longer"));
    let config = |run: &str| fs::read_to_string(root.join(run).join("config.toml")).unwrap();
    assert_eq!(config("run"), config("longer"));
    // Other settings are the run's own.
    capsnet(root, ["train", "--resume", "run", "--seed", "3"]).fails(2, &["--seed", "--resume"]);
}

/// Beginning anew would overwrite what it has come to; a run that has only begun has nothing to lose.
#[test]
fn a_run_whose_checkpoint_is_gone_is_left_as_it_is() {
    let folder = folder();
    let root = folder.path();
    capsnet(root, train("run")).done();
    let run = root.join("run");
    fs::remove_dir_all(run.join("checkpoint")).unwrap();
    let (before, last) = (content(&run), weights(root, "run"));
    for more in [&[][..], &["--epochs", "9"]] {
        let args = [&["train", "--resume", "run"], more].concat();
        capsnet(root, args).fails(1, &["its checkpoint is gone", "--weights run/best.safetensors"]);
        assert!(content(&run) == before, "{more:?}");
    }
    for file in ["best.safetensors", "last.safetensors", "metrics.jsonl"] {
        fs::remove_file(run.join(file)).unwrap();
    }
    assert!(
        capsnet(root, ["train", "--resume", "run"])
            .done()
            .contains("trained 2 epochs")
    );
    assert!(weights(root, "run") == last);
}

#[test]
fn a_run_that_stopped_for_lack_of_progress_goes_on_if_it_is_told() {
    let folder = folder();
    let root = folder.path();
    let mut args = train("run");
    args[7] = "9";
    args.extend(["--patience", "1", "--learning-rate", "1e-30"]);
    assert!(capsnet(root, args).done().contains("trained 2 epochs"));
    assert!(capsnet(root, ["train", "--resume", "run"]).stderr.contains("has ended"));
    let more = capsnet(root, ["train", "--resume", "run", "--epochs", "9"]);
    assert!(
        more.done().contains("trained 3 epochs"),
        "its patience is one epoch again"
    );
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let folder = folder();
    let root = folder.path();
    capsnet(root, train("first")).done();
    let weights = "first/last.safetensors";
    // So small steps that the weights stay where they were.
    let rest = &train("second")[2..];
    let args = [&["train", "--weights", weights, "--learning-rate", "1e-30"], rest].concat();
    capsnet(root, args).done();
    assert!(self::weights(root, "second") == self::weights(root, "first"));
    capsnet(root, [&["train", "cnn", "--weights", weights], rest].concat()).fails(2, &["lenet5", "cnn"]);
    let args = ["train", "--weights", "digits/nothing.pt", "--out", "third"];
    capsnet(root, args).fails(1, &["digits/nothing.pt"]);
    assert!(!root.join("third").exists());
}

#[test]
fn a_run_goes_on_with_its_images_from_any_folder_and_with_others_only_if_told() {
    let folder = folder();
    let root = folder.path();
    capsnet(root, train("alone")).done();
    stopped(root, "run");
    stopped(root, "other");
    // Another set of the same name, seen from another folder.
    let elsewhere = root.join("elsewhere");
    write_split(&elsewhere.join("digits"), Split::Train, 40);
    capsnet(&elsewhere, ["train", "--resume", "../run"]).done();
    assert!(weights(root, "run") == weights(root, "alone"));
    let given = ["train", "--resume", "../other", "--data", "digits"];
    let before = content(&root.join("other"));
    capsnet(&elsewhere, given).fails(1, &["../other", "--allow-changed-data"]);
    assert!(content(&root.join("other")) == before);
    let run = capsnet(&elsewhere, [&given[..], &["--allow-changed-data"]].concat());
    assert!(run.stderr.contains("on other images"), "{run:?}");
    run.done();
    assert!(root.join("other/history.jsonl").exists());
}

#[test]
fn folders_whose_names_are_no_utf_8_are_trained_in_and_on() {
    let folder = tempdir().unwrap();
    let root = folder.path().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&root).unwrap();
    write_data(&root);
    capsnet(&root, train("run")).done();
    capsnet(&root, ["train", "--resume", "run", "--epochs", "3"]).done();
    assert_eq!(epochs(&root, "run"), 3);
    let mut args: Vec<&OsStr> = train("").into_iter().map(OsStr::new).collect();
    args[3] = OsStr::from_bytes(b"r\xfan");
    assert_eq!(command(&root).args(args).output().unwrap().status.code(), Some(0));
    assert!(root.join(OsStr::from_bytes(b"r\xfan/last.safetensors")).exists());
}

#[test]
fn another_instruction_set_is_said_and_noted_and_an_unknown_one_refused() {
    let folder = folder();
    let root = folder.path();
    let run = command(root)
        .args(train("run"))
        .env("CAPSNET_SIMD", "nonsense")
        .output()
        .unwrap();
    Run::from(run).fails(2, &["CAPSNET_SIMD", "nonsense", "portable, avx2, avx512"]);
    assert!(!root.join("run").exists());
    let run = command(root)
        .args(train("run"))
        .env("CAPSNET_SIMD", "portable")
        .output()
        .unwrap();
    assert_eq!(Run::from(run).code, Some(0));
    let run = capsnet(root, ["train", "--resume", "run", "--epochs", "3"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let is_portable = capsnet_kernels::instruction_set() == "portable";
    assert_eq!(
        run.stderr.contains("with the instruction set portable, this is"),
        !is_portable,
        "{run:?}"
    );
    assert_eq!(root.join("run/history.jsonl").exists(), !is_portable);
}

/// What decides weights is said and noted where `config.toml` was changed by hand; what doesn't, isn't.
#[test]
fn settings_that_were_changed_are_said_and_noted() {
    let folder = folder();
    let root = folder.path();
    let change = |run: &str, from: &str, to: &str| {
        stopped(root, run);
        let path = root.join(run).join("config.toml");
        let config = fs::read_to_string(&path).unwrap();
        assert!(config.contains(from), "{config}");
        fs::write(path, config.replace(from, to)).unwrap();
        let resumed = capsnet(root, ["train", "--resume", run]);
        assert_eq!(resumed.code, Some(0), "{resumed:?}");
        let history = fs::read_to_string(root.join(run).join("history.jsonl")).unwrap_or_default();
        (resumed.stderr, history)
    };
    let changes = [
        (
            "normalize = \"0.5:0.5\"",
            "normalize = \"0:1\"",
            "with model.normalize 0.5:0.5, now 0:1",
        ),
        (
            "learning_rate = 0.0001",
            "learning_rate = 0.002",
            "with learning_rate 0.0001, now 0.002",
        ),
        ("seed = 1", "seed = 2", "with seed 1, now 2"),
        (
            "[adam]\nbeta_1 = 0.9\n",
            "[adam]\nbeta_1 = 0.8\n",
            "with adam.beta_1 0.9, now 0.8",
        ),
    ];
    for (number, (from, to, said)) in changes.into_iter().enumerate() {
        let (stderr, history) = change(&format!("run-{number}"), from, to);
        assert!(
            stderr.contains(&format!("this run was begun {said}: from step")),
            "{stderr}"
        );
        let line: serde_json::Value = serde_json::from_str(history.trim()).unwrap();
        assert_eq!(line["now"]["settings"].as_object().unwrap().len(), 1, "{history}");
    }
    let (stderr, history) = change("other-clock", "checkpoint_seconds = 0", "checkpoint_seconds = 60");
    assert!(!stderr.contains("was begun") && history.is_empty(), "{stderr}");
}

#[test]
fn a_run_whose_checkpoints_are_damaged_is_refused_and_stays_as_it_is() {
    let folder = folder();
    let root = folder.path();
    stopped(root, "run");
    let run = root.join("run");
    fs::write(run.join("checkpoint/state.safetensors"), "damaged").unwrap();
    let _ = fs::remove_file(run.join("checkpoint/state.previous.safetensors"));
    // As in a run that was stopped before its first epoch was over.
    for name in ["metrics.jsonl", "augmented.png"] {
        fs::remove_file(run.join(name)).unwrap();
    }
    let before = content(&run);
    capsnet(root, ["train", "--resume", "run"]).fails(1, &["state.safetensors", "damaged"]);
    assert!(content(&run) == before);
}
