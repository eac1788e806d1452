//! Grammars of a line.

use capsnet_data::fetch::check_base_url;
use capsnet_data::protocol::{Change, Sweep};
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Normalize, Pipeline, Resample, Scratch};

/// A transform, several of which are drawn one, and what normalizes.
pub(crate) fn transform(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = text.parse::<Normalize>();
    if let Ok(augment) = text.parse::<Augment>() {
        let again: Augment = augment.to_string().parse().expect("what is written can be read");
        assert_eq!(again, augment, "{text}");
    }
    if let Ok(change) = text.parse::<Change>() {
        let again: Change = change.to_string().parse().expect("what is written can be read");
        assert_eq!(again, change, "{text}");
    }
    let Ok(pipeline) = text.parse::<Pipeline>() else { return };
    let again: Pipeline = pipeline.to_string().parse().expect("what is written can be read");
    assert_eq!(again, pipeline, "{text}");
    for [height, width] in [[1, 1], [7, 9]] {
        let mut pixels: Vec<u8> = (0..height * width).map(|pixel| (pixel * 29) as u8).collect();
        let mut rng = Seed(1).stream("fuzz", 0, 0);
        pipeline.apply(&mut pixels, height, width, &mut rng, &mut Scratch::default());
    }
}

/// Values of a family, `rotate=-180..180:5`.
pub(crate) fn values(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(sweep) = text.parse::<Sweep>() else { return };
    assert!(sweep.values.points().iter().all(|point| point.is_finite()), "{text}");
    for resample in [Resample::Nearest, Resample::Bilinear] {
        if let Ok(changes) = sweep.changes(resample) {
            assert_eq!(changes.len(), sweep.values.points().len());
        }
    }
}

/// The address of a mirror.
pub(crate) fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if check_base_url(text).is_ok() {
        let (_, rest) = text.split_once("://").expect("it begins with a scheme");
        assert!(!rest.starts_with('/') && !rest.contains([' ', '#', '?']), "{text}");
    }
}
