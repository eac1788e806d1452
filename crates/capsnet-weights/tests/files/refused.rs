//! Files that must not be accepted are refused, each with a message that says why.

use std::fs::{self, File};

use crate::common::{fixture, fixtures};
use capsnet_weights::{MAX_FILE_BYTES, Problem, parse, read};

/// Every refused fixture, with words that its message must have.
const REFUSED: &[(&str, &str)] = &[
    ("refused_arrays.npz", "NumPy arrays (.npz); name its arrays"),
    ("refused_bare_tensor.pt", "holds a tensor where a state dict belongs"),
    ("refused_big_endian_legacy.pt", "big-endian"),
    ("refused_big_endian_zip.pt", "big-endian"),
    (
        "refused_complex.pt",
        "entry `extra` of the state dict is a tensor of complex numbers",
    ),
    ("refused_complex.safetensors", "tensor `bad` of type C64"),
    (
        "refused_double_overflow.pt",
        "tensor `bad` has the value 1e300 at index [0]",
    ),
    ("refused_empty_dict.pt", "holds no tensor"),
    ("refused_eval.pt", ".eval`, which is no tensor; it was not executed"),
    (
        "refused_expanded.pt",
        "tensor `extra` of shape [1000] has more elements than the 1",
    ),
    (
        "refused_float8.pt",
        "entry `extra` of the state dict is a tensor of 8-bit floats",
    ),
    ("refused_infinity.pt", "tensor `bad` has the value -inf at index [1]"),
    ("refused_list.pt", "holds a list where a state dict belongs"),
    ("refused_nan.safetensors", "tensor `bad` has the value NaN at index [1]"),
    (
        "refused_nan_legacy.pt",
        "tensor `bad` has the value NaN at index [1, 0]",
    ),
    ("refused_nan_zip.pt", "tensor `bad` has the value NaN at index [1, 0]"),
    ("refused_no_pickle.pt", "without `data.pkl`"),
    ("refused_no_storage.pt", "/data/0` is not in its zip archive"),
    ("refused_numpy_array.pt", "`numpy._core.multiarray._reconstruct`"),
    (
        "refused_os_system_by_hand.pt",
        "`os.system`, which is no tensor; it was not executed",
    ),
    ("refused_os_system_in_checkpoint.pt", "`posix.system`"),
    ("refused_os_system_legacy.pt", "`posix.system`"),
    ("refused_os_system_protocol4.pt", "`posix.system`"),
    ("refused_os_system_zip.pt", "`posix.system`"),
    ("refused_plain_os_system.pt", "`posix.system`"),
    ("refused_plain_pickle.pt", "a plain pickle"),
    (
        "refused_quantized.pt",
        "entry `extra` of the state dict is a quantised tensor",
    ),
    ("refused_short_storage.pt", "storage `0` has"),
    (
        "refused_sparse.pt",
        "entry `extra` of the state dict is a sparse tensor",
    ),
    ("refused_twice.pt", "names the tensor `fc.weight` twice"),
    ("refused_two_in_tuple.pt", "a tuple of more than one state dict"),
    (
        "refused_two_models.pt",
        "more than one state dict (`model`, `state_dict`)",
    ),
    ("refused_whole_module.pt", "`torch.nn.modules.container.Sequential`"),
];

#[test]
fn every_refused_file_is_refused_for_the_right_reason() {
    let listed: Vec<&str> = REFUSED.iter().map(|(file, _)| *file).collect();
    assert_eq!(fixtures(false), listed, "files and expectations differ");
    let wrong: Vec<String> = REFUSED
        .iter()
        .filter_map(|(file, reason)| match read(fixture(file)) {
            Ok(_) => Some(format!("{file} was accepted")),
            Err(error) => {
                let message = error.to_string();
                let right = message.contains(reason) && message.contains(file);
                (!right).then_some(format!("{message}\n    should say: {reason}"))
            }
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = read(folder.path().join("missing.pt")).unwrap_err();
    assert!(matches!(missing.problem, Problem::Unreadable(_)), "{missing}");
    assert!(missing.to_string().contains("missing.pt: cannot be read"), "{missing}");
    let directory = read(folder.path()).unwrap_err();
    assert!(matches!(directory.problem, Problem::NotAFile), "{directory}");
    // It says that it has no bytes, and would give some, as /proc/kmsg would once there are any.
    #[cfg(target_os = "linux")]
    assert!(matches!(
        read("/proc/self/cmdline").unwrap_err().problem,
        Problem::Empty
    ));

    let path = folder.path().join("empty.pt");
    fs::write(&path, b"").unwrap();
    assert!(matches!(read(&path).unwrap_err().problem, Problem::Empty));
    fs::write(&path, vec![0; 1000]).unwrap();
    assert!(matches!(read(&path).unwrap_err().problem, Problem::UnknownFormat));
}

/// What people have in place of weights is refused by its name, with what to do, under any file name.
#[test]
fn what_is_something_else_is_called_by_its_name() {
    let mut tar = vec![0; 1024];
    tar[..7].copy_from_slice(b"weights");
    tar[257..262].copy_from_slice(b"ustar");
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:0d71\nsize 179261\n";
    let kinds: [(&[u8], [&str; 2]); 12] = [
        (lfs.as_bytes(), ["Git LFS pointer", "git lfs pull"]),
        (
            b"\n <!DOCTYPE HTML>\n<html>",
            ["a web page", "download the file itself"],
        ),
        (
            b"\xef\xbb\xbf<html lang=en>",
            ["a web page", "download the file itself"],
        ),
        (b"\x1f\x8b\x08\0\0", ["gzip", "gunzip"]),
        (b"\xfd7zXZ\0\0", ["xz", "unxz"]),
        (b"BZh91AY", ["bzip2", "bunzip2"]),
        (&tar, ["tar archive", "tar xf"]),
        (b"\x89HDF\r\n\x1a\n\0", ["HDF5", "tools/keras_to_safetensors.py"]),
        (b"\x93NUMPY\x01\0", ["a NumPy array", "safetensors.numpy.save_file"]),
        (
            b"\x08\x08\x12\x07pytorch",
            ["an ONNX model", "--weights NAME=model.onnx"],
        ),
        (b"GGUF\x03", ["GGUF", "safetensors"]),
        (b"%PDF-1.7", ["PDF", "weights file"]),
    ];
    for (bytes, parts) in kinds {
        let message = parse(bytes, "weights.pt").unwrap_err().to_string();
        for part in parts {
            assert!(
                message.starts_with("weights.pt: holds ") && message.contains(part),
                "{message}"
            );
        }
    }
}

#[test]
fn a_keras_archive_is_called_by_its_name() {
    let archive = zip(&[("config.json", b"{}"), ("model.weights.h5", b"\x89HDF")]);
    let message = parse(&archive, "model.keras").unwrap_err().to_string();
    assert!(
        message.contains("Keras") && message.contains("keras_to_safetensors"),
        "{message}"
    );
}

/// A zip archive of stored entries without checksums.
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, data) in entries {
        let start = u32::try_from(archive.len()).unwrap();
        archive.extend_from_slice(b"PK\x03\x04");
        archive.extend(described(name, data));
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(data);
        directory.extend(listed(name, data, start));
    }
    finished(archive, &directory, entries.len())
}

fn described(name: &str, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    let name = u16::try_from(name.len()).unwrap().to_le_bytes();
    [
        &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &length,
        &length,
        &name,
        &[0, 0],
    ]
    .concat()
}

fn listed(name: &str, data: &[u8], start: u32) -> Vec<u8> {
    let head = [b"PK\x01\x02\x14\0".to_vec(), described(name, data), vec![0; 10]].concat();
    [head, start.to_le_bytes().to_vec(), name.as_bytes().to_vec()].concat()
}

fn finished(archive: Vec<u8>, directory: &[u8], entries: usize) -> Vec<u8> {
    let count = u16::try_from(entries).unwrap().to_le_bytes();
    let [length, start] = [directory.len(), archive.len()].map(|size| u32::try_from(size).unwrap().to_le_bytes());
    let end = [b"PK\x05\x06\0\0\0\0".to_vec(), [count, count].concat()].concat();
    [
        archive,
        directory.to_vec(),
        end,
        length.to_vec(),
        start.to_vec(),
        vec![0, 0],
    ]
    .concat()
}

/// A thousand entries that all are the same bytes would be checksummed a thousand times.
#[test]
fn entries_of_an_archive_that_share_bytes_are_refused() {
    let data = vec![0; 1000];
    let mut archive = [b"PK\x03\x04".to_vec(), described("a/data/0", &data)].concat();
    archive.extend_from_slice(b"a/data/0");
    archive.extend_from_slice(&data);
    let names = (0..1000).map(|number| format!("a/data/{number}"));
    let directory: Vec<u8> = names.flat_map(|name| listed(&name, &data, 0)).collect();
    let error = parse(&finished(archive, &directory, 1000), "shared.pt").unwrap_err();
    assert!(error.to_string().contains("share bytes"), "{error}");
}

/// 300 MB of zeros in 300 kB.
#[test]
fn an_archive_that_unpacks_to_far_more_than_itself_is_refused() {
    let mut archive = zip(&[("a/data.pkl", &[0; 5000])]);
    // Both places say that the entry is deflated and unpacks to 2 GiB.
    let directory = archive.len() - 22 - 46 - 10;
    for (method, unpacked) in [(8, 22), (directory + 10, directory + 24)] {
        archive[method] = 8;
        archive[unpacked..unpacked + 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    }
    let error = parse(&archive, "bomb.pt").unwrap_err();
    assert!(matches!(error.problem, Problem::Expands), "{error}");
}

#[test]
fn a_huge_file_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.pt");
    // A hole: it takes no room on the disk.
    File::create(&path).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    let error = read(&path).unwrap_err();
    assert!(
        matches!(error.problem, Problem::TooLarge { bytes } if bytes == MAX_FILE_BYTES + 1),
        "{error}"
    );
}

/// A safetensors file with this header and this many bytes of zeros.
fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn safetensors_headers_are_not_believed() {
    let entry = |name: &str, shape: &str, start: u64, end: u64| {
        format!(r#""{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    let good = safetensors(&format!("{{{}}}", entry("a", "[2]", 0, 8)), 8);
    parse(&good, "good").unwrap();

    let twice = format!("{{{},{}}}", entry("a", "[2]", 0, 8), entry("a", "[2]", 0, 8));
    let error = parse(&safetensors(&twice, 8), "twice").unwrap_err();
    assert!(
        matches!(&error.problem, Problem::DuplicateName { tensor } if tensor == "a"),
        "{error}"
    );

    // Eight tensors of 2^61 bytes less a bit: their sum and the length of the header overflow 64
    // bits.
    let step = (1_u64 << 61) - 4;
    let huge: Vec<String> = (0..8)
        .map(|number| {
            entry(
                &format!("t{number}"),
                &format!("[{}]", step / 4),
                number * step,
                (number + 1) * step,
            )
        })
        .collect();
    for (header, data) in [
        (format!("{{{}}}", huge.join(",")), 8),
        (format!("{{{}}}", entry("a", "[2]", 0, 8)), 7),
        (format!("{{{}}}", entry("a", "[2]", 0, 8)), 9),
        (format!("{{{}}}", entry("a", "[3]", 0, 8)), 8),
        (format!("{{{}}}", entry("a", "[18446744073709551615,3]", 0, 8)), 8),
        (format!("{{{}}}", entry("a", "[-2]", 0, 8)), 8),
        (format!("{{{}}}", entry("a", "[2]", 8, 0)), 8),
        (
            format!("{{{},{}}}", entry("a", "[2]", 0, 8), entry("b", "[2]", 4, 12)),
            12,
        ),
        (
            format!("{{{}}}", entry("a", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]", 0, 8)),
            8,
        ),
        (format!("{{{}", "[".repeat(1000)), 8),
        ("{}".to_owned(), 0),
    ] {
        let error = parse(&safetensors(&header, data), "bad.safetensors").unwrap_err();
        assert!(error.to_string().starts_with("bad.safetensors: "), "{error}");
    }

    let mut long = good;
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let error = parse(&long, "long").unwrap_err();
    assert!(
        error.to_string().contains("ends within its safetensors header"),
        "{error}"
    );
}

/// Many tensors may share a storage, but not without limit.
#[test]
fn a_small_file_cannot_unfold_to_a_large_state_dict() {
    let elements = 4000_u16;
    let mut pickle = b"\x80\x02}(".to_vec();
    let text = |text: &str| {
        [
            &[b'X'][..],
            &u32::try_from(text.len()).unwrap().to_le_bytes(),
            text.as_bytes(),
        ]
        .concat()
    };
    let number = |value: u16| [&[b'M'][..], &value.to_le_bytes()].concat();
    for tensor in 0..1000 {
        pickle.extend(text(&format!("t{tensor}")));
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        pickle.extend(
            [
                text("storage"),
                b"ctorch\nFloatStorage\n".to_vec(),
                text("0"),
                text("cpu"),
            ]
            .concat(),
        );
        pickle.extend(number(elements));
        pickle.extend(b"tQK\x00");
        pickle.extend([number(elements), b"\x85K\x01\x85\x89}tR".to_vec()].concat());
    }
    pickle.extend(b"u.");
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
    file.extend([b"\x80\x02}".to_vec(), text("little_endian"), b"\x88s.".to_vec()].concat());
    file.extend(pickle);
    file.extend([b"\x80\x02]".to_vec(), text("0"), b"a.".to_vec()].concat());
    file.extend(u64::from(elements).to_le_bytes());
    file.resize(file.len() + 4 * usize::from(elements), 0);
    let error = parse(&file, "folded.pt").unwrap_err();
    assert!(matches!(error.problem, Problem::Expands), "{error}");
}
