use super::*;
use crate::colour::{BLUE, INK, ORANGE};
use crate::grey::GreyImage;
use crate::png;

fn checker() -> ColourImage {
    ColourImage::from(&GreyImage::new(2, 2, vec![0, 200, 200, 0]).unwrap())
}

/// The colours of a drawing's pixels, row by row, and their number in a row, with the paper around.
fn painted(drawing: &Drawing) -> (usize, Vec<Rgb>) {
    png::read(&drawing.clone().sheet("", "").to_png().unwrap())
}

/// The paper around a sheet without title and caption.
const MARGIN: usize = 20;

fn parts() -> Drawing {
    let mut part = Drawing::new();
    part.image((0.0, 0.0), &checker(), 3.0);
    part.rectangle((10.0, 2.0), (4.0, 4.0), BLUE);
    part.disc((20.0, 6.0), 3.0, ORANGE, "a tip");
    part.arrow((0.0, 20.0), (25.0, 20.0), 2.0, INK);
    part.frame((2.0, 24.0), (9.0, 6.0), 1.0, INK);
    part.text((0.0, 32.0), Anchor::Start, Font::Small, INK, "ab");
    part
}

#[test]
fn a_placed_drawing_is_the_same_elsewhere() {
    let part = parts();
    let mut whole = Drawing::new();
    whole.place((40.0, 10.0), &part);
    assert_eq!(
        (whole.width(), whole.height()),
        (40.0 + part.width(), 10.0 + part.height())
    );
    let ((alone_width, alone), (width, placed)) = (painted(&part), painted(&whole));
    for (y, row) in alone.chunks(alone_width).enumerate().skip(MARGIN) {
        for (x, &colour) in row.iter().enumerate().skip(MARGIN) {
            let Rgb(a, b, c) = colour;
            let Rgb(d, e, f) = placed[(y + 10) * width + x + 40];
            // Smooth edges are rounded elsewhere.
            let largest = a.abs_diff(d).max(b.abs_diff(e)).max(c.abs_diff(f));
            assert!(largest <= 2, "{x}, {y} differs by {largest}");
        }
    }
}

#[test]
fn an_arrow_points_to_its_end() {
    let mut drawing = Drawing::new();
    drawing.arrow((0.0, 10.0), (40.0, 10.0), 2.0, BLUE);
    let (width, pixels) = painted(&drawing);
    let inked = |x: usize| {
        let column = pixels.iter().skip(MARGIN + x).step_by(width);
        column.filter(|&&colour| colour != Rgb::WHITE).count()
    };
    // The shaft is thinner than the head, which narrows to its tip.
    assert!(inked(5) < inked(29) && inked(29) > inked(36) && inked(42) == 0);
    let mut none = Drawing::new();
    none.arrow((5.0, 5.0), (5.0, 5.0), 2.0, BLUE);
    assert_eq!(none.width(), 0.0, "an arrow to where it begins isn't drawn");
}

#[test]
fn title_and_caption_make_room_for_themselves() {
    let mut drawing = Drawing::new();
    drawing.rectangle((0.0, 0.0), (300.0, 30.0), BLUE);
    let plain = drawing.clone().sheet("", "");
    let caption = "first words ".repeat(30) + "\nsecond paragraph";
    let sheet = drawing.sheet("A title", caption.clone());
    assert_eq!((sheet.title(), sheet.caption()), ("A title", caption.as_str()));
    assert!(sheet.size().1 > plain.size().1 + Font::Title.height() + 3.0 * Font::Small.height());
    let png = sheet.to_png().unwrap();
    assert_eq!(png, sheet.to_png().unwrap());
    let (width, pixels) = png::read(&png);
    for row in pixels.chunks(width) {
        let margins = row[..MARGIN].iter().chain(&row[width - MARGIN..]);
        assert!(margins.copied().all(|colour| colour == Rgb::WHITE), "ink in the margin");
    }
}

#[test]
fn the_svg_says_what_was_drawn() {
    let mut drawing = Drawing::new();
    drawing.image((0.0, 0.0), &checker(), 4.0);
    drawing.text((4.0, 10.0), Anchor::Middle, Font::Strong, BLUE, "5 < 7 & 8");
    drawing.dashed_frame((0.0, 0.0), (8.0, 8.0), 1.0, ORANGE);
    let svg = drawing.sheet("Two <b>", "a\u{1} caption").to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let named = |name: &str| {
        let nodes = document
            .descendants()
            .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", name)));
        nodes.collect::<Vec<_>>()
    };
    let texts: Vec<&str> = named("text").iter().filter_map(|node| node.text()).collect();
    assert_eq!(texts, ["Two <b>", "5 < 7 & 8", "a  caption"]);
    let label = named("text")[1];
    assert_eq!(label.attribute("textLength"), Some("81.00"));
    assert_eq!(label.attribute("text-anchor"), Some("middle"));
    let image = named("image")[0];
    assert_eq!(image.attribute("width"), Some("8.00"));
    let href = image.attribute("href").unwrap();
    let data = href.strip_prefix("data:image/png;base64,").unwrap();
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
    let (black, grey) = (Rgb(0, 0, 0), Rgb(200, 200, 200));
    assert_eq!(png::read(&bytes), (2, vec![black, grey, grey, black]));
    assert!(svg.contains("stroke-dasharray"));
}
