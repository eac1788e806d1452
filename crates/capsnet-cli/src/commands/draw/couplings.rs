//! `capsnet draw couplings`.

mod panel;

use anyhow::Result;
use burn::prelude::Device;
use capsnet::look::{
    AcrossImages, Couplings, Iteration, LookError, Place, STARVED, across_images, couplings, place_of,
};
use capsnet::model::{CapsNetConfig, Classifier, ModelConfig};
use capsnet_report::Font;
use capsnet_report::colour::{BLUE, FAINT, INK, ORANGE};
use capsnet_report::{Anchor, Drawing};
use serde::Serialize;

use super::digits::{Digits, check_classes};
use super::made::Made;
use super::pieces::{SMALL, bar, grey};
use super::subject::Subject;
use crate::progress::Progress;
use panel::Panel;

/// Paper between panels.
const GAP: f64 = 20.0;
/// Room for the headings over a panel.
const TOP: f64 = 46.0;
/// Length of the bars beside the panels.
const BAR: f64 = 110.0;
/// Classes shown where none are asked for.
const CLASSES: usize = 3;

/// What to draw.
pub struct Options {
    /// The angle of the digit.
    pub rotate: Option<f64>,
    /// The classes to show; the true one and the longest others if empty.
    pub towards: Vec<usize>,
    /// How many primary capsules.
    pub strongest: usize,
    /// Over how many images to compare the couplings.
    pub across: usize,
}

#[derive(Serialize)]
struct Numbers {
    weights: String,
    dataset: String,
    index: usize,
    label: usize,
    transform: String,
    prediction: usize,
    towards: Vec<usize>,
    primary_capsules: usize,
    /// Primary capsules of this image shorter than `starved_below`.
    starved: usize,
    starved_below: f32,
    iterations: Vec<Iteration>,
    across_images: Option<AcrossImages>,
    strongest: Vec<Strong>,
}

/// One of the capsules shown.
#[derive(Serialize)]
struct Strong {
    capsule: usize,
    #[serde(flatten)]
    place: Place,
    length: f32,
    /// `[iteration][class]`, the classes shown.
    couplings: Vec<Vec<f32>>,
}

/// Draws one digit's couplings: a row an iteration, a column a class.
pub fn make(subject: &Subject, digits: &Digits, options: &Options, device: &Device) -> Result<Made> {
    let index = digits.one()?;
    let condition = digits.condition(options.rotate)?;
    let image = digits.images(&[index], &condition).remove(0);
    let routed = couplings(&subject.model, &image, device).map_err(|error| subject.explain(error))?;
    let ModelConfig::CapsNet(config) = &subject.model.config else {
        let model = subject.model.title();
        return Err(subject.explain(LookError::NotCapsNet { model }));
    };
    let view = subject.view(std::slice::from_ref(&image), device).remove(0);
    let label = digits.label(index);
    let towards = if options.towards.is_empty() {
        let others = view.ranking().into_iter().filter(|&class| class != label);
        std::iter::once(label).chain(others).take(CLASSES).collect()
    } else {
        check_classes(routed.classes, &options.towards, "--towards")?;
        options.towards.clone()
    };
    let across = compare(subject, digits, options, device)?;
    let shown: Vec<usize> = routed.strongest().into_iter().take(options.strongest).collect();
    let strongest = strongest(config, &routed, &shown, &towards);
    let equal = 2f64.powf(-routed.iterations[0].entropy_of_equal);
    let panel = Panel {
        image: grey((digits.data.width(), digits.data.height()), &image)?,
        stride: config.primary_stride,
        equal,
        range: range(&strongest, equal),
    };
    let drawing = compose(&panel, &routed, &strongest, &towards, label);
    let title = format!(
        "Where the strongest primary capsules of a {label} send their votes (no. {index}{})",
        match condition.label().as_str() {
            "upright" => String::new(),
            transform => format!(", {transform}"),
        }
    );
    let caption = caption(subject, digits, &routed, across.as_ref(), strongest.len());
    let numbers = Numbers {
        weights: subject.weights().to_owned(),
        dataset: digits.data.name().to_owned(),
        index,
        label,
        transform: condition.pipeline.to_string(),
        prediction: view.class,
        towards,
        primary_capsules: routed.lengths.len(),
        starved: routed.starved,
        starved_below: STARVED,
        iterations: routed.iterations,
        across_images: across,
        strongest,
    };
    let alt = "Discs over a digit, coloured by coupling: a row for each routing iteration, a column for each class";
    Made::new("couplings", alt, drawing.sheet(title, caption), &numbers)
}

fn compare(subject: &Subject, digits: &Digits, options: &Options, device: &Device) -> Result<Option<AcrossImages>> {
    let count = options.across.min(digits.data.len());
    if count == 0 {
        return Ok(None);
    }
    let indices: Vec<usize> = (0..count).collect();
    let images = digits.images(&indices, &digits.condition(options.rotate)?);
    let mut progress = Progress::new("routing other digits", "images", count, 0);
    let across = across_images(&subject.model, &images, device, &mut |done| progress.set(done, ""));
    progress.clear();
    across.map(Some).map_err(|error| subject.explain(error))
}

fn strongest(config: &CapsNetConfig, routed: &Couplings, shown: &[usize], towards: &[usize]) -> Vec<Strong> {
    let entry = |&capsule: &usize| {
        let coupling = |iteration: &Iteration, class: usize| iteration.couplings[capsule * routed.classes + class];
        let of_iteration =
            |iteration: &Iteration| -> Vec<f32> { towards.iter().map(|&class| coupling(iteration, class)).collect() };
        Strong {
            capsule,
            place: place_of(config, capsule),
            length: routed.lengths[capsule],
            couplings: routed.iterations.iter().map(of_iteration).collect(),
        }
    };
    shown.iter().map(entry).collect()
}

fn compose(panel: &Panel, routed: &Couplings, strongest: &[Strong], towards: &[usize], label: usize) -> Drawing {
    let mut drawing = Drawing::new();
    let (width, height) = panel.size();
    for (column, &class) in towards.iter().enumerate() {
        let centre = column as f64 * (width + GAP) + width / 2.0;
        let (truth, ink) = if class == label { (" (true)", ORANGE) } else { ("", INK) };
        let text = format!("to class {class}{truth}");
        drawing.text((centre, 0.0), Anchor::Middle, Font::Strong, ink, text);
    }
    let right = towards.len() as f64 * (width + GAP) + 6.0;
    drawing.text((right, 0.0), Anchor::Start, Font::Strong, INK, "class capsules");
    for (row, iteration) in routed.iterations.iter().enumerate() {
        let y = 28.0 + row as f64 * (height + TOP);
        let most = iteration.entropy_of_equal;
        let mut text = format!(
            "iteration {}: entropy of the couplings {:.3} of {most:.3} bits",
            row + 1,
            iteration.entropy
        );
        if let Some(moved) = iteration.moved {
            text += &format!(", {:.1} % moved", 100.0 * moved);
        }
        drawing.text((0.0, y), Anchor::Start, Font::Small, FAINT, text);
        for column in 0..towards.len() {
            let discs = strongest
                .iter()
                .map(|capsule| (capsule.place, capsule.length, capsule.couplings[row][column]));
            let at = (column as f64 * (width + GAP), y + 22.0);
            drawing.place(at, &panel.draw(discs));
        }
        // As many bars as fit beside a panel.
        let fitting = ((height / SMALL) as usize).min(routed.classes);
        drawing.text((right, y), Anchor::Start, Font::Small, FAINT, "length after it");
        for class in 0..fitting {
            let length = f64::from(iteration.class_lengths[class]);
            let colour = if class == label { ORANGE } else { BLUE };
            let at = (right, y + 22.0 + class as f64 * SMALL);
            bar(&mut drawing, at, BAR, length, colour, &class.to_string(), INK);
        }
    }
    let bottom = drawing.height() + 14.0;
    drawing.place((0.0, bottom), &panel.legend());
    drawing
}

/// How many times as much, or as little, as an equal share the couplings shown are at most.
fn range(strongest: &[Strong], equal: f64) -> f64 {
    let couplings = strongest.iter().flat_map(|capsule| capsule.couplings.iter().flatten());
    let ratios = couplings.map(|&coupling| (f64::from(coupling) / equal).max(f64::MIN_POSITIVE));
    // Less than a hundredth more or less isn't worth a colour.
    ratios.map(|ratio| ratio.max(1.0 / ratio)).fold(1.01, f64::max)
}

fn caption(
    subject: &Subject,
    digits: &Digits,
    routed: &Couplings,
    across: Option<&AcrossImages>,
    shown: usize,
) -> String {
    let (capsules, last) = (routed.lengths.len(), &routed.iterations[routed.iterations.len() - 1]);
    let mut text = format!(
        "The {shown} longest of {capsules} primary capsules, each a disc near the middle of the pixels that it sees; the dashed \
         frame is all that the longest one sees. Capsules at the same place stand side by side. White is an equal share, orange \
         more, blue less, as far as these couplings go. Entropy is averaged over the primary capsules: it falls from {:.4} to {:.4} bits, and {} of {capsules} \
         capsules are starved (shorter than {STARVED}).",
        routed.iterations[0].entropy, last.entropy, routed.starved
    );
    if let Some(across) = across {
        text += &format!(
            "\nOver the first {} test images of {}, a coupling varies by {:.4} (standard deviation) from image to image, and by \
             {:.4} from capsule to capsule within an image; {} capsules are starved in all of them. Mitterreiter et al. (2023) \
             describe routing as near-static.",
            across.images,
            digits.data.name(),
            across.deviation,
            across.deviation_within,
            across.starved
        );
    }
    text + &format!("\nWeights {}.", subject.weights())
}
