//! Writes the digits that are compiled in (`capsnet_data::embedded`): in a checkout,
//! `cargo run --release -p capsnet-data --example embed_digits`.

use std::fs;
use std::io::Write;
use std::path::Path;

use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::embedded::{DIGITS, SEED};
use capsnet_data::idx::{write_idx_images, write_idx_labels};
use flate2::{Compression, GzBuilder};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let digits = Dataset::load(&here.join("../../data/mnist"), Split::Test)?.sample(DIGITS, SEED);
    let raw = tempfile::tempdir()?;
    let [images, labels] = ["sample-images-idx3-ubyte", "sample-labels-idx1-ubyte"];
    write_idx_images(
        &raw.path().join(images),
        digits.height(),
        digits.width(),
        digits.pixels(),
    )?;
    write_idx_labels(&raw.path().join(labels), digits.labels())?;
    for name in [images, labels] {
        // Neither a name nor a time in the header: the same bytes every time.
        let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
        packed.write_all(&fs::read(raw.path().join(name))?)?;
        fs::write(here.join("embedded").join(format!("{name}.gz")), packed.finish()?)?;
    }
    Ok(())
}
