//! Two digits in one image.

use burn::prelude::Device;
use capsnet::predict::predict;

use crate::support::{digit, label};
use crate::{BOTH, assert_close, drawn, model, prepared, transformed};

#[test]
fn crowds_are_sums_of_shifted_digits() {
    let folder = prepared();
    let root = folder.path();
    let (numbers, _) = drawn(root, &[&["crowding", "--index", "3,5", "--distance", "0,5"], &BOTH]);
    assert_eq!(numbers["labels"], serde_json::json!([label(3), label(5)]));
    for (rows, second) in [("different", 5), ("equal", 3)] {
        for (entry, [left, right]) in numbers[rows].as_array().unwrap().iter().zip([[0, 0], [2, 3]]) {
            assert_eq!(entry["distance"], left + right);
            let parts = [
                transformed(3, &format!("translate=-{left}:0")),
                transformed(second, &format!("translate={right}:0")),
            ];
            let merged: Vec<u8> = parts[0]
                .iter()
                .zip(&parts[1])
                .map(|(a, b)| a.saturating_add(*b))
                .collect();
            for (number, file) in ["lenet5.safetensors", "small.safetensors"].into_iter().enumerate() {
                let expected = predict(&model(root, file), std::slice::from_ref(&merged), &Device::flex()).remove(0);
                let answer = &entry["answers"][number];
                assert_close(&answer["scores"], &expected.scores);
                assert_eq!(answer["best"][0], expected.class);
                let best: Vec<u8> = serde_json::from_value(answer["best"].clone()).unwrap();
                let right = if rows == "equal" {
                    best[0] == label(3)
                } else {
                    best.contains(&label(3)) && best.contains(&label(5))
                };
                assert_eq!(answer["right"], right);
            }
            let light = |image: &[u8]| image.iter().map(|&grey| f64::from(grey)).sum::<f64>();
            let share = (light(&parts[0]) + light(&parts[1])) / (light(&digit(3)) + light(&digit(second)));
            assert!((entry["inside"].as_f64().unwrap() - share).abs() < 1e-9);
        }
    }
}
