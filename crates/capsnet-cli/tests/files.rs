//! Pictures that can't be read and places that can't be written: exit code 1 and a message that names the file.

mod support;

use std::fs;
use std::path::Path;

use support::{SIDE, capsnet, digit, fixture, names_in, text, write_data, write_lenet5};
use tempfile::{TempDir, tempdir};

/// A folder with LeNet-5 weights, a picture of a digit and the synthetic data set.
fn prepared() -> TempDir {
    let folder = tempdir().unwrap();
    write_lenet5(folder.path());
    write_data(folder.path());
    capsnet_data::picture::write_png_gray(&folder.path().join("digit.png"), SIDE, SIDE, &digit(0)).unwrap();
    folder
}

/// `predict` refuses a picture with these bytes, for the reasons in `parts`.
#[track_caller]
fn picture_refused(bytes: &[u8], parts: &[&str]) {
    let folder = prepared();
    let root = folder.path();
    fs::write(root.join("odd.png"), bytes).unwrap();
    let mut expected = parts.to_vec();
    expected.push("odd.png");
    // A good picture before it is answered, and the bad one makes the code 1.
    let args = [
        "predict",
        "lenet5",
        "digit.png",
        "odd.png",
        "--weights",
        "lenet5.safetensors",
        "--out",
        "out",
    ];
    let run = capsnet(root, args);
    assert!(
        run.stdout.contains("digit.png") && !run.stdout.contains("odd.png"),
        "{run:?}"
    );
    let stdout = String::new();
    support::Run { stdout, ..run }.fails(1, &expected);
}

/// The signature and the header chunk of a grey PNG of this size, without the pixels.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 0, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&chunk);
    png.extend(crc32(&chunk).to_be_bytes());
    // The beginning of a data chunk, so that a decoder has something to start on.
    png.extend(b"\0\0\x10\0IDAT\x78\x9c");
    png
}

/// The checksum of PNG chunks (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let remainder = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    });
    !remainder
}

#[test]
fn empty_picture() {
    picture_refused(b"", &["empty"]);
}

#[test]
fn enormous_picture() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of this checksum");
    picture_refused(&png_header(30_000, 30_000), &["30000x30000"]);
}

#[test]
fn picture_that_is_text() {
    picture_refused(b"This is a digit: 7\n", &["no picture of a format that is read", "PNG"]);
}

#[test]
fn truncated_picture() {
    let folder = prepared();
    let whole = fs::read(folder.path().join("digit.png")).unwrap();
    picture_refused(&whole[..whole.len() / 2], &["truncated"]);
    picture_refused(&png_header(28, 28), &["truncated"]);
}

#[test]
fn picture_that_is_absent_or_a_folder() {
    let folder = prepared();
    for name in ["absent.png", "digits"] {
        let args = ["predict", "lenet5", name, "--weights", "lenet5.safetensors"];
        capsnet(folder.path(), args).fails(1, &[name]);
    }
}

/// Every command that writes, told to write to `out` inside something that is no folder.
fn writers(out: &str) -> [Vec<&str>; 5] {
    [
        vec!["train", "lenet5", "--data", "digits", "--validation", "0", "--out", out],
        vec![
            "test",
            "lenet5",
            "--data",
            "digits",
            "--weights",
            "lenet5.safetensors",
            "--out",
            out,
        ],
        vec![
            "predict",
            "lenet5",
            "digit.png",
            "--weights",
            "lenet5.safetensors",
            "--out",
            out,
        ],
        vec!["compare", "--data", "digits", "--out", out],
        vec!["convert", "lenet5.safetensors", out],
    ]
}

/// Permissions don't stop root, but nobody can make a folder inside a file.
#[test]
fn unwritable_output_folder() {
    let folder = prepared();
    let root = folder.path();
    fs::write(root.join("plain"), "text").unwrap();
    for args in writers("plain/out") {
        capsnet(root, args).fails(1, &["plain/out"]);
    }
    assert_eq!(fs::read(root.join("plain")).unwrap(), b"text");
}

#[test]
fn output_file_that_is_a_folder() {
    let folder = prepared();
    let root = folder.path();
    fs::create_dir(root.join("taken")).unwrap();
    capsnet(root, ["convert", "lenet5.safetensors", "taken"]).fails(1, &["taken"]);
    assert_eq!(names_in(root), ["digit.png", "digits", "lenet5.safetensors", "taken"]);
}

/// Root may replace a device by a file, and nobody would want that.
#[cfg(unix)]
#[test]
fn output_file_that_is_a_device_or_a_pipe() {
    use std::os::unix::fs::FileTypeExt;

    let folder = prepared();
    let root = folder.path();
    let made = std::process::Command::new("mkfifo").arg(root.join("pipe")).status();
    assert!(made.unwrap().success());
    for name in ["/dev/full", "pipe"] {
        capsnet(root, ["convert", "lenet5.safetensors", name]).fails(1, &[name, "a device or a pipe"]);
    }
    assert!(fs::symlink_metadata("/dev/full").unwrap().file_type().is_char_device());
    assert!(fs::symlink_metadata(root.join("pipe")).unwrap().file_type().is_fifo());
    assert_eq!(names_in(root), ["digit.png", "digits", "lenet5.safetensors", "pipe"]);
}

#[test]
fn folder_without_a_run_cannot_be_resumed() {
    let folder = prepared();
    for name in ["digits", "absent"] {
        capsnet(folder.path(), ["train", "lenet5", "--resume", name]).fails(1, &[name, "no run to resume"]);
    }
}

/// Results that can't be printed because the disk is full.
#[cfg(target_os = "linux")]
#[test]
fn full_disk_under_standard_output() {
    let folder = prepared();
    let root = folder.path();
    let tiny = fixture("tiny_capsnet_zip.pt");
    for args in [
        vec!["info", "lenet5.safetensors"],
        vec!["info", "lenet5.safetensors", "--json"],
        vec!["convert", text(&tiny), "out.safetensors"],
        vec!["predict", "lenet5", "digit.png", "--weights", "lenet5.safetensors"],
        vec![
            "test",
            "lenet5",
            "--data",
            "digits",
            "--weights",
            "lenet5.safetensors",
            "--json",
        ],
        vec!["--help"],
        vec!["train", "--help"],
        vec!["help", "sweep"],
        vec!["--version"],
        vec!["completions", "bash"],
        vec!["man", "--out", "pages"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = support::command(root).args(args).stdout(full).output().unwrap();
        support::Run::from(output).fails(1, &["standard output", "No space left"]);
    }
}

/// A limit on the size of files, in blocks of 512 bytes, fails a write halfway as a full disk does. The shell ignores
/// the signal that comes with it, as a disk sends none.
#[cfg(target_os = "linux")]
fn with_full_disk(root: &Path, blocks: u32, args: &[&str]) -> support::Run {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let output = std::process::Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_capsnet")])
        .args(args)
        .current_dir(root)
        .env_remove("CAPSNET_DATA")
        .output()
        .unwrap();
    support::Run::from(output)
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_under_a_weights_file() {
    let folder = prepared();
    let root = folder.path();
    fs::write(root.join("out.safetensors"), "the file before").unwrap();
    let run = with_full_disk(root, 64, &["convert", "lenet5.safetensors", "out.safetensors"]);
    run.fails(1, &["out.safetensors", "cannot be written"]);
    // The old file is whole and no half one lies about.
    assert_eq!(fs::read(root.join("out.safetensors")).unwrap(), b"the file before");
    assert_eq!(
        names_in(root),
        ["digit.png", "digits", "lenet5.safetensors", "out.safetensors"]
    );
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_under_a_run() {
    let folder = prepared();
    let root = folder.path();
    let train = [
        "train",
        "lenet5",
        "--data",
        "digits",
        "--validation",
        "0",
        "--epochs",
        "1",
        "--out",
        "run",
    ];
    // Room for weights (180 kB) but not for a checkpoint (three times that).
    with_full_disk(root, 500, &train).fails(1, &["state.next.safetensors", "cannot be written"]);
    assert_eq!(names_in(&root.join("run/checkpoint")), [""; 0], "half a checkpoint");
    // With room again, the same run goes on.
    capsnet(root, ["train", "lenet5", "--resume", "run"]).done();
    assert!(root.join("run/last.safetensors").is_file());
}
