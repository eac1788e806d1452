//! Trainings over several ranks, as threads: the bytes of one, whatever happens.

use ::capsnet::model::{EfficientCapsNetConfig, HvcConfig};
use ::capsnet::train::{InProcess, Ranks, train_with};

use super::*;

/// Of the last batch, which has 2 images, two of the four parts have none.
fn cut(model: ModelConfig) -> TrainConfig {
    TrainConfig {
        micro_batches: Some(4),
        ..config(model)
    }
}

fn efficient() -> ModelConfig {
    ModelConfig::EfficientCapsNet(EfficientCapsNetConfig {
        image: IMAGE,
        classes: 4,
        channels: [4, 4, 8, 8],
        primary_dimensions: 4,
        class_dimensions: 4,
        decoder: Some([6, 8]),
        ..EfficientCapsNetConfig::default()
    })
}

/// With batch norms in branches beside each other.
fn hvc() -> ModelConfig {
    ModelConfig::Hvc(HvcConfig {
        image: IMAGE,
        classes: 4,
        channels: vec![4, 4, 8],
        branches: vec![1, 2, 3],
        ..HvcConfig::default()
    })
}

/// How each rank's training ended, and after how many steps.
type Ended = Vec<Result<(Ending, u64), String>>;

/// Starts or resumes the run in `folder` over so many ranks; the rank of `stop` is asked to stop after its step, and
/// each has the images that `data` gives it.
fn over(
    size: usize,
    stop: Option<(usize, u64)>,
    config: &TrainConfig,
    root: &Path,
    data: &(dyn Fn(usize) -> Dataset + Sync),
) -> Ended {
    std::thread::scope(|scope| {
        let ranks = InProcess::ranks(size).into_iter();
        let trainings: Vec<_> = ranks
            .map(|ranks| {
                scope.spawn(move || {
                    let folder = match (ranks.rank(), root.join("config.toml").exists()) {
                        (0, true) => Some(RunFolder::open::<ModelConfig>(root).unwrap().0),
                        (0, false) => Some(RunFolder::create(root, config).unwrap()),
                        _ => None,
                    };
                    let (flag, images) = (AtomicBool::new(false), data(ranks.rank()));
                    let mut notify = |event: Event| {
                        if let (Event::Step { position, .. }, Some((rank, step))) = (event, stop) {
                            flag.store(rank == ranks.rank() && position.step >= step, Ordering::Relaxed);
                        }
                    };
                    let summary = train_with(
                        &ranks,
                        config,
                        &images,
                        folder.as_ref(),
                        &Device::flex(),
                        &flag,
                        &mut notify,
                    );
                    summary
                        .map(|summary| (summary.ending, summary.position.step))
                        .map_err(|error| error.to_string())
                })
            })
            .collect();
        trainings.into_iter().map(|training| training.join().unwrap()).collect()
    })
}

fn all_data(_rank: usize) -> Dataset {
    data()
}

#[test]
fn any_number_of_ranks_and_threads_ends_with_the_same_bytes() {
    let mut models = models();
    models.extend([efficient(), hvc()]);
    for model in models {
        let config = cut(model);
        let home = TempDir::new().unwrap();
        let alone = home.path().join("alone");
        run(&config, &alone).unwrap();
        for size in [1, 2, 4] {
            let folder = home.path().join(format!("{size}"));
            let ended = over(size, None, &config, &folder, &all_data);
            assert_eq!(ended, vec![Ok((Ending::Completed, 15)); size]);
            assert_same_results(&format!("{} of {size} ranks", config.model.name()), &folder, &alone);
        }
        for threads in [1, 2, 5] {
            let folder = home.path().join(format!("{threads} threads"));
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(&config, &folder).map(|_| ())).unwrap();
            assert_same_results(
                &format!("{} by {threads} threads", config.model.name()),
                &folder,
                &alone,
            );
        }
    }
}

/// It rounds elsewhere, and that is all.
#[test]
fn a_batch_in_parts_is_nearly_the_whole() {
    for model in [lenet5(), efficient()] {
        let home = TempDir::new().unwrap();
        let losses = |micro_batches: Option<usize>| {
            let root = home.path().join(format!("{micro_batches:?}"));
            let config = TrainConfig {
                micro_batches,
                ..config(model.clone())
            };
            run(&config, &root).unwrap();
            let (folder, _) = RunFolder::look::<ModelConfig>(&root).unwrap();
            let epochs = folder.metrics().unwrap().into_iter();
            let losses: Vec<f64> = epochs
                .flat_map(|epoch| [epoch.train_loss, epoch.validation_loss.unwrap()])
                .collect();
            (losses, fs::read(folder.last_path()).unwrap())
        };
        let (whole, whole_bytes) = losses(None);
        assert!(losses(Some(1)).1.len() >= whole_bytes.len());
        assert_eq!(losses(Some(1)).0, whole, "one part is the whole");
        for parts in [2, 8] {
            let (found, _) = losses(Some(parts));
            let near = found.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 2e-3 * b.abs());
            assert!(near, "{}, {parts} parts: {found:?}, {whole:?}", model.name());
        }
    }
}

#[test]
fn a_stop_on_one_rank_stops_all_and_any_number_goes_on() {
    for model in [lenet5(), efficient()] {
        let config = cut(model);
        let home = TempDir::new().unwrap();
        let (undisturbed, disturbed) = (home.path().join("undisturbed"), home.path().join("disturbed"));
        run(&config, &undisturbed).unwrap();
        // From two ranks to one, to four, and back; stopped by the last rank, the first, and one between.
        for (size, by, step) in [(2, 1, 3), (1, 0, 5), (4, 2, 7), (2, 0, 11)] {
            let ended = over(size, Some((by, step)), &config, &disturbed, &all_data);
            assert_eq!(ended, vec![Ok((Ending::Interrupted, step)); size], "{size} ranks");
        }
        let ended = over(4, None, &config, &disturbed, &all_data);
        assert_eq!(ended, vec![Ok((Ending::Completed, 15)); 4]);
        assert_same_results(config.model.name(), &disturbed, &undisturbed);
        // A run that has ended is left as it is by all.
        assert_eq!(
            over(2, None, &config, &disturbed, &all_data),
            vec![Ok((Ending::Completed, 15)); 2]
        );
        assert_same_results(config.model.name(), &disturbed, &undisturbed);
    }
}

#[test]
fn what_fails_on_one_rank_ends_all_and_is_told_once() {
    let config = cut(lenet5());
    let home = TempDir::new().unwrap();
    let other_images = |rank: usize| match rank {
        2 => data().slice(0..60),
        _ => data(),
    };
    let ended = over(4, None, &config, &home.path().join("images"), &other_images);
    for (rank, ended) in ended.into_iter().enumerate() {
        let error = ended.unwrap_err();
        match rank {
            2 => assert!(error.contains("rank 2 has images of SHA-256"), "{error}"),
            _ => assert!(error.starts_with("rank 2 has failed"), "{error}"),
        }
    }

    // A folder that can't be written any more, found by the first rank alone, in the midst of the training.
    let root = home.path().join("folder");
    let config = TrainConfig {
        checkpoint_seconds: 0,
        ..config
    };
    over(2, Some((0, 2)), &config, &root, &all_data);
    let next = root.join("checkpoint/state.next.safetensors");
    fs::create_dir_all(next.join("in the way")).unwrap();
    let ended = over(2, None, &config, &root, &all_data);
    let told: Vec<bool> = ended
        .iter()
        .map(|ended| ended.as_ref().unwrap_err().starts_with("rank 0"))
        .collect();
    assert_eq!(told, [false, true], "{ended:?}");

    // Divergence is everybody's.
    let config = TrainConfig {
        learning_rate: 1e30,
        ..cut(efficient())
    };
    let ended = over(2, None, &config, &home.path().join("diverged"), &all_data);
    let errors: Vec<String> = ended.into_iter().map(Result::unwrap_err).collect();
    assert!(errors[0].contains("diverged"), "{errors:?}");
    assert!(errors[1].starts_with("rank 0"), "{errors:?}");
}

#[test]
fn batches_that_cannot_be_shared_are_refused() {
    let home = TempDir::new().unwrap();
    for (size, micro_batches, part) in [
        (2, None, "start 1"),
        (4, Some(2), "start 1, 2"),
        (3, Some(4), "start 1, 2, 4"),
    ] {
        let config = TrainConfig {
            micro_batches,
            ..config(lenet5())
        };
        for ended in over(size, None, &config, &home.path().join(format!("{size}")), &all_data) {
            let error = ended.unwrap_err();
            assert!(error.contains("micro-batches") && error.contains(part), "{error}");
        }
    }
    for wrong in [0, 3, 1 << 20] {
        let config = TrainConfig {
            micro_batches: Some(wrong),
            ..config(lenet5())
        };
        let error = run(&config, &home.path().join("wrong")).err().expect("no power of two");
        assert!(error.to_string().contains("power of two"), "{error}");
    }
}
