//! Where the strongest primary capsules send their votes, iteration by iteration, over the image.

mod panel;

use capsnet_measure::look::{RoutedDigit, STARVED, StrongCapsule};

use super::Figure;
use super::parts::{Bar, SMALL, bar, grey};
use crate::colour::{BLUE, FAINT, INK, ORANGE};
use crate::drawing::{Anchor, Drawing};
use crate::error::ReportError;
use crate::font::Font;
use panel::Panel;

/// Paper between panels.
const GAP: f64 = 20.0;
/// Room for the headings over a panel.
const TOP: f64 = 46.0;
/// Length of the bars beside the panels.
const BAR: f64 = 110.0;

/// Draws one digit's couplings: a row an iteration, a column a class.
///
/// # Errors
/// [`ReportError`] if the image is not of the size that the numbers say.
pub fn couplings(numbers: &RoutedDigit) -> Result<Figure, ReportError> {
    let equal = numbers
        .iterations
        .first()
        .map_or(1.0, |first| 2f64.powf(-first.entropy_of_equal));
    let panel = Panel {
        image: grey(numbers.size, &numbers.input)?,
        stride: numbers.stride,
        equal,
        range: range(&numbers.strongest, equal),
        unit: &numbers.unit,
    };
    let title = format!(
        "Where the strongest primary capsules of a {} send their votes (no. {}{})",
        numbers.label,
        numbers.index,
        match numbers.transform.as_str() {
            "none" => String::new(),
            transform => format!(", {transform}"),
        }
    );
    Ok(Figure {
        name: "couplings",
        inked: true,
        alt: "Discs over a digit, coloured by coupling: a row for each routing iteration, a column for each class",
        sheet: compose(&panel, numbers).sheet(title, caption(numbers)),
    })
}

fn compose(panel: &Panel, numbers: &RoutedDigit) -> Drawing {
    let mut drawing = Drawing::new();
    let (width, height) = panel.size();
    for (column, &class) in numbers.towards.iter().enumerate() {
        let centre = column as f64 * (width + GAP) + width / 2.0;
        let (truth, ink) = if class == numbers.label {
            (" (true)", ORANGE)
        } else {
            ("", INK)
        };
        let text = format!("to class {class}{truth}");
        drawing.text((centre, 0.0), Anchor::Middle, Font::Strong, ink, text);
    }
    let right = numbers.towards.len() as f64 * (width + GAP) + 6.0;
    drawing.text((right, 0.0), Anchor::Start, Font::Strong, INK, "class capsules");
    for (row, iteration) in numbers.iterations.iter().enumerate() {
        let y = 28.0 + row as f64 * (height + TOP);
        let mut text = format!(
            "iteration {}: entropy of the couplings {:.3} of {:.3} bits",
            row + 1,
            iteration.entropy,
            iteration.entropy_of_equal
        );
        if let Some(moved) = iteration.moved {
            text += &format!(", {:.1} % moved", 100.0 * moved);
        }
        drawing.text((0.0, y), Anchor::Start, Font::Small, FAINT, text);
        for column in 0..numbers.towards.len() {
            let discs = numbers.strongest.iter();
            let discs = discs.map(|capsule| (capsule.place, capsule.length, capsule.couplings[row][column]));
            let at = (column as f64 * (width + GAP), y + 22.0);
            drawing.place(at, &panel.draw(discs));
        }
        drawing.text(
            (right, y),
            Anchor::Start,
            Font::Small,
            FAINT,
            format!("{} after it", numbers.unit),
        );
        // As many bars as fit beside a panel.
        let lengths = iteration.class_lengths.iter().enumerate();
        for (class, &length) in lengths.take((height / SMALL) as usize) {
            let said = Bar {
                value: f64::from(length),
                colour: if class == numbers.label { ORANGE } else { BLUE },
                label: &class.to_string(),
                ink: INK,
            };
            bar(&mut drawing, (right, y + 22.0 + class as f64 * SMALL), BAR, &said);
        }
    }
    let bottom = drawing.height() + 14.0;
    drawing.place((0.0, bottom), &panel.legend());
    drawing
}

/// How many times as much, or as little, as an equal share the couplings shown are at most; but none can be more than
/// 1, however little others are.
fn range(strongest: &[StrongCapsule], equal: f64) -> f64 {
    let couplings = strongest.iter().flat_map(|capsule| capsule.couplings.iter().flatten());
    let ratios = couplings.map(|&coupling| (f64::from(coupling) / equal).max(f64::MIN_POSITIVE));
    // Less than a hundredth more or less isn't worth a colour.
    let most = ratios.map(|ratio| ratio.max(1.0 / ratio)).fold(1.01, f64::max);
    most.min((1.0 / equal).max(1.01))
}

fn caption(numbers: &RoutedDigit) -> String {
    let capsules = numbers.primary_capsules;
    let entropy = |iteration: Option<&capsnet_measure::look::Iteration>| iteration.map_or(0.0, |it| it.entropy);
    let mut text = format!(
        "The {} of greatest {} among {capsules} primary capsules, each a disc near the middle of the pixels that it \
         sees; the dashed frame is all that the first one sees. Capsules at the same place stand side by side. \
         White is an equal share, orange more, blue less, as far as these couplings go and a coupling can. Entropy \
         is averaged over the primary capsules: it falls from {:.4} to {:.4} bits, and {} of {capsules} capsules \
         are starved ({} below {STARVED}).",
        numbers.strongest.len(),
        numbers.unit,
        entropy(numbers.iterations.first()),
        entropy(numbers.iterations.last()),
        numbers.starved,
        numbers.unit
    );
    if let Some(across) = &numbers.across_images {
        text += &format!(
            "\nOver the first {} test images of {}, a coupling varies by {:.4} (standard deviation) from image to \
             image, and by {:.4} from capsule to capsule within an image; {} capsules are starved in all of them. \
             Mitterreiter et al. (2023) describe routing as near-static.",
            across.images, numbers.dataset, across.deviation, across.deviation_within, across.starved
        );
    }
    text + &format!("\nWeights {}.", numbers.weights)
}
