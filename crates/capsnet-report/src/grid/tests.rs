//! The pixels of a grid: digits, frames and labels where they belong, nothing cut off.

use super::*;
use crate::colour::PALE;
use crate::grey::GreyImage;
use crate::rgb::Rgb;

/// The sheet's paper, the frame with the paper inside it.
const MARGIN: usize = 20;
const BORDER: usize = 6;
const FRAME: usize = 3;

struct Picture {
    width: usize,
    pixels: Vec<Rgb>,
}

/// A rectangle: left, top, width, height.
type Rect = (usize, usize, usize, usize);

impl Picture {
    fn of(grid: &DigitGrid) -> Self {
        let (width, pixels) = png::read(&grid.sheet().unwrap().to_png().unwrap());
        Self { width, pixels }
    }

    fn height(&self) -> usize {
        self.pixels.len() / self.width
    }

    fn whole(&self) -> Rect {
        (0, 0, self.width, self.height())
    }

    fn count(&self, (left, top, width, height): Rect, wanted: impl Fn(Rgb) -> bool) -> usize {
        let rows = (top..top + height).map(|y| &self.pixels[y * self.width + left..][..width]);
        rows.flatten().filter(|&&colour| wanted(colour)).count()
    }
}

/// An image whose pixels all differ, so that a wrong place or scale cannot go unseen.
fn ramp(width: usize, height: usize) -> GreyImage {
    let pixels = (0..width * height).map(|i| (i * 7 % 200) as u8).collect();
    GreyImage::new(width, height, pixels).unwrap()
}

fn one(cell: &Cell) -> DigitGrid {
    DigitGrid::new("", 1, vec![cell.clone()])
}

/// The frame of the first cell of a grid without title whose labels are narrower than its images.
fn first_frame(cell: &Cell) -> Rect {
    let (width, height) = cell.framed(DigitGrid::SCALE);
    (MARGIN, MARGIN, width as usize, height as usize)
}

#[test]
fn every_pixel_of_a_digit_is_a_square_of_its_grey() {
    let image = ramp(28, 28);
    let picture = Picture::of(&one(&Cell::new(image.clone())));
    let start = MARGIN + BORDER;
    for (row, pixels) in image.rows().enumerate() {
        for (column, &grey) in pixels.iter().enumerate() {
            let square = (start + 3 * column, start + 3 * row, 3, 3);
            assert_eq!(picture.count(square, |colour| colour == Rgb(grey, grey, grey)), 9);
        }
    }
    assert_eq!(picture.width, 84 + 2 * start);
    // Where a caption would stand there is a gap.
    assert!(picture.height() >= picture.width);
}

#[test]
fn right_is_solid_green_and_wrong_is_dashed_red() {
    let cell = |tone| Cell::new(ramp(28, 28)).line("7", tone);
    for tone in [Tone::Right, Tone::Wrong] {
        let picture = Picture::of(&one(&cell(tone)));
        let (left, top, width, _) = first_frame(&cell(tone));
        // The middle of the upper edge.
        let inked = picture.count((left, top + 1, width, 1), |colour| colour == tone.ink());
        match tone {
            Tone::Right => assert_eq!(inked, width),
            _ => assert!((width / 3..2 * width / 3).contains(&inked), "{inked} of {width}"),
        }
    }
    let picture = Picture::of(&one(&cell(Tone::Neutral)));
    let frame = first_frame(&cell(Tone::Neutral));
    for tone in [Tone::Right, Tone::Wrong] {
        assert_eq!(picture.count(frame, |colour| colour == tone.ink()), 0);
    }
    assert!(picture.count(frame, |colour| colour == PALE) > 4 * 84);
}

#[test]
fn one_wrong_model_makes_the_frame_wrong_and_keeps_the_other_label_green() {
    let cell = Cell::new(ramp(28, 28))
        .line("LeNet-5 7", Tone::Right)
        .line("CapsNet 1", Tone::Wrong);
    let picture = Picture::of(&one(&cell));
    let frame = first_frame(&cell);
    let line = |index: usize| {
        let top = frame.1 + frame.3 + 3 + 20 * index;
        (0, top, picture.width, 20)
    };
    let inked = |rect, tone: Tone| picture.count(rect, |colour| colour == tone.ink()) > 0;
    assert!(!inked(frame, Tone::Right) && inked(frame, Tone::Wrong));
    assert!(inked(line(0), Tone::Right) && !inked(line(0), Tone::Wrong));
    assert!(inked(line(1), Tone::Wrong) && !inked(line(1), Tone::Right));
}

#[test]
fn nothing_is_cut_off_at_the_margins() {
    let cell = || Cell::new(ramp(3, 3)).line("a label wider than its image", Tone::Wrong);
    let mut grid = DigitGrid::new(
        "A title that is much longer than one narrow cell is wide, so that it has to be wrapped",
        1,
        vec![cell(), cell()],
    );
    grid.caption = "capsnet compare --rotate 15,-23,35 --resample bilinear --seed 7 --limit 100".into();
    let picture = Picture::of(&grid);
    let (width, height) = (picture.width, picture.height());
    for edge in [
        (0, 0, width, MARGIN),
        (0, height - MARGIN, width, MARGIN),
        (0, 0, MARGIN, height),
        (width - MARGIN, 0, MARGIN, height),
    ] {
        assert_eq!(picture.count(edge, |colour| colour != Rgb::WHITE), 0, "ink in {edge:?}");
    }
}

#[test]
fn text_and_images_do_not_overlap() {
    // All of the picture is white, except what is drawn: with white images, the ink of the whole picture is the
    // ink of its parts, unless one part covers another.
    let white = GreyImage::new(4, 4, vec![255; 16]).unwrap();
    let labelled = |text: &str| Cell::new(white.clone()).line(text, Tone::Right);
    let ink = |cells: Vec<Cell>, columns: usize| {
        let picture = Picture::of(&DigitGrid::new("", columns, cells));
        picture.count(picture.whole(), |colour| colour != Rgb::WHITE)
    };
    let wide = "truth: seventy-seven";
    let one = ink(vec![labelled(wide)], 1);
    assert_eq!(ink(vec![labelled(wide); 6], 3), 6 * one);
}

#[test]
fn images_stand_side_by_side() {
    let black = GreyImage::new(2, 2, vec![0; 4]).unwrap();
    let picture = Picture::of(&one(&Cell::new(black.clone()).beside(black)));
    let start = MARGIN + BORDER;
    let row: Vec<bool> = (start..start + 6 + FRAME + 6)
        .map(|x| picture.count((x, start, 1, 1), |colour| colour == Rgb(0, 0, 0)) == 1)
        .collect();
    assert_eq!(row[..6], [true; 6]);
    assert_eq!(
        row[6..6 + FRAME],
        [false; FRAME],
        "paper as wide as a frame between them"
    );
    assert_eq!(row[6 + FRAME..], [true; 6]);
}

#[test]
fn a_short_last_row_and_too_many_columns_are_fine() {
    let cells = vec![Cell::new(ramp(28, 28)); 5];
    let size = |columns| DigitGrid::new("", columns, cells.clone()).sheet().unwrap().size();
    let (wide, low) = size(5);
    let (narrow, high) = size(4);
    assert!(narrow < wide && high > low);
    assert_eq!(size(100), (wide, low), "no empty columns");
}

#[test]
fn empty_and_enormous_grids_are_errors() {
    let cells = vec![Cell::new(ramp(28, 28))];
    let draw = |columns, scale, cells: &[Cell]| {
        let mut grid = DigitGrid::new("title", columns, cells.to_vec());
        grid.scale = scale;
        grid.sheet()?.to_png()
    };
    assert!(matches!(draw(8, 3.0, &[]), Err(ReportError::Empty(_))));
    assert!(matches!(draw(0, 3.0, &cells), Err(ReportError::Empty(_))));
    assert!(matches!(draw(8, 0.0, &cells), Err(ReportError::Empty(_))));
    for scale in [10_000.0, f64::MAX] {
        let error = draw(8, scale, &cells).unwrap_err();
        assert!(matches!(error, ReportError::TooLarge { .. }), "{error}");
    }
}
