//! The data sets known by name: their files, checksums, mirrors and class names.
//!
//! SHA-256 is of the *unpacked* files, because the same content is found gzipped in several ways (with and without a
//! file name and time in the gzip header, or at another compression level).
//!
//! MNIST: Yann LeCun and Corinna Cortes, CC BY-SA 3.0. Fashion-MNIST: Zalando Research, MIT; its checksums are of the
//! content whose gzipped form has the MD5 sums published in <https://github.com/zalandoresearch/fashion-mnist>.

use crate::table::table;

/// What is known of a set.
struct Row {
    name: &'static str,
    class_names: [&'static str; 10],
    base_url: &'static str,
    /// Of the unpacked files: training images and labels, test images and labels.
    sha256: [&'static str; 4],
}

table! {
    /// A data set that can be looked up and fetched by name.
    pub enum KnownSet: Row, "data set", UnknownSet {
        /// Handwritten digits: 60,000 for training, 10,000 for testing, 28x28 pixels, ten classes.
        Mnist {
            name: "mnist",
            class_names: ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
            base_url: "https://ossci-datasets.s3.amazonaws.com/mnist/",
            sha256: [
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ],
        }
        /// Pictures of clothes and shoes in exactly MNIST's form.
        FashionMnist {
            name: "fashion-mnist",
            class_names: [
                "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                "Ankle boot",
            ],
            base_url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            sha256: [
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ],
        }
    }
}

/// One file of known content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Its name, without `.gz`.
    pub name: &'static str,
    /// Whether it is served gzipped, as NAME.gz.
    pub gzipped: bool,
    /// Length of the unpacked file in bytes.
    pub unpacked_len: u64,
    /// SHA-256 of the unpacked file, in lower-case hexadecimal.
    pub unpacked_sha256: &'static str,
}

/// The environment variable that names a mirror, used where no base URL is given.
pub const BASE_URL_VARIABLE: &str = "CAPSNET_BASE_URL";

impl KnownSet {
    /// What the classes are called, by label.
    pub const fn class_names(self) -> [&'static str; 10] {
        self.row().class_names
    }

    /// Where the gzipped files are served to the public.
    pub const fn default_base_url(self) -> &'static str {
        self.row().base_url
    }

    /// Where to fetch the files from: the given address, that of `CAPSNET_BASE_URL`, or the public mirror.
    pub fn base_url(self, given: Option<&str>) -> String {
        given
            .map(str::to_owned)
            .or_else(|| std::env::var(BASE_URL_VARIABLE).ok().filter(|url| !url.is_empty()))
            .unwrap_or_else(|| self.default_base_url().to_owned())
    }

    /// The four files: training images and labels, test images and labels.
    pub const fn files(self) -> [KnownFile; 4] {
        let [train_images, train_labels, test_images, test_labels] = self.row().sha256;
        [
            KnownFile {
                name: "train-images-idx3-ubyte",
                gzipped: true,
                unpacked_len: 16 + 60_000 * 28 * 28,
                unpacked_sha256: train_images,
            },
            KnownFile {
                name: "train-labels-idx1-ubyte",
                gzipped: true,
                unpacked_len: 8 + 60_000,
                unpacked_sha256: train_labels,
            },
            KnownFile {
                name: "t10k-images-idx3-ubyte",
                gzipped: true,
                unpacked_len: 16 + 10_000 * 28 * 28,
                unpacked_sha256: test_images,
            },
            KnownFile {
                name: "t10k-labels-idx1-ubyte",
                gzipped: true,
                unpacked_len: 8 + 10_000,
                unpacked_sha256: test_labels,
            },
        ]
    }
}
