//! One panel: an image in pale ink and discs for capsules over it.

use capsnet_measure::look::Place;

use crate::colour::{ColourImage, FAINT, INK, PALE, diverging};
use crate::drawing::{Anchor, Drawing};
use crate::font::Font;
use crate::grey::GreyImage;
use crate::rgb::Rgb;

const SCALE: f64 = 13.0;
/// The digit, pale so that discs stand out.
const DIGIT: Rgb = Rgb(0xB4, 0xB4, 0xB4);
/// Radius of a disc of length 1.
const RADIUS: f64 = 9.0;

/// What all panels of a picture share.
pub(super) struct Panel<'a> {
    pub(super) image: GreyImage,
    /// Pixels from one position of the primary capsules to the next.
    pub(super) stride: usize,
    /// The coupling that is an equal share.
    pub(super) equal: f64,
    /// How many times as much, or as little, has the strongest colour.
    pub(super) range: f64,
    /// What a capsule's length is called.
    pub(super) unit: &'a str,
}

/// The radius of a disc for a capsule of some length: the area is the length's.
fn radius(length: f32) -> f64 {
    RADIUS * f64::from(length).clamp(0.0, 1.0).sqrt()
}

impl Panel<'_> {
    /// Width and height.
    pub(super) fn size(&self) -> (f64, f64) {
        (self.image.width() as f64 * SCALE, self.image.height() as f64 * SCALE)
    }

    /// The colour of a coupling: white for an equal share, the ends of the scale for `range` times as much and as
    /// little.
    fn colour(&self, coupling: f32) -> Rgb {
        let ratio = (f64::from(coupling) / self.equal).max(f64::MIN_POSITIVE);
        diverging(ratio.ln() / self.range.ln())
    }

    /// Draws capsules with their place, length and coupling, the strongest first.
    pub(super) fn draw(&self, capsules: impl Iterator<Item = (Place, f32, f32)>) -> Drawing {
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
                "map {}, row {}, column {}: {} {length:.2}, coupling {coupling:.3}",
                place.map, place.row, place.column, self.unit
            );
            // Neighbours touch at most.
            let radius = radius(*length).min(self.spacing(all) / 2.0 - 0.5);
            panel.disc(at, radius, self.colour(*coupling), tip);
            panel.ring(at, radius, 1.0, INK);
        }
        panel
    }

    /// Between the middles of neighbouring discs, of `all` at a place.
    fn spacing(&self, all: usize) -> f64 {
        self.stride as f64 * SCALE / (all as f64).sqrt().ceil()
    }

    /// Where number `number` of `all` capsules at a place stands: they share the place's cell as a small square.
    fn spot(&self, place: &Place, number: usize, all: usize) -> (f64, f64) {
        let side = (all as f64).sqrt().ceil() as usize;
        let offset = |at: usize| (at as f64 - (side - 1) as f64 / 2.0) * self.spacing(all);
        let middle = |start: usize| (start as f64 + place.side as f64 / 2.0) * SCALE;
        (
            middle(place.left) + offset(number % side),
            middle(place.top) + offset(number / side),
        )
    }

    /// What colours and sizes mean.
    pub(super) fn legend(&self) -> Drawing {
        const STEPS: usize = 60;
        const STEP: f64 = 4.0;
        let mut legend = Drawing::new();
        legend.text((0.0, 0.0), Anchor::Start, Font::Small, INK, "coupling");
        let left = 90.0;
        for step in 0..STEPS {
            let value = 2.0 * (step as f64 + 0.5) / STEPS as f64 - 1.0;
            legend.rectangle((left + STEP * step as f64, 1.0), (STEP, 14.0), diverging(value));
        }
        legend.frame((left, 1.0), (STEP * STEPS as f64, 14.0), 1.0, FAINT);
        let ends = [
            (0.0, self.equal / self.range),
            (0.5, self.equal),
            (1.0, self.equal * self.range),
        ];
        for (share, value) in ends {
            let at = (left + share * STEP * STEPS as f64, 18.0);
            legend.text(at, Anchor::Middle, Font::Small, FAINT, format!("{value:.3}"));
        }
        let mut x = left + STEP * STEPS as f64 + 60.0;
        let sizes = format!("{} of the primary capsule", self.unit);
        x += Font::Small.width(&sizes) + 24.0;
        legend.text(
            (left + STEP * STEPS as f64 + 60.0, 0.0),
            Anchor::Start,
            Font::Small,
            INK,
            sizes,
        );
        for length in [0.25f32, 0.5, 1.0] {
            legend.ring((x, 9.0), radius(length), 1.2, FAINT);
            legend.text((x, 18.0), Anchor::Middle, Font::Small, FAINT, format!("{length}"));
            x += 50.0;
        }
        legend
    }
}
