//! Downloads against a server that behaves, breaks off, stalls, drips, or serves something else.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use capsnet_data::catalog::{KnownFile, KnownSet};
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::fetch::{FetchError, Progress, Step, Timeouts, check_base_url, fetch, fetch_files};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

mod server;

use server::{Manner, Server};

const NAME: &str = "images-idx3-ubyte";
const GZ: &str = "images-idx3-ubyte.gz";

/// Content that doesn't compress, so that a part of the file is a part of the content: the top bytes of a linear
/// congruential generator (Knuth's MMIX).
fn content() -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..300_000).map(|_| next()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The file the tests ask for.
fn known() -> KnownFile {
    let digest: String = Sha256::digest(content())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    KnownFile {
        name: NAME,
        gzipped: true,
        unpacked_len: content().len() as u64,
        unpacked_sha256: digest.leak(),
    }
}

/// A server with the file, an empty folder to fetch it to, and the gzipped file itself.
struct Scene {
    server: Server,
    folder: TempDir,
    stored: Vec<u8>,
}

impl Scene {
    fn new(manner: Manner) -> Self {
        let stored = gzip(&content());
        let files = HashMap::from([(GZ.to_owned(), stored.clone())]);
        Self {
            server: Server::start(files, manner),
            folder: tempfile::tempdir().unwrap(),
            stored,
        }
    }

    fn fetch(&self) -> Result<Vec<Step>, FetchError> {
        self.fetch_within(Timeouts::default())
    }

    fn fetch_within(&self, timeouts: Timeouts) -> Result<Vec<Step>, FetchError> {
        let mut steps = Vec::new();
        let base_url = &self.server.base_url;
        fetch_files(&[known()], self.folder.path(), base_url, timeouts, |progress| {
            assert_eq!((progress.file, progress.index, progress.count), (GZ, 0, 1));
            steps.push(progress.step);
        })?;
        Ok(steps)
    }

    fn assert_complete(&self) {
        let fetched = fs::read(self.folder.path().join(GZ)).unwrap();
        assert!(fetched == self.stored, "the fetched file differs");
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 1);
    }

    fn assert_nothing_there(&self) {
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_file_is_fetched_with_progress_and_then_left_alone() {
    let scene = Scene::new(Manner::Proper);
    let steps = scene.fetch().unwrap();
    scene.assert_complete();
    let len = scene.stored.len() as u64;
    let receiving = |received| Step::Receiving {
        received,
        total: Some(len),
    };
    assert_eq!(steps.first(), Some(&receiving(0)));
    assert_eq!(steps[steps.len() - 2..], [receiving(len), Step::Done]);
    assert_eq!(scene.server.take_requests(), [GZ]);

    assert_eq!(scene.fetch().unwrap(), [Step::AlreadyThere]);
    assert_eq!(scene.server.take_requests(), [""; 0]);
}

#[test]
fn an_unpacked_file_will_do() {
    let scene = Scene::new(Manner::Proper);
    fs::write(scene.folder.path().join(NAME), content()).unwrap();
    assert_eq!(scene.fetch().unwrap(), [Step::AlreadyThere]);
    assert!(!scene.folder.path().join(GZ).exists());
}

/// Weights are served as they are; gzipped bytes would not be what a reader of theirs expects under the name.
#[test]
fn a_file_that_is_not_gzipped_is_fetched_as_it_is() {
    let file = KnownFile {
        gzipped: false,
        ..known()
    };
    for (served, taken) in [(content(), true), (gzip(&content()), false)] {
        let server = Server::start(HashMap::from([(NAME.to_owned(), served)]), Manner::Proper);
        let folder = tempfile::tempdir().unwrap();
        let fetched = fetch_files(&[file], folder.path(), &server.base_url, Timeouts::default(), |_| {});
        assert_eq!(fetched.is_ok(), taken, "{fetched:?}");
        assert_eq!(fs::read(folder.path().join(NAME)).ok(), taken.then(content));
    }
}

#[test]
fn a_damaged_file_is_replaced() {
    let scene = Scene::new(Manner::Proper);
    for damaged in [&b""[..], b"\x1f\x8b\x08", b"not gzip at all"] {
        fs::write(scene.folder.path().join(GZ), damaged).unwrap();
        assert_eq!(scene.fetch().unwrap().last(), Some(&Step::Done));
        scene.assert_complete();
    }
}

/// What has come by then is told, nothing is kept, and the next run fetches the file.
#[test]
fn a_download_that_breaks_off() {
    let impatient = Timeouts {
        stall: Duration::from_secs(2),
        ..Timeouts::default()
    };
    for (manner, timeouts) in [
        (Manner::CutsAfter(100_000), Timeouts::default()),
        (Manner::StallsAfter(100_000), impatient),
    ] {
        let scene = Scene::new(manner);
        let error = scene.fetch_within(timeouts).unwrap_err();
        assert!(
            matches!(error, FetchError::Interrupted { received: 100_000, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("Run the command again"));
        scene.assert_nothing_there();
        scene.server.set_manner(Manner::Proper);
        scene.fetch().unwrap();
        scene.assert_complete();
    }
}

/// Where the server doesn't say how much there is, the checksum does.
#[test]
fn a_download_that_just_ends() {
    let scene = Scene::new(Manner::EndsAfter(1000));
    let error = scene.fetch().unwrap_err();
    assert!(matches!(error, FetchError::WrongContent { .. }), "{error}");
    scene.assert_nothing_there();
}

/// A byte now and then is progress, but not for ever.
#[test]
fn a_server_that_drips_is_given_up() {
    let scene = Scene::new(Manner::Drips);
    let limited = Timeouts {
        file: Duration::from_secs(1),
        ..Timeouts::default()
    };
    let error = scene.fetch_within(limited).unwrap_err();
    assert!(matches!(error, FetchError::Interrupted { .. }), "{error}");
    scene.assert_nothing_there();
}

#[test]
fn headers_that_drip_are_given_up() {
    let scene = Scene::new(Manner::DripsHeaders);
    let limited = Timeouts {
        connect: Duration::from_secs(1),
        ..Timeouts::default()
    };
    let error = scene.fetch_within(limited).unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    scene.assert_nothing_there();
}

#[test]
fn redirects_are_followed_to_files_and_nowhere_else() {
    let scene = Scene::new(Manner::Redirects("/there"));
    scene.server.set_file("there", scene.stored.clone());
    scene.fetch().unwrap();
    scene.assert_complete();
    // In a circle, to files of this machine, to another protocol, to nothing.
    for to in [
        "/images-idx3-ubyte.gz",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://",
        "",
    ] {
        let scene = Scene::new(Manner::Redirects(to));
        scene.fetch().unwrap_err();
        scene.assert_nothing_there();
    }
}

#[test]
fn a_part_that_was_not_asked_for_is_not_taken() {
    let scene = Scene::new(Manner::SendsPart);
    let error = scene.fetch().unwrap_err();
    assert!(matches!(error, FetchError::HttpStatus { status: 206, .. }), "{error}");
    scene.assert_nothing_there();
}

#[test]
fn wrong_content_is_refused_with_both_checksums_told() {
    let scene = Scene::new(Manner::Proper);
    let mut altered = content();
    altered[1234] ^= 1;
    let digest: String = Sha256::digest(&altered)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for (wrong, found) in [
        (gzip(&altered), digest.as_str()),
        (gzip(&content()[1..]), "SHA-256"),
        (gzip(&[content(), vec![0]].concat()), "more than 300000"),
        (b"<html>sign in first</html>".to_vec(), "SHA-256"),
        ([&b"\x1f\x8b"[..], &[0; 100]].concat(), "not taken"),
    ] {
        scene.server.set_file(GZ, wrong);
        let error = scene.fetch().unwrap_err();
        assert!(matches!(error, FetchError::WrongContent { .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains(known().unpacked_sha256), "{message}");
        assert!(message.contains(found), "{message}");
        scene.assert_nothing_there();
    }
}

#[test]
fn http_errors_are_told_with_url_and_status() {
    let scene = Scene::new(Manner::Status(503));
    let message = scene.fetch().unwrap_err().to_string();
    assert!(message.contains("503"), "{message}");
    assert!(
        message.contains(&format!("{}/{GZ}", scene.server.base_url)),
        "{message}"
    );
    scene.assert_nothing_there();
}

#[test]
fn too_much_is_refused_before_or_while_it_is_received() {
    for manner in [Manner::Promises(1 << 40), Manner::SendsWithoutEnd] {
        let scene = Scene::new(manner);
        let error = scene.fetch().unwrap_err();
        assert!(matches!(error, FetchError::TooLarge { .. }), "{error}");
        scene.assert_nothing_there();
    }
}

#[test]
fn an_unreachable_server_and_a_bad_url_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    // A port that was free a moment ago, and that nobody listens on.
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let get = |url: &str| fetch_files(&[known()], folder.path(), url, Timeouts::default(), |_| {}).unwrap_err();
    let error = get(&format!("http://127.0.0.1:{port}"));
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    for (url, fault) in [
        ("ftp://127.0.0.1/", "http://"),
        ("file:///etc", "http://"),
        ("", "http://"),
        ("http://", "no host"),
        ("https:///mirror", "no host"),
        ("http://:80/", "no host"),
        ("http://127.0.0.1:99999/", "port"),
        ("http://127.0.0.1:0", "port"),
        ("http://127.0.0.1:/", "port"),
        ("http://user:word@127.0.0.1:+80", "port"),
        ("http://[::1]:65536/", "port"),
        ("http://127.0.0.1:1/a b", "space"),
        ("http://127.0.0.1:1/?file=", "lost"),
        ("http://127.0.0.1:1/#", "lost"),
    ] {
        let error = get(url);
        assert!(matches!(error, FetchError::BadBaseUrl { .. }), "{url}: {error}");
        assert!(error.to_string().contains(fault), "{url}: {error}");
    }
    for url in [
        "HTTP://[::1]/",
        "https://user:word@mirror.test:65535/a/b",
        "http://127.0.0.1:1",
    ] {
        check_base_url(url).unwrap();
    }
}

/// TLS is built in: it is what the server hears, and an answer in the clear is an error.
#[test]
fn https_is_spoken_to_a_server_that_does_not() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let heard = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut first = [0];
        stream.read_exact(&mut first).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        first[0]
    });
    let folder = tempfile::tempdir().unwrap();
    let error = fetch_files(&[known()], folder.path(), &url, Timeouts::default(), |_| {}).unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    const TLS_HANDSHAKE: u8 = 22;
    assert_eq!(heard.join().unwrap(), TLS_HANDSHAKE);
}

#[test]
fn a_folder_that_can_not_be_made_is_told() {
    let scene = Scene::new(Manner::Proper);
    let taken = scene.folder.path().join("taken");
    fs::write(&taken, "").unwrap();
    let error = fetch_files(
        &[known()],
        &taken.join("below"),
        &scene.server.base_url,
        Timeouts::default(),
        |_| {},
    )
    .unwrap_err();
    assert!(matches!(error, FetchError::Disk { .. }), "{error}");
    assert!(error.to_string().contains("taken"), "{error}");
}

#[test]
fn the_whole_of_mnist_is_fetched_and_loads() {
    let origin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mnist");
    let files = KnownSet::Mnist
        .files()
        .map(|file| format!("{}.gz", file.name))
        .map(|name| (name.clone(), fs::read(origin.join(name)).unwrap()));
    let server = Server::start(HashMap::from(files), Manner::Proper);
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("new/mnist");
    let mut done = Vec::new();
    let base = KnownSet::Mnist.base_url(Some(&format!("{}/", server.base_url)));
    fetch(KnownSet::Mnist, &cache, &base, |progress: Progress| {
        if progress.step == Step::Done {
            done.push((progress.index, progress.count));
        }
    })
    .unwrap();
    assert_eq!(done, [(0, 4), (1, 4), (2, 4), (3, 4)]);
    let test = Dataset::load(&cache, Split::Test).unwrap();
    assert_eq!(test.len(), 10_000);
}
