//! Damaged files are refused, or read as something whole; never a panic, never memory out of
//! proportion.

use std::fs;
use std::sync::LazyLock;

use crate::common::{fixture, fixtures};
use capsnet_weights::{MAX_EXPANSION, StateDict, TensorValues, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// All fixtures, good and bad: the damage starts from either.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let names = [fixtures(true), fixtures(false)].concat();
    names.iter().map(|name| fs::read(fixture(name)).unwrap()).collect()
});

/// What holds for every state dict that is accepted, whatever bytes it came from.
fn assert_whole(state: &StateDict, file_bytes: usize) {
    let mut memory = 0;
    for (name, tensor) in state.iter() {
        assert_eq!(
            tensor.shape().iter().product::<usize>(),
            tensor.values().len(),
            "{name}"
        );
        memory += match tensor.values() {
            TensorValues::F32(values) => {
                assert!(values.iter().all(|value| value.is_finite()), "{name}");
                4 * values.len()
            }
            TensorValues::I64(values) => 8 * values.len(),
        };
    }
    assert!(!state.is_empty());
    assert!(memory / MAX_EXPANSION <= file_bytes, "{memory} bytes from {file_bytes}");
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let files = [
        "mixed_zip.pt",
        "mixed_protocol4.pt",
        "mixed_legacy.pt",
        "module_torch_1_1.pt",
        "checkpoint_model.pt",
        "mixed.safetensors",
    ];
    for file in files {
        let bytes = fs::read(fixture(file)).unwrap();
        parse(&bytes, file).unwrap();
        for length in 0..bytes.len() {
            assert!(
                parse(&bytes[..length], file).is_err(),
                "{file} cut to {length} of {} bytes",
                bytes.len()
            );
        }
    }
}

/// Zip files have checksums, so that no changed weight goes unnoticed.
#[test]
fn a_changed_weight_in_a_zip_file_is_noticed() {
    let bytes = fs::read(fixture("mixed_zip.pt")).unwrap();
    let weight = 12.0_f32;
    let state = parse(&bytes, "mixed_zip.pt").unwrap();
    let first = state.get("fc.weight").unwrap().as_f32().unwrap()[0].to_le_bytes();
    let place = bytes.windows(4).position(|window| window == first).unwrap();
    let mut changed = bytes;
    changed[place..place + 4].copy_from_slice(&weight.to_le_bytes());
    let error = parse(&changed, "mixed_zip.pt").unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn changed_bytes_never_panic(file: Index, changes in vec((any::<Index>(), any::<u8>()), 1..6)) {
        let mut bytes = file.get(&FILES).clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Ok(state) = parse(&bytes, "changed") {
            assert_whole(&state, bytes.len());
        }
    }

    #[test]
    fn spliced_bytes_never_panic(
        file: Index,
        other: Index,
        cut: Index,
        from: Index,
        length in 0..200_usize,
    ) {
        let (file, other) = (file.get(&FILES), other.get(&FILES));
        let (cut, from) = (cut.index(file.len()), from.index(other.len()));
        let inserted = &other[from..other.len().min(from + length)];
        let bytes = [&file[..cut], inserted, &file[cut..]].concat();
        if let Ok(state) = parse(&bytes, "spliced") {
            assert_whole(&state, bytes.len());
        }
    }

    /// Changes within the pickle of a legacy file reach the machine, as no checksum guards it.
    #[test]
    fn changed_pickles_never_panic(changes in vec((any::<Index>(), any::<u8>()), 1..4)) {
        let mut bytes = fs::read(fixture("module_legacy.pt")).unwrap();
        let pickles = bytes.len() - 300;
        for (place, value) in changes {
            let place = place.index(pickles);
            bytes[place] = value;
        }
        if let Ok(state) = parse(&bytes, "changed") {
            assert_whole(&state, bytes.len());
        }
    }

    /// The directory of a zip file lies at its end, behind the last entry.
    #[test]
    fn changed_directories_never_panic(changes in vec((any::<Index>(), any::<u8>()), 1..4)) {
        let mut bytes = fs::read(fixture("module_zip.pt")).unwrap();
        let directory = bytes.len() - 1200;
        for (place, value) in changes {
            let place = directory + place.index(1200);
            bytes[place] = value;
        }
        if let Ok(state) = parse(&bytes, "changed") {
            assert_whole(&state, bytes.len());
        }
    }
}
