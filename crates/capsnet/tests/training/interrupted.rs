//! Runs that are interrupted or killed end with the bytes of one that was not.

use super::*;

#[test]
fn interrupted_and_resumed_runs_end_with_the_same_bytes() {
    for model in models() {
        for validation in [14, 0] {
            let config = TrainConfig {
                validation,
                ..config(model.clone())
            };
            let home = TempDir::new().unwrap();
            let (undisturbed, disturbed) = (home.path().join("undisturbed"), home.path().join("disturbed"));
            let summary = run(&config, &undisturbed).unwrap();
            assert_eq!(summary.ending, Ending::Completed);
            // In mid-epoch, twice in a row, and after the last step of an epoch.
            for stop_after in [1, 2, 5, 8, 13] {
                let summary = run_until(stop_after, &config, &disturbed).unwrap();
                assert_eq!(
                    (summary.ending, summary.position.step),
                    (Ending::Interrupted, stop_after)
                );
            }
            assert_eq!(run(&config, &disturbed).unwrap().ending, Ending::Completed);
            let what = format!("{} with {validation} validation images", model.name());
            assert_same_results(&what, &disturbed, &undisturbed);
        }
    }
}

/// The folder as it is when the process is killed after each of its checkpoints, with what else a killed process can
/// leave.
#[test]
fn killed_and_resumed_runs_end_with_the_same_bytes() {
    for model in models() {
        let config = TrainConfig {
            checkpoint_seconds: 0,
            ..config(model.clone())
        };
        let home = TempDir::new().unwrap();
        let undisturbed = home.path().join("undisturbed");
        let folder = RunFolder::create(&undisturbed, &config).unwrap();
        let mut moments = Vec::new();
        let stop = AtomicBool::new(false);
        train(&config, &data(), &folder, &Device::flex(), &stop, &mut |event| {
            if let Event::Checkpoint = event {
                let moment = home
                    .path()
                    .join(format!("killed after checkpoint {}", moments.len() + 1));
                copy_folder(&undisturbed, &moment);
                moments.push(moment);
            }
        })
        .unwrap();
        assert_eq!(
            moments.len(),
            3 * (5 + 1),
            "a checkpoint after every step and every epoch"
        );

        // Killed between the metrics of the first epoch and its checkpoint: files of one, checkpoint of the other.
        let between = home.path().join("killed between metrics and checkpoint");
        copy_folder(&moments[5], &between);
        let checkpoint = Path::new("checkpoint/state.safetensors");
        fs::copy(moments[4].join(checkpoint), between.join(checkpoint)).unwrap();
        moments.push(between);

        for moment in moments.iter().step_by(3).chain(moments.last()) {
            let metrics = fs::read_to_string(moment.join("metrics.jsonl")).unwrap();
            let half_line = r#"{"epoch":2,"step":10,"learn"#;
            fs::write(moment.join("metrics.jsonl"), metrics + half_line).unwrap();
            let leftovers = [
                "checkpoint/.state.safetensors.1-0.capsnet.tmp",
                ".best.safetensors.1-1.capsnet.tmp",
                ".last.safetensors.1-2.capsnet.tmp",
                ".metrics.jsonl.1-3.capsnet.tmp",
            ];
            for leftover in leftovers {
                fs::write(moment.join(leftover), "half a file").unwrap();
            }
            run(&config, moment).unwrap();
            assert_same_results(&format!("{}, {}", model.name(), moment.display()), moment, &undisturbed);
            for leftover in leftovers {
                assert!(!moment.join(leftover).exists(), "{leftover} is still there");
            }
        }
    }
}

#[test]
fn a_finished_run_is_left_as_it_is() {
    let home = TempDir::new().unwrap();
    let config = config(lenet5());
    run(&config, home.path()).unwrap();
    let before = results(home.path());
    assert_eq!(run(&config, home.path()).unwrap().ending, Ending::Completed);
    assert!(results(home.path()) == before);
}

#[test]
fn patience_ends_a_run_without_progress() {
    let home = TempDir::new().unwrap();
    let config = TrainConfig {
        epochs: 10,
        learning_rate: 1e-30, // Too small to change any weight.
        schedule: Schedule::Constant,
        patience: Some(2),
        ..config(lenet5())
    };
    let summary = run(&config, home.path()).unwrap();
    assert_eq!(summary.ending, Ending::StoppedEarly);
    assert_eq!((summary.position.epoch, summary.position.since_best), (3, 2));
    let (folder, _) = RunFolder::open::<ModelConfig>(home.path()).unwrap();
    let best: Vec<bool> = folder.metrics().unwrap().iter().map(|m| m.best).collect();
    assert_eq!(best, [true, false, false]);
    assert!(folder.last_path().exists());
}

#[test]
fn folders_are_started_once_and_resumed_only_if_started() {
    let home = TempDir::new().unwrap();
    let error = RunFolder::open::<ModelConfig>(home.path()).expect_err("no run to resume");
    assert!(matches!(error, Error::RunFolder { .. }), "{error}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "a look leaves no trace");
    let folder = RunFolder::create(home.path(), &config(lenet5())).unwrap();
    let error = RunFolder::open::<ModelConfig>(home.path()).expect_err("it is somebody's");
    assert!(matches!(error, Error::Locked(_)), "{error}");
    drop(folder);
    let error = RunFolder::create(home.path(), &config(lenet5())).expect_err("a run already");
    assert!(matches!(error, Error::RunFolder { .. }), "{error}");
    let (_, saved) = RunFolder::open::<ModelConfig>(home.path()).unwrap();
    assert_eq!(saved, config(lenet5()));
}
