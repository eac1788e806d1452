use super::*;
use std::io::Write;
use std::thread;

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn write_text(path: &Path, text: &str) -> io::Result<()> {
    atomic_write(path, |file| file.write_all(text.as_bytes()))
}

#[test]
fn creates_and_replaces_and_leaves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    write_text(&path, "old").unwrap();
    write_text(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(names_in(folder.path()), ["weights"]);
}

#[test]
fn a_failing_writer_leaves_the_old_file_and_no_temporary() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    write_text(&path, "old").unwrap();
    let result = atomic_write(&path, |file| {
        file.write_all(b"half of the n")?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    });
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(names_in(folder.path()), ["weights"]);
}

#[test]
fn a_missing_folder_and_what_is_no_file_are_errors_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("taken")).unwrap();
    let missing = folder.path().join("absent").join("weights");
    assert_eq!(write_text(&missing, "").unwrap_err().kind(), io::ErrorKind::NotFound);
    for path in [folder.path().join("taken"), folder.path().join("taken/.."), "/".into()] {
        let error = write_text(&path, "text").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{}: {error}", path.display());
    }
    assert_eq!(names_in(folder.path()), ["taken"]);
}

/// A named file that is being written stays, the other three of this form go.
#[test]
fn leftovers_go_and_neighbours_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last");
    for name in [
        ".last.x7.capsnet.tmp",
        ".last.capsnet.tmp",
        ".a.capsnet.tmp",
        "last.tmp",
        ".tmp",
    ] {
        fs::write(folder.path().join(name), "half").unwrap();
    }
    let written = folder.path().join(".best.capsnet.tmp");
    let writer = File::create(&written).unwrap();
    writer.lock().unwrap();
    remove_leftovers(folder.path()).unwrap();
    assert_eq!(names_in(folder.path()), [".best.capsnet.tmp", ".tmp", "last.tmp"]);
    drop(writer);
    write_text(&path, "whole").unwrap();
    assert_eq!(names_in(folder.path()), [".tmp", "last", "last.tmp"]);
}

#[test]
fn several_writers_of_one_file_leave_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points");
    let texts: Vec<String> = (1..=4).map(|digit| digit.to_string().repeat(10_000 * digit)).collect();
    thread::scope(|scope| {
        for text in &texts {
            scope.spawn(|| (0..30).for_each(|_| write_text(&path, text).unwrap()));
        }
    });
    assert!(texts.contains(&fs::read_to_string(&path).unwrap()));
    assert_eq!(names_in(folder.path()), ["points"]);
}

/// As on a file system without unnamed files.
#[test]
fn a_draft_with_a_name_is_put_in_place_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last");
    for text in ["old", "new"] {
        let target = Target::new(&path).unwrap();
        let (mut file, name) = target.named_draft().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let names = names_in(folder.path());
        assert!(
            names[0].starts_with(".last.") && names[0].ends_with(SUFFIX),
            "{names:?}"
        );
        target.publish(&file, Some(name)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(names_in(folder.path()), ["last"]);
    }
}

#[cfg(unix)]
mod on_unix {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::process::Command;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_new_file_has_the_usual_permissions_and_an_old_one_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let [path, usual] = ["weights", "usual"].map(|name| folder.path().join(name));
        File::create(&usual).unwrap();
        write_text(&path, "old").unwrap();
        assert_eq!(mode(&path), mode(&usual));
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        write_text(&path, "new").unwrap();
        assert_eq!(mode(&path), 0o640);
        let (_file, name) = Target::new(&folder.path().join("named"))
            .unwrap()
            .named_draft()
            .unwrap();
        assert_eq!(mode(&name), mode(&usual));
    }

    #[test]
    fn a_link_is_followed_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let [path, link] = ["weights", "latest"].map(|name| folder.path().join(name));
        fs::write(&path, "old").unwrap();
        symlink("weights", &link).unwrap();
        write_text(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        symlink("nowhere", folder.path().join("dangling")).unwrap();
        let error = write_text(&folder.path().join("dangling"), "new").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn devices_and_pipes_are_refused_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [pipe.as_path(), Path::new("/dev/null")] {
            let error = write_text(path, "text").unwrap_err();
            assert!(error.to_string().contains("a device or a pipe"), "{error}");
        }
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        assert!(fs::symlink_metadata("/dev/null").unwrap().file_type().is_char_device());
    }
}
