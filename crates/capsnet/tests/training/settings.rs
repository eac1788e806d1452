//! Settings out of range, limits, and batches of any size.

use super::*;

#[test]
fn settings_out_of_range_are_named() {
    let base = config(lenet5());
    let cases = [
        (
            "limit",
            TrainConfig {
                limit: Some(0),
                ..base.clone()
            },
        ),
        (
            "validation",
            TrainConfig {
                validation: IMAGES,
                ..base.clone()
            },
        ),
        (
            "validation",
            TrainConfig {
                validation: usize::MAX,
                ..base.clone()
            },
        ),
        (
            "epochs",
            TrainConfig {
                epochs: 0,
                ..base.clone()
            },
        ),
        (
            "batch-size",
            TrainConfig {
                batch_size: 0,
                ..base.clone()
            },
        ),
        (
            "learning-rate",
            TrainConfig {
                learning_rate: f64::NAN,
                ..base.clone()
            },
        ),
        (
            "patience",
            TrainConfig {
                patience: Some(0),
                ..base
            },
        ),
    ];
    for (field, config) in cases {
        let home = TempDir::new().unwrap();
        let folder = RunFolder::create(home.path(), &self::config(lenet5())).unwrap();
        let stop = AtomicBool::new(false);
        match train(&config, &data(), &folder, &Device::flex(), &stop, &mut |_| {}) {
            Err(Error::Setting { field: found, .. }) => assert_eq!(found, field),
            Err(other) => panic!("{field}: {other}"),
            Ok(_) => panic!("{field} was accepted"),
        }
        assert!(!folder.last_path().exists());
    }
}

#[test]
fn the_limit_counts_images_that_are_trained_on() {
    let limited = |limit| {
        TrainConfig {
            limit,
            ..config(lenet5())
        }
        .training_images(IMAGES)
        .unwrap()
    };
    assert_eq!(limited(None), 50);
    assert_eq!(limited(Some(7)), 7);
    assert_eq!(limited(Some(1000)), 50);
}

#[test]
fn any_batch_size_makes_whole_epochs() {
    for (batch_size, steps) in [(1, 50), (49, 2), (50, 1), (1000, 1)] {
        let home = TempDir::new().unwrap();
        let config = TrainConfig {
            batch_size,
            epochs: 1,
            ..config(lenet5())
        };
        assert_eq!(run(&config, home.path()).unwrap().position.step, steps);
    }
}

#[test]
fn evaluation_does_not_depend_on_its_batch_size() {
    let device = Device::flex();
    for config in models() {
        let model = Model::new(config, Seed(3), &device).unwrap();
        let evaluated = |batch_size| {
            let options = evaluate::Options {
                batch_size,
                ..evaluate::Options::default()
            };
            let transform: Pipeline = "rotate=-30..30".parse().unwrap();
            evaluate(&model, &data(), &transform, &options, &device, &mut |_| {}).unwrap()
        };
        let whole = evaluated(1000);
        assert_eq!(whole.score.images, IMAGES as u64);
        for batch_size in [1, 7, 64] {
            let found = evaluated(batch_size);
            assert_eq!(found.predictions, whole.predictions, "batches of {batch_size}");
            assert_eq!(found.confusion, whole.confusion);
            let means = |score: &Score| [score.loss, score.mean_true_score].map(Option::unwrap);
            for (found, whole) in means(&found.score).into_iter().zip(means(&whole.score)) {
                assert!((found - whole).abs() < 1e-6, "{found} and {whole}");
            }
        }
    }
}
