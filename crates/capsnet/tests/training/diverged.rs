//! Trainings that diverge are named, and spoil no file.

use super::*;

#[track_caller]
fn assert_diverged(result: Result<Summary, Error>, at_step: u64, at: &str) {
    match result {
        Err(Error::Diverged { step, place }) => {
            assert_eq!(step, at_step, "{place}");
            assert!(place.to_string().contains(at), "{place}");
        }
        Err(other) => panic!("not divergence: {other}"),
        Ok(_) => panic!("it went well"),
    }
}

#[test]
fn divergence_names_step_and_layer_and_leaves_the_checkpoint() {
    for (model, layer) in [
        (lenet5(), "`conv1`"),
        (capsnet(CapsNetConfig::paper()), "`primary_capsules`"),
    ] {
        let home = TempDir::new().unwrap();
        let calm = TrainConfig {
            schedule: Schedule::Constant,
            ..config(model)
        };
        run_until(3, &calm, home.path()).unwrap();
        let wild = TrainConfig {
            learning_rate: 1e30,
            ..calm.clone()
        };
        // Step 4 throws the weights to 1e30, which overflows where two of them meet, in the forward pass of step 5.
        let (folder, _) = RunFolder::open::<ModelConfig>(home.path()).unwrap();
        let stop = AtomicBool::new(false);
        let result = train(&wild, &data(), &folder, &Device::flex(), &stop, &mut |_| {});
        assert_diverged(result, 5, layer);
        let saved = Checkpoint::load(
            &folder.checkpoint_path(),
            &calm.model,
            calm.adam,
            &Device::flex().autodiff(),
        );
        assert_eq!(saved.unwrap().position.step, 3);
        drop(folder);
        assert_eq!(run(&calm, home.path()).unwrap().ending, Ending::Completed);
    }
}

/// Weights that are infinite after the one step of an epoch get into no file.
#[test]
fn weights_that_are_not_finite_are_never_saved() {
    for validation in [14, 0] {
        for checkpoint_seconds in [0, NEVER] {
            let home = TempDir::new().unwrap();
            let config = TrainConfig {
                learning_rate: 1e39,
                batch_size: 64,
                validation,
                checkpoint_seconds,
                ..config(lenet5())
            };
            assert_diverged(run(&config, home.path()), 1, "weight");
            let (folder, _) = RunFolder::open::<ModelConfig>(home.path()).unwrap();
            assert!(!folder.checkpoint_path().exists());
            assert!(!folder.best_path().exists());
            assert!(folder.metrics().unwrap().is_empty());
        }
    }
}
