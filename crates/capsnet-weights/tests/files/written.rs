//! Files that we write are safetensors: by the letter of the format, for the reference
//! implementation, and for us.

use std::collections::BTreeMap;
use std::fs;

use crate::common::fixture;
use capsnet_weights::{
    Deferred, Dtype, FloatDtype, NamedTensor, Problem, StateDict, TensorValues, parse, read, write_safetensors,
};
use half::f16;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use safetensors::SafeTensors;
use serde_json::Value;

fn tensor(shape: &[usize], values: TensorValues) -> NamedTensor {
    NamedTensor::new(shape.to_vec(), values).unwrap()
}

fn example() -> StateDict {
    let mut state = StateDict::new();
    state
        .insert(
            "b.weight",
            tensor(&[2, 2], TensorValues::F32(vec![1.0, -2.5, 65504.0, 1e-7])),
        )
        .unwrap();
    state
        .insert(
            "a \"quoted\" naïve",
            tensor(&[3], TensorValues::F32(vec![0.1, 0.2, 0.3])),
        )
        .unwrap();
    state
        .insert("num_batches_tracked", tensor(&[], TensorValues::I64(vec![i64::MAX])))
        .unwrap();
    state
        .insert("empty", tensor(&[0, 4], TensorValues::F32(vec![])))
        .unwrap();
    for (key, text) in [
        ("model", "lenet5"),
        ("config", "{\"a\": 1}\n"),
        ("seed", "7"),
        ("augment", ""),
    ] {
        state.metadata.insert(key.to_owned(), text.to_owned());
    }
    state
}

fn safetensors_bytes(state: &StateDict, floats: FloatDtype) -> Result<Vec<u8>, Problem> {
    with_deferred(state, &[], floats)
}

fn with_deferred(state: &StateDict, deferred: &[Deferred<'_>], floats: FloatDtype) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    write_safetensors(&mut bytes, state, deferred, floats).map(|()| bytes)
}

/// Header and data by the letter of the format, without the library that the crate reads them with.
fn split(bytes: &[u8]) -> (&str, Value, &[u8]) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    (header, serde_json::from_str(header).unwrap(), &bytes[8 + length..])
}

#[test]
fn the_bytes_follow_the_format() {
    let bytes = safetensors_bytes(&example(), FloatDtype::F32).unwrap();
    let (text, header, data) = split(&bytes);
    assert_eq!(text.len() % 8, 0);
    assert!(text.starts_with('{'));
    assert_eq!(header["__metadata__"]["config"], "{\"a\": 1}\n");
    assert_eq!(
        header["num_batches_tracked"],
        serde_json::json!({"dtype": "I64", "shape": [], "data_offsets": [0, 8]})
    );
    assert_eq!(header["a \"quoted\" naïve"]["data_offsets"], serde_json::json!([8, 20]));
    assert_eq!(
        header["b.weight"],
        serde_json::json!({"dtype": "F32", "shape": [2, 2], "data_offsets": [20, 36]})
    );
    assert_eq!(
        header["empty"],
        serde_json::json!({"dtype": "F32", "shape": [0, 4], "data_offsets": [36, 36]})
    );
    assert_eq!(data.len(), 36);
    assert_eq!(data[..8], i64::MAX.to_le_bytes());
    assert_eq!(data[24..28], (-2.5_f32).to_le_bytes());
}

#[test]
fn metadata_and_tensors_are_in_a_fixed_order() {
    let text = safetensors_bytes(&example(), FloatDtype::F16).unwrap();
    let (header, ..) = split(&text);
    let places: Vec<usize> = [
        "__metadata__",
        "augment",
        "config",
        "model",
        "seed",
        "num_batches_tracked",
        "a ",
        "b.weight",
        "empty",
    ]
    .iter()
    .map(|key| header.find(&format!("\"{key}")).unwrap())
    .collect();
    assert!(places.is_sorted(), "{places:?} in {header}");
}

/// `safetensors.torch.save_file` of Python's safetensors 0.8.0 wrote this file.
#[test]
fn what_python_wrote_is_written_again_byte_for_byte() {
    let path = fixture("module.safetensors");
    let again = safetensors_bytes(&read(&path).unwrap(), FloatDtype::F32).unwrap();
    assert_eq!(again, fs::read(&path).unwrap());
}

#[test]
fn the_reference_implementation_reads_what_we_write() {
    let state = read(fixture("mixed_legacy.pt")).unwrap();
    for floats in [FloatDtype::F32, FloatDtype::F16] {
        let bytes = safetensors_bytes(&state, floats).unwrap();
        let theirs = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(theirs.len(), state.len());
        for (name, ours) in state.iter() {
            let view = theirs.tensor(name).unwrap();
            assert_eq!(view.shape(), ours.shape(), "{name}");
            let expected: Vec<u8> = match (ours.values(), floats) {
                (TensorValues::I64(values), _) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
                (TensorValues::F32(values), FloatDtype::F32) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                (TensorValues::F32(values), FloatDtype::F16) => values
                    .iter()
                    .flat_map(|value| f16::from_f32(*value).to_le_bytes())
                    .collect(),
            };
            assert_eq!(view.data(), expected, "{name}");
        }
    }
}

#[test]
fn half_precision_rounds_to_the_nearest_and_is_read_back() {
    let bytes = safetensors_bytes(&example(), FloatDtype::F16).unwrap();
    let state = parse(&bytes, "half").unwrap();
    let weight = state.get("b.weight").unwrap();
    assert_eq!(weight.stored_dtype(), Dtype::F16);
    // numpy 2.4: numpy.float16([1, -2.5, 65504, 1e-7]).astype(numpy.float32)
    assert_eq!(weight.as_f32().unwrap(), [1.0, -2.5, 65504.0, 1.192_092_9e-7]);
    assert_eq!(state.get("num_batches_tracked").unwrap().as_i64().unwrap(), [i64::MAX]);
}

#[test]
fn values_that_cannot_be_written_are_refused() {
    let with = |value: f32| {
        let mut state = StateDict::new();
        state
            .insert("w", tensor(&[1, 2], TensorValues::F32(vec![0.0, value])))
            .unwrap();
        state
    };
    let error = safetensors_bytes(&with(65520.0), FloatDtype::F16).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("tensor `w` has the value 65520.0 at index [0, 1], too large"),
        "{error}"
    );
    safetensors_bytes(&with(65519.0), FloatDtype::F16).unwrap();
    safetensors_bytes(&with(65520.0), FloatDtype::F32).unwrap();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for floats in [FloatDtype::F32, FloatDtype::F16] {
            let error = safetensors_bytes(&with(value), floats).unwrap_err();
            assert!(
                matches!(&error, Problem::NotFinite { index, .. } if *index == [0, 1]),
                "{error}"
            );
        }
    }
    let empty = safetensors_bytes(&StateDict::new(), FloatDtype::F32).unwrap_err();
    assert!(matches!(empty, Problem::NoTensors), "{empty}");
    let mut reserved = with(1.0);
    reserved
        .insert("__metadata__", tensor(&[], TensorValues::F32(vec![1.0])))
        .unwrap();
    let error = safetensors_bytes(&reserved, FloatDtype::F32).unwrap_err();
    assert!(matches!(error, Problem::ReservedName { .. }), "{error}");
}

#[test]
fn a_name_cannot_be_inserted_twice_and_a_shape_must_fit() {
    let mut state = example();
    let error = state
        .insert("b.weight", tensor(&[], TensorValues::F32(vec![0.0])))
        .unwrap_err();
    assert!(
        matches!(&error.problem, Problem::DuplicateName { tensor } if tensor == "b.weight"),
        "{error}"
    );
    assert_eq!(state.get("b.weight").unwrap().shape(), [2, 2]);
    assert!(NamedTensor::new(vec![2, 3], TensorValues::F32(vec![0.0; 5])).is_none());
    assert!(NamedTensor::new(vec![usize::MAX, 2], TensorValues::I64(vec![])).is_none());
}

#[test]
fn deferred_tensors_make_the_same_file() {
    let later = |name: &str, value: f32| Deferred {
        name: name.to_owned(),
        shape: vec![3, 1],
        values: Box::new(move || vec![value, 0.5, -0.5]),
    };
    for floats in [FloatDtype::F32, FloatDtype::F16] {
        let mut all = example();
        for (name, value) in [("a first", 1.0), ("later", 2.0)] {
            let values = TensorValues::F32(vec![value, 0.5, -0.5]);
            all.insert(name, tensor(&[3, 1], values)).unwrap();
        }
        // Not in the order of their names.
        let deferred = [later("later", 2.0), later("a first", 1.0)];
        let written = with_deferred(&example(), &deferred, floats).unwrap();
        assert_eq!(written, safetensors_bytes(&all, floats).unwrap());
    }
    let twice = with_deferred(&example(), &[later("b.weight", 1.0)], FloatDtype::F32).unwrap_err();
    assert!(matches!(&twice, Problem::DuplicateName { tensor } if tensor == "b.weight"));
    let diverged = with_deferred(&example(), &[later("c", f32::NAN)], FloatDtype::F32).unwrap_err();
    assert!(matches!(&diverged, Problem::NotFinite { index, .. } if *index == [0, 0]));
}

#[test]
fn a_writer_that_fails_is_an_error() {
    for room in [0, 8, 100] {
        let mut full = vec![0; room];
        let error = write_safetensors(&mut full.as_mut_slice(), &example(), &[], FloatDtype::F32).unwrap_err();
        assert!(matches!(error, Problem::Unwritable(_)), "{error}");
    }
}

fn any_tensor() -> impl Strategy<Value = NamedTensor> {
    (vec(0..4_usize, 0..4), any::<bool>()).prop_flat_map(|(shape, float)| {
        let elements: usize = shape.iter().product();
        let finite = any::<f32>().prop_filter("weights are finite", |value| value.is_finite());
        let values = if float {
            vec(finite, elements).prop_map(TensorValues::F32).boxed()
        } else {
            vec(any::<i64>(), elements).prop_map(TensorValues::I64).boxed()
        };
        values.prop_map(move |values| tensor(&shape, values))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(
        tensors in btree_map("[^_]{1,12}", any_tensor(), 1..6),
        metadata in btree_map(any::<String>(), any::<String>(), 0..4),
    ) {
        let fill = |names: &mut dyn Iterator<Item = (&String, &NamedTensor)>| {
            let mut state = StateDict::new();
            names.for_each(|(name, tensor)| state.insert(name.clone(), tensor.clone()).unwrap());
            state.metadata = metadata.clone();
            safetensors_bytes(&state, FloatDtype::F32).unwrap()
        };
        let bytes = fill(&mut tensors.iter());
        prop_assert_eq!(&bytes, &fill(&mut tensors.iter().rev()), "the order of insertion shows");

        let state = parse(&bytes, "round trip").unwrap();
        let read: BTreeMap<String, NamedTensor> =
            state.iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
        prop_assert_eq!(read, tensors);
        prop_assert_eq!(state.metadata, metadata);
    }
}
