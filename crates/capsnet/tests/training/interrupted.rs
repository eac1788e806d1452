//! Runs that are interrupted or killed end with the bytes of one that was not.

use super::*;

#[test]
fn interrupted_and_resumed_runs_end_with_the_same_bytes() {
    for model in models() {
        for (validation, average) in [(14, None), (0, None), (14, Some(0.9))] {
            let config = TrainConfig {
                validation,
                average,
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

/// The average by hand, from the weights of runs that end after one more epoch each of a single step.
#[test]
fn averaged_weights_are_validated_and_saved() {
    let home = TempDir::new().unwrap();
    let config = |epochs: u64, average: Option<f64>| TrainConfig {
        epochs,
        batch_size: 64,
        schedule: Schedule::Constant,
        held_out: HeldOut::Last,
        average,
        ..super::config(super::capsnet(CapsNetConfig::tutorial()))
    };
    let last = |name: &str, config: &TrainConfig| {
        let folder = home.path().join(name);
        let summary = run(config, &folder).unwrap();
        let model = ::capsnet::weights::load::<ModelConfig>(&folder.join("last.safetensors"), &Device::flex()).unwrap();
        let (saved, told) = (model.state_dict(), summary.model.state_dict());
        assert!(
            saved
                .iter()
                .zip(told.iter())
                .all(|(saved, told)| saved.1.as_f32() == told.1.as_f32())
        );
        (folder, model.state_dict())
    };
    let steps: Vec<_> = (1..=3)
        .map(|epochs| last(&format!("plain {epochs}"), &config(epochs, None)).1)
        .collect();
    let decay = 0.25;
    let (folder, averaged) = last("averaged", &config(3, Some(decay)));
    let floats = |weights: &capsnet_weights::StateDict, name: &str| -> Option<Vec<f32>> {
        Some(weights.get(name)?.as_f32()?.to_vec())
    };
    for (name, tensor) in averaged.iter().filter(|(_, tensor)| tensor.as_f32().is_some()) {
        let [first, second, third] = [0, 1, 2].map(|step| floats(&steps[step], name).unwrap());
        for (k, found) in tensor.as_f32().unwrap().iter().enumerate() {
            // (1 + t) / (10 + t) is 3/12 and 4/13 after steps 2 and 3.
            let average = 0.25 * (0.25 * first[k] + 0.75 * second[k]) + 0.75 * third[k];
            let expected = if name.contains("running") { third[k] } else { average };
            assert!(
                (found - expected).abs() <= 1e-6 * (1.0 + expected.abs()),
                "{name}: {found}, {expected}"
            );
        }
    }
    // The last epoch's validation is of the averaged weights, on the last 14 images.
    let (folder, saved) = RunFolder::open::<ModelConfig>(&folder).unwrap();
    assert_eq!(saved.average, Some(decay));
    let model = ::capsnet::weights::load::<ModelConfig>(&folder.last_path(), &Device::flex())
        .unwrap()
        .valid();
    let options = evaluate::Options {
        range: Some(50..64),
        ..evaluate::Options::default()
    };
    let upright = Pipeline::identity();
    let found = evaluate(&model, &data(), &upright, &options, &Device::flex(), &mut |_| {}).unwrap();
    let noted = folder.metrics().unwrap()[2].validation_loss.unwrap();
    assert!(
        (noted - found.score.loss.unwrap()).abs() < 1e-5,
        "{noted}, {:?}",
        found.score.loss
    );

    for wrong in [0.0, 1.0, -0.5, f64::NAN] {
        let error = run(&config(1, Some(wrong)), &home.path().join("wrong"))
            .err()
            .expect("no decay");
        assert!(error.to_string().contains("average"), "{error}");
    }
}
