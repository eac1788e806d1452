//! Pages with a digit on them, drawn from images of MNIST by rules and a seed.

use capsnet::data::dataset::Dataset;
use capsnet::data::picture::Picture;
use capsnet::data::random::Seed;
use rand::Rng;

/// How a page looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Rows of the digit, from its uppermost to its lowest ink.
    pub(crate) digit: usize,
    pub(crate) pen: Pen,
    pub(crate) paper: Paper,
    /// Grey of the ink, 0 for black.
    pub(crate) ink: f32,
    /// Deviation of the noise, in grey.
    pub(crate) noise: f32,
}

/// The stroke's width, beside MNIST's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pen {
    /// Soft as the enlarged image is.
    Soft,
    /// Sharp, as wide as MNIST's.
    Sharp,
    Thin,
    Thick,
}

/// What the digit is drawn on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Paper {
    /// Of one grey.
    Even(f32),
    /// From one side to the other, in any direction.
    Gradient(f32, f32),
    /// A shadow over a part of a paper of the first grey; its edge is so many pixels soft.
    Shadow(f32, f32, f32),
    /// Darker towards the corners, as a lens makes it.
    Vignette(f32),
    /// Lines of a grey across the page.
    Ruled(f32, f32),
    /// A sheet that lies on a desk of the second grey.
    Desk(f32, f32),
    /// Nothing: the page is its ink's alpha.
    Transparent,
}

impl Style {
    pub(crate) fn new(width: usize, height: usize, digit: usize) -> Self {
        Self {
            width,
            height,
            digit,
            pen: Pen::Soft,
            paper: Paper::Even(1.0),
            ink: 0.0,
            noise: 0.0,
        }
    }

    /// The page with image `index` of a data set on it.
    pub(crate) fn page(&self, data: &Dataset, index: usize, seed: Seed) -> Picture {
        let mut rng = seed.stream("page", index as u64, 0);
        let image = Image::of(data, index);
        let (top, bottom, left, right) = image.ink();
        let tall = self.digit as f32 / (bottom - top + 1) as f32;
        // A wide digit is drawn lower, or it would leave the page.
        let scale = tall.min(0.9 * self.width as f32 / (right - left + 1) as f32);
        let (columns, rows) = [right - left + 1, bottom - top + 1]
            .map(|extent| (extent as f32 * scale) as usize)
            .into();
        let place = |rng: &mut dyn Rng, page: usize, extent: usize| {
            // On its sheet, wherever that ends.
            let margin = if matches!(self.paper, Paper::Desk(..)) {
                page / 10
            } else {
                page / 40
            };
            let room = page.saturating_sub(extent + 2 * margin);
            margin as f32 + unit(rng) * room as f32
        };
        let (x0, y0) = (place(&mut rng, self.width, columns), place(&mut rng, self.height, rows));
        let light = Light::of(self, &mut rng);
        let mut pixels = Vec::with_capacity(4 * self.width * self.height);
        for y in 0..self.height {
            for x in 0..self.width {
                let (column, row) = (
                    (x as f32 - x0) / scale + left as f32,
                    (y as f32 - y0) / scale + top as f32,
                );
                let ink = self.pen(image.between(column - 0.5 + 0.5 / scale, row - 0.5 + 0.5 / scale));
                if self.paper == Paper::Transparent {
                    let level = (255.0 * self.ink).round() as u8;
                    pixels.extend([level, level, level, (255.0 * ink).round() as u8]);
                    continue;
                }
                let paper = light.at(x as f32, y as f32);
                // Ink in a shadow is darker too.
                let shown = paper * (1.0 - ink) + self.ink * paper.max(self.ink) * ink;
                let grey = shown + self.noise * normal(&mut rng);
                let level = (255.0 * grey.clamp(0.0, 1.0)).round() as u8;
                pixels.extend([level, level, level, 255]);
            }
        }
        Picture::rgba(self.height, self.width, &pixels).unwrap()
    }

    /// The page with nothing on it.
    pub(crate) fn empty_page(&self, data: &Dataset, seed: Seed) -> Picture {
        let [_, height, width] = data.shape();
        let blank = Dataset::new(
            "blank",
            [1, height, width],
            vec![1; height * width],
            vec![0],
            ["nothing"],
        )
        .unwrap();
        Style {
            ink: 1.0,
            pen: Pen::Sharp,
            ..*self
        }
        .page(&blank, 0, seed)
    }

    fn pen(&self, ink: f32) -> f32 {
        let edge = |at: f32| ((ink - at) * 4.0 + 0.5).clamp(0.0, 1.0);
        match self.pen {
            Pen::Soft => ink,
            Pen::Sharp => edge(0.5),
            Pen::Thin => edge(0.8),
            Pen::Thick => edge(0.2),
        }
    }
}

pub(crate) fn unit(rng: &mut dyn Rng) -> f32 {
    (rng.next_u64() >> 40) as f32 / (1 << 24) as f32
}

/// Close to normal: twelve draws less six.
pub(crate) fn normal(rng: &mut dyn Rng) -> f32 {
    (0..12).map(|_| unit(rng)).sum::<f32>() - 6.0
}

struct Image<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> Image<'a> {
    fn of(data: &'a Dataset, index: usize) -> Self {
        let [_, height, width] = data.shape();
        let pixels = data.image(index);
        Self { pixels, width, height }
    }

    fn at(&self, x: isize, y: isize) -> f32 {
        let inside = (0..self.width as isize).contains(&x) && (0..self.height as isize).contains(&y);
        if inside {
            f32::from(self.pixels[y as usize * self.width + x as usize]) / 255.0
        } else {
            0.0
        }
    }

    /// Top, bottom, left and right of what isn't black.
    fn ink(&self) -> (usize, usize, usize, usize) {
        let inked = |x: usize, y: usize| self.pixels[y * self.width + x] > 0;
        let rows: Vec<usize> = (0..self.height)
            .filter(|&y| (0..self.width).any(|x| inked(x, y)))
            .collect();
        let columns: Vec<usize> = (0..self.width)
            .filter(|&x| (0..self.height).any(|y| inked(x, y)))
            .collect();
        (rows[0], rows[rows.len() - 1], columns[0], columns[columns.len() - 1])
    }

    /// Bilinear.
    fn between(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (dx, dy) = (x - left, y - top);
        let (left, top) = (left as isize, top as isize);
        let row = |y| self.at(left, y) * (1.0 - dx) + self.at(left + 1, y) * dx;
        row(top) * (1.0 - dy) + row(top + 1) * dy
    }
}

/// The light on a page.
struct Light {
    style: Style,
    /// A direction and a place along it.
    direction: (f32, f32),
    place: f32,
    lean: f32,
}

impl Light {
    fn of(style: &Style, rng: &mut dyn Rng) -> Self {
        let angle = unit(rng) * std::f32::consts::TAU;
        Self {
            style: *style,
            direction: (angle.cos(), angle.sin()),
            place: 0.6 * (unit(rng) - 0.5),
            lean: 0.04 * (unit(rng) - 0.5),
        }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        let (width, height) = (self.style.width as f32, self.style.height as f32);
        let (u, v) = (x / width - 0.5, y / height - 0.5);
        let along = u * self.direction.0 + v * self.direction.1;
        match self.style.paper {
            Paper::Even(grey) => grey,
            Paper::Gradient(from, to) => from + (to - from) * (along / 1.42 + 0.5).clamp(0.0, 1.0),
            Paper::Shadow(grey, shadow, soft) => {
                let inside = ((along - self.place) * width / soft.max(1.0) + 0.5).clamp(0.0, 1.0);
                grey + (shadow - grey) * inside
            }
            Paper::Vignette(grey) => grey * (1.0 - 1.1 * (u * u + v * v)),
            Paper::Ruled(grey, line) => {
                let apart = height / 9.0;
                let from = (y + self.lean * x).rem_euclid(apart);
                if from < (height / 160.0).max(1.0) { line } else { grey }
            }
            Paper::Desk(grey, desk) => {
                let (dx, dy) = (u + self.lean * v, v - self.lean * u);
                let off = dx * self.direction.0.signum() > 0.42 || dy * self.direction.1.signum() > 0.44;
                if off { desk } else { grey }
            }
            Paper::Transparent => 0.0,
        }
    }
}
