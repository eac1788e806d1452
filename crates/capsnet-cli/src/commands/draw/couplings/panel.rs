//! One panel: an image in pale ink and discs for capsules over it.

use capsnet::look::Place;
use capsnet_report::colour::{FAINT, INK, PALE, diverging};
use capsnet_report::{ColourImage, Drawing, GreyImage, Rgb};

const SCALE: f64 = 10.0;
/// The digit, pale so that discs stand out.
const DIGIT: Rgb = Rgb(0xB4, 0xB4, 0xB4);
/// Radius of a disc of length 1.
const RADIUS: f64 = 7.0;

/// What all panels of a picture share.
pub struct Panel {
    pub image: GreyImage,
    /// Pixels from one position of the primary capsules to the next.
    pub stride: usize,
    /// The coupling that is an equal share.
    pub equal: f64,
    pub classes: usize,
}

/// The radius of a disc for a capsule of some length: the area is the length's.
pub fn radius(length: f32) -> f64 {
    RADIUS * f64::from(length).clamp(0.0, 1.0).sqrt()
}

impl Panel {
    /// Width and height.
    pub fn size(&self) -> (f64, f64) {
        (self.image.width() as f64 * SCALE, self.image.height() as f64 * SCALE)
    }

    /// The colour of a coupling: white for an equal share, the ends of the scale for `classes` times as much and as little.
    fn colour(&self, coupling: f32) -> Rgb {
        let ratio = (f64::from(coupling) / self.equal).max(f64::MIN_POSITIVE);
        diverging(ratio.ln() / (self.classes as f64).ln())
    }

    /// Draws capsules with their place, length and coupling, the strongest first.
    pub fn draw(&self, capsules: impl Iterator<Item = (Place, f32, f32)>) -> Drawing {
        let capsules: Vec<(Place, f32, f32)> = capsules.collect();
        let mut panel = Drawing::new();
        panel.image((0.0, 0.0), &ColourImage::on_paper(&self.image, DIGIT), SCALE);
        panel.frame((0.0, 0.0), self.size(), 1.0, PALE);
        if let Some((place, _, _)) = capsules.first() {
            let at = (place.left as f64 * SCALE, place.top as f64 * SCALE);
            let side = place.side as f64 * SCALE;
            panel.dashed_frame(at, (side, side), 1.0, FAINT);
        }
        for (number, (place, length, coupling)) in capsules.iter().enumerate() {
            let here = |(other, _, _): &&(Place, f32, f32)| (other.row, other.column) == (place.row, place.column);
            let (all, before) = (
                capsules.iter().filter(here).count(),
                capsules[..number].iter().filter(here).count(),
            );
            let at = self.spot(place, before, all);
            let tip = format!(
                "map {}, row {}, column {}: length {length:.2}, coupling {coupling:.3}",
                place.map, place.row, place.column
            );
            let radius = radius(*length);
            panel.disc(at, radius, self.colour(*coupling), tip);
            panel.ring(at, radius, 1.0, INK);
        }
        panel
    }

    /// Where number `number` of `all` capsules at a place stands: they share the place's cell as a small square.
    fn spot(&self, place: &Place, number: usize, all: usize) -> (f64, f64) {
        let side = (all as f64).sqrt().ceil();
        let cell = self.stride as f64 * SCALE;
        let offset = |at: usize| ((at as f64 + 0.5) / side - 0.5) * cell * if all == 1 { 0.0 } else { 1.0 };
        let middle = |start: usize| (start as f64 + place.side as f64 / 2.0) * SCALE;
        let side = side as usize;
        (
            middle(place.left) + offset(number % side),
            middle(place.top) + offset(number / side),
        )
    }
}
