//! Transforms against Pillow's and torchvision's results.
//!
//! `fixtures/transform/pillow.py` made the fixture and recorded the versions in it.

use std::io::Read;

use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Scratch};
use flate2::read::GzDecoder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    versions: Versions,
    images: Vec<Image>,
    normalize: Normalized,
}

#[derive(Deserialize)]
struct Versions {
    pillow: String,
}

#[derive(Deserialize)]
struct Image {
    name: String,
    height: usize,
    width: usize,
    #[serde(deserialize_with = "from_hex")]
    pixels: Vec<u8>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    spec: String,
    #[serde(deserialize_with = "from_hex")]
    pixels: Vec<u8>,
}

#[derive(Deserialize)]
struct Normalized {
    spec: String,
    bits: Vec<u32>,
}

fn from_hex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let digits = String::deserialize(deserializer)?;
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).map_err(serde::de::Error::custom);
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn fixture() -> Fixture {
    let mut json = String::new();
    let packed = include_bytes!("fixtures/transform/pillow.json.gz");
    GzDecoder::new(packed.as_slice()).read_to_string(&mut json).unwrap();
    serde_json::from_str(&json).unwrap()
}

/// Applies every case whose specification `is_meant`, and returns how many there were.
fn check(tolerance: u8, is_meant: impl Fn(&str) -> bool) -> usize {
    let mut scratch = Scratch::default();
    let mut count = 0;
    for image in fixture().images {
        for case in image.cases.iter().filter(|case| is_meant(&case.spec)) {
            let pipeline: Pipeline = case.spec.parse().unwrap();
            assert!(!pipeline.is_random());
            let mut pixels = image.pixels.clone();
            pipeline.apply(
                &mut pixels,
                image.height,
                image.width,
                &mut Seed(0).stream("", 0, 0),
                &mut scratch,
            );
            let worst = pixels.iter().zip(&case.pixels).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(
                worst <= Some(tolerance),
                "{} of `{}`: {worst:?} grey levels off",
                case.spec,
                image.name
            );
            assert_eq!(pixels.len(), case.pixels.len());
            count += 1;
        }
    }
    count
}

#[test]
fn the_fixture_is_pillows() {
    assert!(fixture().versions.pillow.starts_with("12."));
}

#[test]
fn nearest_equals_pillow_exactly() {
    assert_eq!(check(0, |spec| spec.ends_with("resample=nearest")), 9 * 40);
}

/// Exact, too; a processor that fuses multiplication and addition could be one grey level off here and there.
#[test]
fn bilinear_equals_pillow_for_one_item() {
    let one_item = |spec: &str| spec.ends_with("resample=bilinear") && spec.matches('=').count() == 2;
    assert_eq!(check(0, one_item), 9 * 38);
}

/// torchvision multiplies its matrix out in another order, and bilinear results are truncated: a last bit can show.
#[test]
fn bilinear_is_within_one_grey_level_for_several_items() {
    let several = |spec: &str| spec.ends_with("resample=bilinear") && spec.matches('=').count() > 2;
    assert_eq!(check(1, several), 9 * 4);
}

#[test]
fn mirroring_equals_torchvision_also_before_and_after_a_rotation() {
    assert_eq!(check(0, |spec| spec.contains("mirror") || spec == "flip"), 9 * 4);
}

#[test]
fn normalisation_equals_torchvision_bit_for_bit() {
    let case = fixture().normalize;
    let pipeline: Pipeline = case.spec.parse().unwrap();
    let levels: Vec<u8> = (0..=255).collect();
    let mut numbers = vec![0.0; 256];
    pipeline.normalize().unwrap().apply(&levels, &mut numbers);
    let bits: Vec<u32> = numbers.iter().map(|number| number.to_bits()).collect();
    assert_eq!(bits, case.bits);
}
