use super::*;
use crate::canvas::Canvas;
use crate::colour::{BLUE, INK, ORANGE};
use crate::grey::GreyImage;

fn checker() -> ColourImage {
    ColourImage::from(&GreyImage::new(2, 2, vec![0, 200, 200, 0]).unwrap())
}

fn bare(drawing: Drawing) -> Canvas {
    drawing.sheet("", "").draw().unwrap()
}

/// The paper around a sheet without title and caption.
const MARGIN: usize = 20;

#[test]
fn an_image_is_made_of_squares() {
    let mut drawing = Drawing::new();
    drawing.image((3.0, 1.0), &checker(), 4.0);
    assert_eq!((drawing.width(), drawing.height()), (11.0, 9.0));
    let canvas = bare(drawing);
    for (x, y, grey) in [(3, 1, 0), (6, 4, 0), (7, 1, 200), (3, 5, 200), (10, 8, 0)] {
        assert_eq!(
            canvas.pixel(MARGIN + x, MARGIN + y),
            Some(Rgb(grey, grey, grey)),
            "{x}, {y}"
        );
    }
    assert_eq!(canvas.pixel(MARGIN + 2, MARGIN + 1), Some(Rgb::WHITE));
    assert_eq!(canvas.pixel(MARGIN + 11, MARGIN + 8), Some(Rgb::WHITE));
}

#[test]
fn a_placed_drawing_is_the_same_elsewhere() {
    let mut part = Drawing::new();
    part.image((0.0, 0.0), &checker(), 3.0);
    part.rectangle((10.0, 2.0), (4.0, 4.0), BLUE);
    part.disc((20.0, 6.0), 3.0, ORANGE, "a tip");
    part.arrow((0.0, 20.0), (25.0, 20.0), 2.0, INK);
    part.frame((2.0, 24.0), (9.0, 6.0), 1.0, INK);
    part.text((0.0, 32.0), Anchor::Start, Font::Small, INK, "ab");
    let mut whole = Drawing::new();
    whole.place((40.0, 10.0), &part);
    assert_eq!(
        (whole.width(), whole.height()),
        (40.0 + part.width(), 10.0 + part.height())
    );
    let (alone, placed) = (bare(part), bare(whole));
    for y in MARGIN..alone.height() {
        for x in MARGIN..alone.width() {
            // Smooth edges are rounded elsewhere.
            let (Some(Rgb(a, b, c)), Some(Rgb(d, e, f))) = (alone.pixel(x, y), placed.pixel(x + 40, y + 10)) else {
                panic!("{x}, {y} is outside")
            };
            let largest = a.abs_diff(d).max(b.abs_diff(e)).max(c.abs_diff(f));
            assert!(largest <= 2, "{x}, {y} differs by {largest}");
        }
    }
}

#[test]
fn an_arrow_points_to_its_end() {
    let mut drawing = Drawing::new();
    drawing.arrow((0.0, 10.0), (40.0, 10.0), 2.0, BLUE);
    let canvas = bare(drawing);
    let inked = |x: usize| {
        (0..30)
            .filter(|y| canvas.pixel(MARGIN + x, MARGIN + y) != Some(Rgb::WHITE))
            .count()
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
    let plain = bare(drawing.clone());
    let caption = "first words ".repeat(30) + "\nsecond paragraph";
    let sheet = drawing.sheet("A title", caption.clone());
    let canvas = sheet.draw().unwrap();
    assert_eq!((sheet.title(), sheet.caption()), ("A title", caption.as_str()));
    assert!(canvas.height() > plain.height() + Font::Title.height() + 3 * Font::Small.height());
    // Nothing is inked in the margin.
    for y in 0..canvas.height() {
        for x in (0..MARGIN).chain(canvas.width() - MARGIN..canvas.width()) {
            assert_eq!(canvas.pixel(x, y), Some(Rgb::WHITE), "{x}, {y}");
        }
    }
    assert_eq!(canvas, sheet.draw().unwrap());
}

#[test]
fn the_svg_says_the_same() {
    let mut drawing = Drawing::new();
    drawing.image((0.0, 0.0), &checker(), 4.0);
    drawing.text((4.0, 10.0), Anchor::Middle, Font::Strong, BLUE, "5 < 7 & 8");
    drawing.dashed_frame((0.0, 0.0), (8.0, 8.0), 1.0, ORANGE);
    let svg = drawing.sheet("Two <b>", "a caption").to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let named = |name: &str| {
        let nodes = document
            .descendants()
            .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", name)));
        nodes.collect::<Vec<_>>()
    };
    let texts: Vec<&str> = named("text").iter().filter_map(|node| node.text()).collect();
    assert_eq!(texts, ["Two <b>", "5 < 7 & 8", "a caption"]);
    let image = named("image")[0];
    assert_eq!(image.attribute("width"), Some("8.00"));
    let data = image
        .attribute("href")
        .unwrap()
        .strip_prefix("data:image/png;base64,")
        .unwrap();
    use base64::Engine as _;
    let png = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels, [0, 0, 0, 200, 200, 200, 200, 200, 200, 0, 0, 0]);
    assert!(svg.contains("stroke-dasharray"));
}
