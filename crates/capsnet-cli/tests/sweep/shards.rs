//! A sweep in shares: put together, its files have the bytes of one that was never cut.

use std::fs;
use std::path::Path;

use capsnet_data::lock::FolderLock;

use crate::support::{capsnet, names_in};
use crate::{prepared, read, swept, words};

const VALUES: [&str; 2] = ["--rotate=0..60:15", "--noise=0,20"];

fn share(root: &Path, shard: &str) -> serde_json::Value {
    swept(root, &[&VALUES[..], &["--shard", shard]].concat())
}

#[test]
fn shares_put_together_have_the_bytes_of_the_whole() {
    let [whole, cut] = [prepared(), prepared()];
    let [whole, cut] = [whole.path(), cut.path()];
    capsnet(whole, words(&VALUES)).done();

    // Two models at the first, fourth and seventh of seven values, and so on.
    let counts = ["1/3", "2/3", "3/3"].map(|shard| share(cut, shard)["points"].as_u64().unwrap());
    assert_eq!(counts, [6, 4, 4]);
    assert_eq!(names_in(&cut.join("out")), ["shards"]);
    // A share that is done is not measured once more.
    let file = cut.join("out/shards/2-of-3/sweep.json");
    let before = fs::read(&file).unwrap();
    let printed = capsnet(cut, words(&[&VALUES[..], &["--shard=2/3"]].concat()));
    assert!(
        printed.stderr.contains("4 of 14 points were measured before"),
        "{printed:?}"
    );
    let printed = printed.done();
    let command = "capsnet sweep --data digits --out out --weights LeNet=lenet5.safetensors Caps=tiny.pt";
    assert!(printed.contains(command) && !printed.contains("--shard"), "{printed}");
    assert_eq!(fs::read(&file).unwrap(), before);

    let run = capsnet(cut, words(&VALUES));
    assert!(run.stderr.contains("14 of 14 points were measured before"), "{run:?}");
    run.done();
    for name in names_in(&whole.join("out")) {
        let bytes = |root: &Path| fs::read(root.join("out").join(&name)).unwrap();
        assert!(bytes(whole) == bytes(cut), "{name}");
    }
}

#[test]
fn what_a_share_lacks_is_measured_and_what_is_of_another_sweep_is_left_out() {
    let folder = prepared();
    let root = folder.path();
    share(root, "1/2");
    swept(root, &[&VALUES[..], &["--shard", "2/2", "--seed", "2"]].concat());
    let run = capsnet(root, words(&VALUES));
    for part in [
        "2-of-2/sweep.json is left out",
        "another seed",
        "8 of 14 points were measured before",
    ] {
        assert!(run.stderr.contains(part), "no `{part}` in {run:?}");
    }
    run.done();
    assert_eq!(read(&root.join("out/sweep.json"))["complete"], true);
}

#[test]
fn the_whole_waits_for_its_shares_and_a_share_for_the_whole() {
    let folder = prepared();
    let root = folder.path();
    let out = root.join("out");
    fs::create_dir(&out).unwrap();
    let shared = FolderLock::share(&out, "a share of a sweep").unwrap();
    share(root, "1/3");
    capsnet(root, words(&VALUES)).fails(1, &["--out", "a share of a sweep"]);
    drop(shared);
    let alone = FolderLock::take(&out, "a sweep").unwrap();
    capsnet(root, words(&["--rotate=0", "--shard", "1/3"])).fails(1, &["--out", "a sweep"]);
    drop(alone);
    let wrong = capsnet(root, words(&["--shard", "4/3"]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("2/3 for the second of three"), "{wrong:?}");
}
