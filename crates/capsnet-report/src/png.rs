//! PNG files, made from SVG documents by resvg, with the font that is compiled in and no other: the same document
//! gives the same bytes on every machine of one kind.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{FilterQuality, IntSize, Pixmap, PixmapPaint};
use resvg::usvg::{Group, Image, ImageKind, Node, Options, Tree, fontdb};

use crate::error::ReportError;
use crate::rgb::Rgb;

/// The largest picture, in pixels (160 MB of memory). Real ones stay under a twentieth of it.
pub(crate) const MAX_PIXELS: f64 = 40e6;

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../font/DejaVuSansMono.ttf").to_vec());
    fonts.load_font_data(include_bytes!("../font/DejaVuSansMono-Bold.ttf").to_vec());
    Arc::new(fonts)
});

/// Refuses a picture that would take more memory than a picture should.
pub(crate) fn check_size(width: f64, height: f64) -> Result<(), ReportError> {
    // Written so that a size that is no number is refused too.
    if width * height <= MAX_PIXELS {
        Ok(())
    } else {
        // A cast saturates.
        Err(ReportError::TooLarge {
            width: width as usize,
            height: height as usize,
            limit: MAX_PIXELS as usize,
        })
    }
}

/// A PNG of an SVG document, of the size that the document says.
pub(crate) fn of_svg(svg: &str) -> Result<Vec<u8>, ReportError> {
    let render = |reason: String| ReportError::Render(reason);
    let options = Options {
        fontdb: FONTS.clone(),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).map_err(|error| render(error.to_string()))?;
    let (width, height) = (tree.size().width().ceil(), tree.size().height().ceil());
    check_size(f64::from(width), f64::from(height))?;
    // Both are whole and under the limit.
    let mut pixmap = Pixmap::new(width as u32, height as u32).ok_or(ReportError::Empty("a picture"))?;
    paint(tree.root(), &mut pixmap);
    pixmap.encode_png().map_err(|error| render(error.to_string()))
}

/// Paints what is in a group, in its order. resvg paints all but images: its own decoders of them (JPEG, GIF, WebP) are
/// left out of the build, and ours are PNGs, whose pixels become squares.
fn paint(group: &Group, pixmap: &mut Pixmap) {
    for node in group.children() {
        match node {
            Node::Image(image) => paint_image(image, pixmap),
            Node::Group(inner) if holds_images(inner) => paint(inner, pixmap),
            _ => {
                // `render_node` moves a node to the origin; this moves it back.
                let Some(bounds) = node.abs_layer_bounding_box() else {
                    continue;
                };
                let here = group.abs_transform().pre_translate(bounds.x(), bounds.y());
                resvg::render_node(node, here, &mut pixmap.as_mut());
            }
        }
    }
}

fn holds_images(group: &Group) -> bool {
    group.children().iter().any(|node| match node {
        Node::Image(_) => true,
        Node::Group(inner) => holds_images(inner),
        _ => false,
    })
}

fn paint_image(image: &Image, pixmap: &mut Pixmap) {
    let ImageKind::PNG(bytes) = image.kind() else {
        return;
    };
    let Ok(image_pixels) = Pixmap::decode_png(bytes) else {
        return;
    };
    let paint = PixmapPaint {
        quality: FilterQuality::Nearest,
        ..PixmapPaint::default()
    };
    pixmap.draw_pixmap(0, 0, image_pixels.as_ref(), &paint, image.abs_transform(), None);
}

/// A PNG of `width` pixels a row. Images are far smaller than the largest picture, and writing to memory doesn't fail;
/// if it did, the image would be missing.
pub(crate) fn of_pixels(width: usize, pixels: &[Rgb]) -> Vec<u8> {
    let bytes = pixels.iter().flat_map(|&Rgb(r, g, b)| [r, g, b, 255]).collect();
    let height = pixels.len() / width.max(1);
    let size = IntSize::from_wh(width as u32, height as u32);
    let pixmap = size.and_then(|size| Pixmap::from_vec(bytes, size));
    pixmap.and_then(|pixmap| pixmap.encode_png().ok()).unwrap_or_default()
}

/// The width of a PNG and its pixels, for tests.
#[cfg(test)]
pub(crate) fn read(png: &[u8]) -> (usize, Vec<Rgb>) {
    let pixmap = Pixmap::decode_png(png).unwrap();
    let colour = |pixel: &resvg::tiny_skia::PremultipliedColorU8| Rgb(pixel.red(), pixel.green(), pixel.blue());
    (pixmap.width() as usize, pixmap.pixels().iter().map(colour).collect())
}

#[cfg(test)]
mod tests;
