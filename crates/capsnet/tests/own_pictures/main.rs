//! Pictures as people have them: digits on pages of many kinds are read as well as MNIST's own images.

mod pages;

use burn::prelude::*;
use capsnet::data::dataset::{Dataset, Split};
use capsnet::data::picture::Picture;
use capsnet::data::random::Seed;
use capsnet::model::{Classifier, ImageShape, Input, Model};
use capsnet::predict::{PictureOptions, SeeError, predict, see};
use capsnet::pretrained;
use pages::{Paper, Pen, Style};

fn digits() -> Dataset {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/mnist");
    Dataset::load(folder.as_ref(), Split::Test).unwrap()
}

fn models() -> [Model; 2] {
    let device = Device::flex();
    [
        pretrained::lenet5(&device).unwrap().valid(),
        pretrained::capsnet(&device).unwrap().valid(),
    ]
}

/// How many of `count` test digits, each on a page of this style, LeNet-5 and CapsNet read right.
fn right(style: &Style, count: usize, seed: u64) -> [usize; 2] {
    let (data, seed) = (digits(), Seed(seed));
    let indices = seed.permutation(data.len(), "pages", 0);
    let indices = &indices[..count];
    models().map(|model| {
        let input = model.input();
        let look = |&index: &usize| {
            let page = style.page(&data, index, seed);
            // A page on which nothing is found counts as read wrong.
            see(&page, &input, &PictureOptions::default()).map_or_else(|_| vec![0; 784], |seen| seen.image)
        };
        let images: Vec<Vec<u8>> = indices.iter().map(look).collect();
        let answers = predict(&model, &images, &Device::flex());
        let truth = indices.iter().map(|&index| usize::from(data.label(index)));
        answers
            .iter()
            .zip(truth)
            .filter(|(answer, truth)| answer.class == *truth)
            .count()
    })
}

/// Asserts that both models read at least `least` of `count` right.
#[track_caller]
fn reads(style: &Style, count: usize, least: usize, seed: u64) {
    let right = right(style, count, seed);
    assert!(
        right.iter().all(|&right| right >= least),
        "{right:?} of {count} for {style:?}"
    );
}

fn page() -> Style {
    Style::new(400, 400, 200)
}

/// Grey ink on paper that is not white, with noise.
fn photo() -> Style {
    Style {
        ink: 0.15,
        noise: 0.02,
        ..page()
    }
}

#[test]
fn dark_on_white_at_random_places() {
    reads(&page(), 100, 97, 1);
    reads(&Style::new(640, 480, 300), 100, 97, 2);
}

#[test]
fn uneven_paper() {
    let papers = [
        Paper::Gradient(0.9, 0.35),
        Paper::Shadow(0.85, 0.45, 80.0),
        Paper::Vignette(0.9),
    ];
    let mut right_of = [0, 0];
    for (seed, paper) in (3..).zip(papers) {
        let right = right(&Style { paper, ..photo() }, 12, seed);
        right_of = [right_of[0] + right[0], right_of[1] + right[1]];
    }
    assert!(right_of.iter().all(|&right| right >= 33), "{right_of:?} of 36");
}

#[test]
fn noise_pencil_and_sharp_shadows() {
    let noisy = Style {
        paper: Paper::Even(0.7),
        noise: 0.1,
        ..photo()
    };
    let pencil = Style {
        paper: Paper::Gradient(0.9, 0.7),
        ink: 0.6,
        ..photo()
    };
    let shadow = Style {
        paper: Paper::Shadow(0.85, 0.55, 6.0),
        ..photo()
    };
    reads(&noisy, 20, 19, 6);
    reads(&pencil, 20, 19, 7);
    reads(&shadow, 20, 16, 8);
}

#[test]
fn pens_of_other_widths_and_digits_of_other_sizes() {
    for (seed, pen) in (9..).zip([Pen::Sharp, Pen::Thin, Pen::Thick]) {
        reads(&Style { pen, ..page() }, 20, 18, seed);
    }
    for (seed, digit) in (12..).zip([24, 60, 350]) {
        reads(&Style { digit, ..page() }, 20, 18, seed);
    }
    // 8 mm high on a scanned A4 page, of 150 dots an inch: a few dozen pixels of ink once that is reduced.
    let scan = Style::new(1240, 1754, 47);
    reads(&scan, 20, 18, 22);
    reads(&Style { noise: 0.02, ..scan }, 20, 16, 23);
}

#[test]
fn bright_ink_and_transparent_grounds() {
    let dark = Style {
        paper: Paper::Even(0.0),
        ink: 1.0,
        ..page()
    };
    let board = Style {
        paper: Paper::Gradient(0.1, 0.4),
        ink: 0.9,
        noise: 0.03,
        ..page()
    };
    let clear = |ink| Style {
        paper: Paper::Transparent,
        ink,
        ..page()
    };
    for (seed, style) in (15..).zip([dark, board, clear(0.0), clear(1.0)]) {
        reads(&style, 20, 19, seed);
    }
}

#[test]
fn ruled_paper_and_a_sheet_on_a_desk() {
    for (seed, paper) in (19..).zip([Paper::Ruled(0.95, 0.6), Paper::Ruled(0.95, 0.2), Paper::Desk(0.9, 0.3)]) {
        reads(&Style { paper, ..photo() }, 20, 18, seed);
    }
}

fn input() -> Input {
    models()[0].input()
}

/// White, black, grey, transparent, a shadow and noise: no answer.
#[test]
fn pages_without_ink_have_nothing_to_recognise() {
    let data = digits();
    let levels = |level: u8| Picture::grey(300, 300, &vec![level; 300 * 300]).unwrap();
    let mut pages = vec![
        levels(0),
        levels(128),
        levels(255),
        Picture::rgba(50, 50, &[0; 50 * 50 * 4]).unwrap(),
    ];
    pages.push(Picture::grey(28, 28, &[7; 784]).unwrap());
    let papers = [
        (Paper::Even(0.6), 0.0),
        (Paper::Even(0.6), 0.03),
        (Paper::Gradient(0.9, 0.3), 0.03),
        (Paper::Shadow(0.85, 0.5, 40.0), 0.0),
        (Paper::Vignette(0.9), 0.01),
        (Paper::Vignette(0.7), 0.0),
    ];
    for (paper, noise) in papers {
        let style = Style { paper, noise, ..page() };
        pages.push(style.empty_page(&data, Seed(1)));
    }
    for (number, page) in pages.iter().enumerate() {
        let seen = see(page, &input(), &PictureOptions::default());
        assert!(matches!(seen, Err(SeeError::Nothing(_))), "page {number}");
    }
}

/// MNIST's own images are left as they are, bright on dark and dark on bright.
#[test]
fn prepared_images_are_left() {
    let (data, input) = (digits(), input());
    let left = (0..data.len()).filter(|&index| {
        let image = data.image(index);
        let inverse: Vec<u8> = image.iter().map(|level| 255 - level).collect();
        [image, &inverse].iter().all(|levels| {
            let picture = Picture::grey(28, 28, levels).unwrap();
            let seen = see(&picture, &input, &PictureOptions::default()).unwrap();
            seen.image == image
        })
    });
    assert!(left.count() >= 9_990);
}

#[test]
fn sizes_other_than_mnist_s_have_their_own_box() {
    let page = page().page(&digits(), 0, Seed(1));
    for (height, width) in [(32, 32), (56, 56), (28, 40)] {
        let image = ImageShape {
            channels: 1,
            height,
            width,
        };
        let seen = see(&page, &Input { image, ..input() }, &PictureOptions::default()).unwrap();
        let rows: Vec<usize> = (0..height)
            .filter(|&y| seen.image[y * width..][..width].iter().any(|&level| level > 50))
            .collect();
        let tall = rows[rows.len() - 1] - rows[0] + 1;
        let side = height.min(width) * 20 / 28;
        assert!(tall.abs_diff(side) <= 1, "{tall} rows of {height}");
    }
}
