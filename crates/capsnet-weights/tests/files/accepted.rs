//! Files that PyTorch and safetensors have written are read with the values that PyTorch says they
//! have.

use crate::common::{fixture, fixtures};
use capsnet_weights::{Dtype, Format, StateDict, TensorValues, read};
use serde_json::Value;

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(fixture("expected.json")).unwrap()).unwrap()
}

fn dtype(torch_name: &str) -> Dtype {
    match torch_name {
        "float64" => Dtype::F64,
        "float32" => Dtype::F32,
        "float16" => Dtype::F16,
        "bfloat16" => Dtype::Bf16,
        "int64" => Dtype::I64,
        "int32" => Dtype::I32,
        "int16" => Dtype::I16,
        "int8" => Dtype::I8,
        "uint32" => Dtype::U32,
        "uint16" => Dtype::U16,
        "uint8" => Dtype::U8,
        "bool" => Dtype::Bool,
        other => panic!("{other} is not in the fixtures"),
    }
}

fn assert_values(values: &TensorValues, expected: &[Value], place: &str) {
    match values {
        TensorValues::F32(values) => {
            let expected: Vec<f32> = expected.iter().map(|value| value.as_f64().unwrap() as f32).collect();
            assert_eq!(values, &expected, "{place}");
        }
        TensorValues::I64(values) => {
            let expected: Vec<i64> = expected.iter().map(|value| value.as_i64().unwrap()).collect();
            assert_eq!(values, &expected, "{place}");
        }
    }
}

#[test]
fn every_file_has_the_tensors_that_pytorch_saved() {
    let expected = expected();
    let files = expected["files"].as_object().unwrap();
    assert_eq!(
        fixtures(true),
        files.keys().cloned().collect::<Vec<_>>(),
        "files and expectations differ"
    );
    for (file, tensors) in files {
        let state = read(fixture(file)).unwrap();
        let tensors = tensors.as_object().unwrap();
        assert!(state.iter().map(|(name, _)| name).eq(tensors.keys()), "names in {file}");
        for (name, expected) in tensors {
            let place = format!("{name} in {file}");
            let tensor = state.get(name).unwrap();
            let shape: Vec<u64> = tensor.shape().iter().map(|&size| size as u64).collect();
            assert_eq!(Value::from(shape), expected["shape"], "{place}");
            assert_eq!(
                tensor.stored_dtype(),
                dtype(expected["dtype"].as_str().unwrap()),
                "{place}"
            );
            assert_values(tensor.values(), expected["values"].as_array().unwrap(), &place);
        }
    }
}

#[test]
fn what_lies_beside_the_tensors_is_told() {
    let beside = |file| read(fixture(file)).unwrap().beside;
    assert_eq!(beside("module_zip.pt"), [""; 0]);
    assert_eq!(beside("beside_number.pt"), ["extra (an int)"]);
    assert_eq!(beside("beside_nested_in_checkpoint.pt"), ["extra (a dict)"]);
    assert_eq!(
        beside("beside_in_tuple.pt"),
        ["an item (an int)", "an item (a dict)", "an item (a string)"]
    );
    assert_eq!(beside("safe_score.pt"), ["best (a tensor)"]);
    assert_eq!(
        beside("safe_kinds.pt"),
        [
            "size (a tuple)",
            "device (a device)",
            "dtype (a class or function)",
            "bytes (bytes)",
            "bytearray (bytes)",
            "set (a set)",
            "complex (a complex number)",
            "none (None)",
            "nested (a dict)",
        ]
    );
}

#[test]
fn the_format_is_told_by_the_content() {
    for (file, format) in [
        ("mixed_zip.pt", Format::TorchZip),
        ("mixed_legacy.pt", Format::TorchLegacy),
        ("module_torch_1_1.pt", Format::TorchLegacy),
        ("mixed.safetensors", Format::Safetensors),
    ] {
        // under a name that says nothing
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        std::fs::copy(fixture(file), &path).unwrap();
        let state = read(&path).unwrap();
        assert_eq!(state.format(), Some(format), "{file}");
        assert_eq!(state.path(), Some(path.as_path()));
    }
}

#[test]
fn metadata_of_safetensors_is_kept() {
    let state = read(fixture("mixed.safetensors")).unwrap();
    let metadata: Vec<(&str, &str)> = state
        .metadata
        .iter()
        .map(|(key, text)| (key.as_str(), text.as_str()))
        .collect();
    assert_eq!(metadata, [("format", "pt"), ("model", "lenet5")]);
}

#[test]
fn a_state_dict_fits_its_own_shapes_only() {
    let state: StateDict = read(fixture("module_zip.pt")).unwrap();
    let mut shapes: Vec<(String, Vec<usize>)> = state
        .iter()
        .map(|(name, tensor)| (name.to_owned(), tensor.shape().to_vec()))
        .collect();
    state.check(&shapes).unwrap();
    shapes[0].1.reverse();
    let error = state
        .check(&[shapes, vec![("decoder.0.bias".to_owned(), vec![512])]].concat())
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("module_zip.pt: does not fit the model"), "{message}");
    assert!(message.contains("missing (1): decoder.0.bias"), "{message}");
}
