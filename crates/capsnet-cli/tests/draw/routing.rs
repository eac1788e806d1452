//! Couplings, and the toy whose parts vote.

use std::path::Path;

use burn::prelude::Device;
use capsnet::look::{couplings, route_scene};
use capsnet::model::{Model, ModelConfig};
use capsnet::routing::Routing;
use capsnet_data::doorway::{Arrangement, Doorways};
use capsnet_data::random::Seed;
use tempfile::tempdir;

use crate::support::digit;
use crate::{CAPSNET, assert_close, drawn, model, prepared};

#[test]
fn couplings_are_the_librarys() {
    let folder = prepared();
    let root = folder.path();
    let flags = [
        "couplings",
        "--index",
        "6",
        "--towards",
        "1,2",
        "--strongest",
        "5",
        "--across",
        "8",
    ];
    let more = ["--routing-iterations", "4"];
    let (numbers, size) = drawn(root, &[&flags, &more, &CAPSNET]);
    let Model {
        mut config, network, ..
    } = model(root, "small.safetensors");
    let ModelConfig::CapsNet(capsnet) = &mut config else {
        panic!("a CapsNet")
    };
    capsnet.routing = Routing::dynamic(4);
    let weights = network_state(root);
    let model = Model::from_weights(config, &weights, &Device::flex()).unwrap().valid();
    drop(network);
    let expected = couplings(&model, &digit(6), &Device::flex()).unwrap();
    assert_eq!(numbers["towards"], serde_json::json!([1, 2]));
    assert_eq!(numbers["primary_capsules"], 2 * 36);
    assert_eq!(numbers["starved"], expected.starved);
    let iterations = numbers["iterations"].as_array().unwrap();
    assert_eq!(iterations.len(), 4);
    for (found, expected) in iterations.iter().zip(&expected.iterations) {
        assert_close(&found["class_lengths"], &expected.class_lengths);
        assert!((found["entropy"].as_f64().unwrap() - expected.entropy).abs() < 1e-5);
    }
    let strongest = numbers["strongest"].as_array().unwrap();
    assert_eq!(strongest.len(), 5);
    for (found, &capsule) in strongest.iter().zip(&expected.strongest()) {
        assert_eq!(found["capsule"], capsule);
        // Two maps of six rows and six columns, stride 2.
        assert_eq!(
            (&found["top"], &found["side"]),
            (&(capsule / 6 % 6 * 2).into(), &17.into())
        );
        for (iteration, expected) in expected.iterations.iter().enumerate() {
            let row = &expected.couplings[capsule * 10..][..10];
            assert_close(&found["couplings"][iteration], &row[1..3]);
        }
    }
    assert_eq!(numbers["across_images"]["images"], 8);
    assert!(size.0 > 2 * 28 * 13 && size.1 > 4 * 28 * 13);
}

fn network_state(root: &Path) -> capsnet_weights::StateDict {
    capsnet_weights::read(root.join("small.safetensors")).unwrap()
}

#[test]
fn doorways_need_no_data() {
    let folder = tempdir().unwrap();
    let flags = ["doorway", "--seed", "4", "--iterations", "3", "--extra", "2"];
    let (numbers, size) = drawn(folder.path(), &[&flags]);
    let doorways = Doorways::new(Seed(4));
    let routing = Routing::dynamic(3);
    let scenes = [
        (Arrangement::Doorway, 0),
        (Arrangement::Apart, 0),
        (Arrangement::Doorway, 2),
    ];
    for (number, (arrangement, extra)) in scenes.into_iter().enumerate() {
        let scene = doorways.scene(arrangement, extra, 0);
        let steps = route_scene(&scene, &routing, &Device::flex());
        let found = &numbers["scenes"][number];
        assert_eq!(found["parts"].as_array().unwrap().len(), 2 + 2 * extra);
        for (found, step) in found["steps"].as_array().unwrap().iter().zip(&steps) {
            assert_close(&found["lengths"], &step.lengths);
            for (found, couplings) in found["couplings"].as_array().unwrap().iter().zip(&step.couplings) {
                assert_close(found, couplings);
            }
        }
    }
    let (again, same) = drawn(folder.path(), &[&flags]);
    assert_eq!((again, same), (numbers, size));
    let (plain, narrower) = drawn(folder.path(), &[&["doorway", "--extra", "0"]]);
    assert_eq!(plain["scenes"].as_array().unwrap().len(), 2);
    assert!(narrower.0 < size.0);
}
