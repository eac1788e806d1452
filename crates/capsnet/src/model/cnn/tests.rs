use super::*;

fn image(side: usize) -> ImageShape {
    ImageShape {
        channels: 1,
        height: side,
        width: side,
    }
}

#[test]
fn the_default_is_as_large_as_capsnet() {
    let config = CnnConfig::default();
    let trainable = config.init(&Device::flex()).trainable();
    assert_eq!(trainable, config.parameters());
    let off = trainable.abs_diff(CnnConfig::OF_CAPSNET) as f64 / CnnConfig::OF_CAPSNET as f64;
    assert!(off < 0.0004, "{config:?} has {trainable} parameters");
    // What the file's header says.
    assert_eq!((config.multiplications() + 500_000) / 1_000_000, 28);
}

/// Closer than any scale of all widths alike, and as close as the first hidden layer allows.
#[test]
fn no_other_width_comes_closer() {
    for (side, target) in [(28, 44_426), (28, 1_000_000), (40, 13_475_648)] {
        let config = CnnConfig::with_parameters(image(side), 10, target);
        let off = |config: &CnnConfig| config.parameters().abs_diff(target);
        let scales = (1..4 * UNITS).map(|units| CnnConfig::scaled(image(side), 10, units));
        assert!(
            scales.map(|scaled| off(&scaled)).min() >= Some(off(&config)),
            "{side}, {target}"
        );
        for first in [config.hidden[0] - 1, config.hidden[0] + 1] {
            let hidden = vec![first, config.hidden[1]];
            let other = CnnConfig {
                hidden,
                ..config.clone()
            };
            assert!(off(&other) >= off(&config), "{side}, {target}");
        }
    }
    let smallest = CnnConfig::with_parameters(image(17), 10, 1);
    assert_eq!((smallest.channels, smallest.hidden), (vec![1, 1, 1], vec![1, 1]));
}

#[test]
fn multiplications_are_counted_layer_by_layer() {
    let config = CnnConfig {
        image: image(12),
        classes: 3,
        normalize: Normalize::default(),
        channels: vec![2, 4],
        strides: vec![1, 2],
        kernel: 3,
        hidden: vec![5],
    };
    // 12 -> 10 -> 4: 2 * 9 * 100 and 2 * 4 * 9 * 16, then 64 * 5 and 5 * 3.
    assert_eq!(config.multiplications(), 1800 + 1152 + 320 + 15);
}

#[test]
fn impossible_networks_are_refused() {
    let good = CnnConfig::default();
    for (field, config) in [
        (
            "channels",
            CnnConfig {
                channels: vec![],
                ..good.clone()
            },
        ),
        (
            "channels",
            CnnConfig {
                channels: vec![1, 0, 1],
                ..good.clone()
            },
        ),
        (
            "strides",
            CnnConfig {
                strides: vec![1, 2],
                ..good.clone()
            },
        ),
        (
            "hidden",
            CnnConfig {
                hidden: vec![70_000],
                ..good.clone()
            },
        ),
        (
            "kernel",
            CnnConfig {
                kernel: 0,
                ..good.clone()
            },
        ),
        (
            "image",
            CnnConfig {
                image: image(16),
                ..good.clone()
            },
        ),
    ] {
        assert_eq!(config.validate().unwrap_err().field, field);
    }
    good.validate().unwrap();
}
