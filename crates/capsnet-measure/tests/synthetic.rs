//! Layers whose measures are known: perfectly equivariant, invariant, random, and mixtures of them.

mod support;

use capsnet_data::random::Seed;
use capsnet_measure::equivariance::direction::{chance, share_on_one_direction};
use capsnet_measure::{Action, Expected, Layer, LayerMeter, Matrix};
use support::{close, measured, noise, poses};

const SEED: Seed = Seed(1);

#[test]
fn a_pose_that_turns_with_the_input_has_no_error() {
    for degrees in [-180.0, -90.0, -23.0, 15.0, 120.0] {
        let layer = Layer::new(poses(60, 2, 0.0)).with_vector(2);
        let found = measured(layer.with_action(Action::Rotates), degrees, &poses(60, 2, degrees));
        let error = found.angular_error.unwrap();
        assert_eq!(error.expected, Expected::KnownAction);
        assert!(error.degrees < 1e-9, "{error:?}");
        assert_eq!((error.chance, error.undefined), (90.0, 0.0));
        close(error.unmoved, degrees.abs(), 1e-9);
        let r_squared = found.r_squared.unwrap();
        close(r_squared.linear, 1.0, 1e-9);
        assert!(r_squared.permuted < 0.2, "{r_squared:?}");
        // v(R x) - v(x) has the length of a chord, 2 sin(angle / 2), for a pose of length 1.
        assert!(found.distance.unwrap() > 0.05);
    }
}

#[test]
fn a_rotation_that_must_be_learned_is_learned() {
    let layer = Layer::new(poses(60, 3, 0.0)).with_vector(2);
    let found = measured(layer, 40.0, &poses(60, 3, 40.0));
    let error = found.angular_error.unwrap();
    assert_eq!(error.expected, Expected::LinearMap);
    assert!(error.degrees < 0.01, "{error:?}");
    assert!((error.chance - 90.0).abs() < 25.0, "{error:?}");
    close(error.unmoved, 40.0, 6.0);
    close(found.r_squared.unwrap().linear, 1.0, 1e-6);
}

#[test]
fn turning_the_wrong_way_is_twice_the_angle_off() {
    let layer = Layer::new(poses(30, 2, 0.0))
        .with_vector(2)
        .with_action(Action::Rotates);
    let found = measured(layer, 35.0, &poses(30, 2, -35.0));
    close(found.angular_error.unwrap().degrees, 70.0, 1e-9);
}

#[test]
fn an_invariant_layer_does_not_move() {
    let upright = noise(50, 7, 3);
    let layer = Layer::new(upright.clone()).with_action(Action::Invariant);
    let mut meter = LayerMeter::new(layer, SEED).unwrap();
    for degrees in [-60.0, 30.0, 90.0] {
        let found = meter.measure(degrees, &upright);
        assert!(found.angular_error.unwrap().degrees < 1e-9);
        let r_squared = found.r_squared.unwrap();
        assert_eq!(r_squared.identity, 1.0);
        close(r_squared.linear, 1.0, 1e-9);
        assert!(r_squared.mean <= 0.0);
        assert_eq!(found.distance, Some(0.0));
        assert_eq!(found.variance_ratio.unwrap().mean, 0.0);
        assert_eq!(found.direction_share, None, "nothing moves, so in no direction");
    }
    let ratio = meter.summary().variance_ratio.unwrap();
    assert_eq!(
        (ratio.mean, ratio.median, ratio.pooled, ratio.silent),
        (0.0, 0.0, 0.0, 0)
    );
}

/// 400 samples of 6 independent normal numbers, drawn anew at each angle. The bounds are four standard errors and more.
#[test]
fn a_random_layer_is_at_chance() {
    let upright = noise(400, 6, 0);
    let labels = (0..400).map(|sample| (sample % 10) as u8).collect();
    let layer = Layer::new(upright.clone()).with_labels(labels);
    let mut meter = LayerMeter::new(layer, SEED).unwrap();
    let found: Vec<_> = (1..8)
        .map(|angle| meter.measure(15.0 * angle as f64, &noise(400, 6, angle)))
        .collect();
    let summary = meter.summary();
    assert_eq!(
        (summary.samples, summary.fitted_on, summary.tested_on, summary.left_out),
        (400, 200, 200, 0)
    );
    for found in &found {
        let error = found.angular_error.unwrap();
        // An angle in 6 dimensions has a standard deviation of 25 degrees: 1.8 for the mean of 200.
        close(error.degrees, 90.0, 8.0);
        close(error.chance, 90.0, 8.0);
        let r_squared = found.r_squared.unwrap();
        for share in [
            r_squared.linear,
            r_squared.permuted,
            r_squared.within_class.unwrap(),
            r_squared.mean,
        ] {
            assert!((-0.15..0.05).contains(&share), "{r_squared:?}");
        }
        close(r_squared.identity, -1.0, 0.3);
        close(found.variance_ratio.unwrap().mean, 1.0, 0.15);
        close(found.distance.unwrap(), 1.0, 0.1);
        let share = found.direction_share.unwrap();
        close(share, summary.direction_chance.unwrap(), 0.04);
    }
    close(
        summary.direction_between_samples.unwrap(),
        summary.direction_chance.unwrap(),
        0.04,
    );
    close(summary.variance_ratio.unwrap().mean, 1.0, 0.06);

    let layer = Layer::new(upright).with_vector(2).with_action(Action::Rotates);
    let error = measured(layer, 30.0, &noise(400, 6, 9)).angular_error.unwrap();
    // Uniform in 0..180 degrees: a standard error of 1.5 for the mean of 1200.
    close(error.degrees, 90.0, 6.0);
}

#[test]
fn a_quarter_of_the_poses_off_by_40_degrees_is_10_on_average() {
    let right = poses(40, 1, 25.0);
    let off = poses(40, 1, 65.0);
    let rows = (0..40).flat_map(|sample| {
        if sample % 4 == 0 {
            off.row(sample)
        } else {
            right.row(sample)
        }
    });
    let mixed = Matrix::new(40, 2, rows.copied().collect());
    let layer = Layer::new(poses(40, 1, 0.0)).with_action(Action::Rotates);
    close(measured(layer, 25.0, &mixed).angular_error.unwrap().degrees, 10.0, 1e-9);
}

#[test]
fn pairs_may_turn_faster_than_the_input_or_not_at_all() {
    // Three pairs: one stays, one turns with the input, one twice as fast.
    let (still, once, twice) = (poses(30, 1, 0.0), poses(30, 1, 40.0), poses(30, 1, 80.0));
    let rows = (0..30).flat_map(|row| [still.row(row), once.row(row), twice.row(row)].concat());
    let turned = Matrix::new(30, 6, rows.collect());
    let upright = Matrix::new(30, 6, (0..30).flat_map(|row| still.row(row).repeat(3)).collect());
    let error = |action: Action| {
        let layer = Layer::new(upright.clone()).with_action(action);
        measured(layer, 40.0, &turned).angular_error.unwrap()
    };
    assert!(error(Action::Orders(vec![0, 1, 2])).degrees < 1e-9);
    // Pairs of one length each: the cosine is the mean of those of 0, 40 and 80 degrees.
    let unmoved = (1.0 + f64::cos(40f64.to_radians()) + f64::cos(80f64.to_radians())) / 3.0;
    close(error(Action::Invariant).degrees, unmoved.acos().to_degrees(), 1e-9);
    // One pair too slow and another too fast by 40 degrees.
    let wrong = (1.0 + 2.0 * f64::cos(40f64.to_radians())) / 3.0;
    close(error(Action::Rotates).degrees, wrong.acos().to_degrees(), 1e-9);
}

#[test]
fn a_pose_without_direction_counts_as_chance() {
    let mut turned = poses(10, 1, 20.0).values().to_vec();
    turned[..4].fill(0.0);
    let layer = Layer::new(poses(10, 1, 0.0)).with_action(Action::Rotates);
    let error = measured(layer, 20.0, &Matrix::new(10, 2, turned))
        .angular_error
        .unwrap();
    close(error.degrees, 0.2 * 90.0, 1e-9);
    assert_eq!(error.undefined, 0.2);
}

#[test]
fn the_share_on_one_direction_is_that_of_its_squares() {
    // Displacements of 3 along one axis and of 1 and 2 along two others, orthogonal: 9 / (9 + 1 + 4).
    let differences = Matrix::new(
        3,
        4,
        [[0.0, 3.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, -2.0]].concat(),
    );
    close(share_on_one_direction(&differences).unwrap(), 9.0 / 14.0, 1e-12);
    // A displacement that all have in common is on one direction altogether.
    let common = Matrix::new(5, 3, [0.3, -0.2, 0.6].repeat(5));
    close(share_on_one_direction(&common).unwrap(), 1.0, 1e-12);
    assert_eq!(share_on_one_direction(&Matrix::new(2, 2, vec![0.0; 4])), None);
}

#[test]
fn the_chance_level_of_the_share_is_that_of_noise() {
    assert_eq!(chance(100, 1, SEED), 1.0);
    // The largest eigenvalue of noise tends to (1 + sqrt(d / n))^2 n of n d in all (Marchenko and Pastur 1967).
    let limit = (1.0 + f64::sqrt(50.0 / 800.0)).powi(2) / 50.0;
    close(chance(800, 50, SEED), limit, 0.05 * limit);
    assert!(
        chance(20, 50, SEED) > chance(800, 50, SEED),
        "few samples align by chance"
    );
}

#[test]
fn variances_of_a_sum_of_a_sample_and_a_transform_part() {
    // v = a p(sample) + b q(transform): the ratio is b^2 var(q) / (a^2 var(p)), the transforms being none and three
    // angles.
    let p: Vec<f64> = (0..9).map(|sample| f64::from(sample * sample % 7)).collect();
    let q = [0.0, 1.0, 5.0, 2.0];
    let scales = [(1.0, 0.5), (2.0, 0.5), (3.0, 1.0)];
    let layer_at = |transform: usize| {
        let rows = p.iter().map(|p| scales.map(|(a, b)| a * p + b * q[transform]).to_vec());
        Matrix::new(9, 3, rows.collect::<Vec<_>>().concat())
    };
    let variance = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
    };
    let mut meter = LayerMeter::new(Layer::new(layer_at(0)), SEED).unwrap();
    let found = meter.measure(10.0, &layer_at(1));
    meter.measure(20.0, &layer_at(2));
    meter.measure(30.0, &layer_at(3));
    let all = meter.summary().variance_ratio.unwrap();
    // Angles that have been counted, a full turn and 0 change nothing.
    for (degrees, transform) in [(30.0, 3), (-350.0, 1), (360.0, 0), (0.0, 0)] {
        meter.measure(degrees, &layer_at(transform));
        assert_eq!(meter.summary().variance_ratio.unwrap(), all);
    }
    for (ratio, q) in [(found.variance_ratio.unwrap(), &q[..2]), (all, &q[..])] {
        let ratios = scales.map(|(a, b)| (b * b * variance(q)) / (a * a * variance(&p)));
        close(ratio.mean, ratios.iter().sum::<f64>() / 3.0, 1e-12);
        let mut sorted = ratios;
        sorted.sort_by(f64::total_cmp);
        close(ratio.median, sorted[1], 1e-12);
        close(ratio.pooled, 1.5 * variance(q) / (14.0 * variance(&p)), 1e-12);
    }
}

#[test]
fn units_that_never_change_are_left_out_of_the_ratio() {
    let with_dead = |matrix: &Matrix| {
        let rows = (0..matrix.rows()).map(|row| [matrix.row(row), &[0.1]].concat());
        Matrix::new(matrix.rows(), matrix.columns() + 1, rows.collect::<Vec<_>>().concat())
    };
    let (upright, turned) = (noise(20, 3, 0), noise(20, 3, 1));
    let live = measured(Layer::new(upright.clone()), 5.0, &turned)
        .variance_ratio
        .unwrap();
    let found = measured(Layer::new(with_dead(&upright)), 5.0, &with_dead(&turned))
        .variance_ratio
        .unwrap();
    assert_eq!(found.silent, 1);
    close(found.mean, live.mean, 1e-12);
    close(found.pooled, live.pooled, 1e-12);
}

#[test]
fn signal_beside_noise_is_explained_in_part() {
    // Two units that follow, and two of twice the variance that don't: 2 / (2 + 4) of the variance.
    let (upright, fresh) = (noise(4000, 4, 0), noise(4000, 4, 1));
    let rows = (0..4000).map(|row| {
        let (x, new) = (upright.row(row), fresh.row(row));
        let root = f64::sqrt(2.0);
        vec![
            0.6 * x[0] - 0.8 * x[1] + 5.0,
            0.8 * x[0] + 0.6 * x[1],
            root * new[0],
            root * new[1],
        ]
    });
    let turned = Matrix::new(4000, 4, rows.collect::<Vec<_>>().concat());
    let found = measured(Layer::new(upright), 53.0, &turned).r_squared.unwrap();
    close(found.linear, 1.0 / 3.0, 0.03);
    close(found.permuted, 0.0, 0.03);
}

#[test]
fn the_opposite_is_linear_but_not_the_same() {
    let upright = noise(100, 5, 0);
    let opposite = Matrix::new(100, 5, upright.values().iter().map(|x| -x).collect());
    let found = measured(Layer::new(upright), 180.0, &opposite);
    let r_squared = found.r_squared.unwrap();
    close(r_squared.linear, 1.0, 1e-9);
    // The errors are twice as long as the vectors: 1 - 4 times their mean square over their variance.
    assert!((-3.4..=-3.0).contains(&r_squared.identity), "{r_squared:?}");
    assert!(found.angular_error.unwrap().degrees < 0.01);
}

#[test]
fn what_the_class_alone_explains_is_said() {
    // Classes 6 apart on one axis, noise of variance 1 on both, drawn anew: the classes are 9 of 11 of the variance.
    let labels: Vec<u8> = (0..2000).map(|sample| (sample % 2) as u8).collect();
    let layer_of = |draw| {
        let noise = noise(2000, 2, draw);
        let centre = |sample: usize| 6.0 * f64::from(labels[sample]);
        let rows = (0..2000).flat_map(|sample| [noise.row(sample)[0] + centre(sample), noise.row(sample)[1]]);
        Matrix::new(2000, 2, rows.collect())
    };
    let layer = Layer::new(layer_of(0)).with_labels(labels.clone());
    let found = measured(layer, 15.0, &layer_of(1)).r_squared.unwrap();
    // The map sees the class through the noise: 0.9 of it, as 9 of the 10 on its axis are the class.
    close(found.linear, 0.9 * 9.0 / 11.0, 0.04);
    close(found.within_class.unwrap(), found.linear, 0.03);
    close(found.permuted, 0.0, 0.03);
}

/// A sample that has no other of its class is no partner of itself.
#[test]
fn a_class_of_one_has_no_level() {
    let labels: Vec<u8> = (0..40).map(|sample| u8::from(sample == 7)).collect();
    let layer = Layer::new(noise(40, 2, 0)).with_labels(labels);
    let found = measured(layer, 15.0, &noise(40, 2, 1)).r_squared.unwrap();
    assert_eq!(found.within_class, None);
}

#[test]
fn classes_with_maps_of_their_own_are_measured_one_by_one() {
    // Class 0 turns one way, class 1 the other: together no linear map does it.
    let labels: Vec<u8> = (0..80).map(|sample| (sample % 2) as u8).collect();
    let upright = noise(80, 2, 0);
    let rows = (0..80).flat_map(|sample| {
        let x = upright.row(sample);
        if labels[sample] == 0 {
            [-x[1], x[0]]
        } else {
            [x[1], -x[0]]
        }
    });
    let turned = Matrix::new(80, 2, rows.collect());
    let layer = Layer::new(upright).with_labels(labels);
    let together = measured(layer.clone(), 90.0, &turned).r_squared.unwrap();
    assert!(together.linear < 0.2, "{together:?}");
    let mut meter = LayerMeter::new(layer.by_class(), SEED).unwrap();
    let apart = meter.measure(90.0, &turned);
    close(apart.r_squared.unwrap().linear, 1.0, 1e-9);
    assert_eq!(apart.r_squared.unwrap().within_class, None);
    assert!(apart.angular_error.unwrap().degrees < 0.01);
    assert_eq!(meter.summary().fitted_on, 40);
}

#[test]
fn a_map_may_read_units_that_are_not_measured() {
    let all = noise(60, 6, 0);
    let column = |matrix: &Matrix, at: usize| {
        let values = (0..60).map(|row| matrix.row(row)[at]);
        Matrix::new(60, 1, values.collect())
    };
    // What unit 5 sees upright, unit 0 sees after the rotation.
    let turned = column(&all, 5);
    let blind = measured(Layer::new(column(&all, 0)), 60.0, &turned).r_squared.unwrap();
    assert!(blind.linear < 0.2);
    let layer = Layer::new(column(&all, 0)).with_sources(all.clone());
    close(measured(layer, 60.0, &turned).r_squared.unwrap().linear, 1.0, 1e-9);
}

#[test]
fn more_units_than_samples_still_generalise_where_there_is_structure() {
    // 300 units that are mixtures of 3 numbers, 40 samples.
    let (hidden, mixing) = (noise(40, 3, 0), noise(3, 300, 1));
    let mixed = |turn: [f64; 3]| {
        let rows = (0..40).map(|row| {
            (0..300)
                .map(|unit| (0..3).map(|k| turn[k] * hidden.row(row)[k] * mixing.row(k)[unit]).sum())
                .collect()
        });
        Matrix::new(40, 300, rows.collect::<Vec<Vec<f64>>>().concat())
    };
    // Of 300 unrelated units, 20 samples leave most unknown, rotated or not.
    let meter = LayerMeter::new(Layer::new(noise(40, 300, 5)), SEED).unwrap();
    assert!(meter.summary().unrotated.r_squared.unwrap().linear < 0.3);
    let found = measured(Layer::new(mixed([1.0, 1.0, 1.0])), 15.0, &mixed([0.5, -1.0, 2.0]))
        .r_squared
        .unwrap();
    close(found.linear, 1.0, 1e-9);
    assert!(found.permuted < 0.2, "{found:?}");
}

#[test]
fn too_few_samples_are_refused_and_small_classes_left_out() {
    let refused = LayerMeter::new(Layer::new(noise(3, 2, 0)), SEED).err().unwrap();
    assert_eq!(refused.found, 3);
    assert!(refused.to_string().contains("4 are needed"));
    let labels = vec![0, 0, 0, 0, 0, 1, 1, 1];
    let layer = Layer::new(noise(8, 2, 0)).with_labels(labels).by_class();
    let summary = LayerMeter::new(layer, SEED).unwrap().summary();
    assert_eq!((summary.samples, summary.left_out), (5, 3));
    let layer = Layer::new(noise(6, 2, 0))
        .with_labels(vec![0, 0, 0, 1, 1, 1])
        .by_class();
    assert_eq!(LayerMeter::new(layer, SEED).err().unwrap().found, 3);
}

#[test]
fn results_come_back_from_json() {
    let layer = Layer::new(noise(20, 4, 0)).with_labels(vec![1; 20]);
    let mut meter = LayerMeter::new(layer, SEED).unwrap();
    let found = meter.measure(15.0, &noise(20, 4, 1));
    let json = serde_json::to_string(&(found, meter.summary())).unwrap();
    assert_eq!(serde_json::from_str::<(_, _)>(&json).unwrap(), (found, meter.summary()));
    assert!(json.contains("\"expected\":\"linear_map\""), "{json}");
}
