//! Writes a sample report with made-up results, and the files of its sweeps, into a folder (default: "sweep-report").
//!
//! ```text
//! cargo run -p capsnet-report --example sweep_report -- FOLDER
//! ```

use std::path::PathBuf;

use capsnet_measure::{Family, Score, ScoreKind, Sweep, SweepCurve, SweepError, SweepPoint};
use capsnet_report::sweep::{accuracy_chart, save_csv, save_json};
use capsnet_report::{
    Axis, Cell, Column, DigitGrid, GreyImage, HtmlReport, LineChart, Picture, ReportError, Series, Table, TableCell,
    Tone, number,
};

const IMAGES: u64 = 1000;

/// A made-up model: its accuracy falls from `top` to `floor` as a bell of the given width (in units of the
/// transform), and rises again to `back` at half a turn, where some digits look like themselves.
struct Made {
    name: &'static str,
    top: f64,
    floor: f64,
    width: f64,
    back: f64,
    true_class: ScoreKind,
}

const MODELS: [Made; 3] = [
    Made {
        name: "LeNet-5",
        top: 0.988,
        floor: 0.14,
        width: 34.0,
        back: 0.25,
        true_class: ScoreKind::Probability,
    },
    Made {
        name: "CapsNet",
        top: 0.993,
        floor: 0.17,
        width: 42.0,
        back: 0.28,
        true_class: ScoreKind::CapsuleLength,
    },
    Made {
        name: "equivariant CapsNet",
        top: 0.989,
        floor: 0.93,
        width: 60.0,
        back: 0.03,
        true_class: ScoreKind::CapsuleLength,
    },
];

impl Made {
    fn point(&self, value: f64, width: f64) -> Result<SweepPoint, SweepError> {
        // The bell is flat at its top, as measured ones are.
        let bell = |distance: f64, width: f64| (-(distance / width).abs().powf(2.6)).exp();
        let back = self.back * bell(180.0 - value.abs(), 30.0);
        let accuracy = self.floor + (self.top - self.floor) * bell(value, width) + back;
        let correct = (accuracy.min(0.999) * IMAGES as f64).round() as u64;
        let score = Score {
            mean_true_score: Some(0.04 + 0.93 * accuracy.min(1.0)),
            ..Score::new(IMAGES, correct)
        };
        SweepPoint::new(value, score)
    }

    fn curve(&self, values: impl Iterator<Item = f64>, scale: f64) -> Result<SweepCurve, SweepError> {
        let points: Result<Vec<_>, _> = values.map(|value| self.point(value, self.width * scale)).collect();
        Ok(SweepCurve {
            weights: "made up".to_owned(),
            true_class: self.true_class,
            ..SweepCurve::new(self.name, points?)
        })
    }
}

/// Rotations by every 5 degrees.
pub(crate) fn rotation() -> Result<Sweep, SweepError> {
    let mut sweep = Sweep::new(Family::degrees("rotation"));
    sweep.chance = Some(0.1);
    for model in &MODELS {
        sweep
            .curves
            .push(model.curve((-36..=36).map(|i| f64::from(5 * i)), 1.0)?);
    }
    Ok(sweep)
}

/// Shifts by up to eight pixels.
pub(crate) fn shift() -> Result<Sweep, SweepError> {
    let mut sweep = Sweep::new(Family::new("shift to the right", "px").with_identity(0.0));
    sweep.chance = Some(0.1);
    for model in &MODELS[..2] {
        sweep.curves.push(model.curve((-8..=8).map(f64::from), 0.12)?);
    }
    Ok(sweep)
}

/// A stroke that leans: enough to look at.
fn stroke(angle: f64) -> Result<GreyImage, ReportError> {
    let (sin, cos) = angle.to_radians().sin_cos();
    let pixel = |index: usize| {
        let (x, y) = ((index % 28) as f64 - 13.5, (index / 28) as f64 - 13.5);
        let (along, across) = (x * sin - y * cos, x * cos + y * sin);
        let hook = (along - 6.0).abs() < 1.6 && (-5.0..1.0).contains(&across);
        let ink = if hook || (along.abs() < 9.0 && across.abs() < 1.8) {
            255.0
        } else {
            0.0
        };
        ink as u8
    };
    GreyImage::new(28, 28, (0..28 * 28).map(pixel).collect())
}

fn digits(name: &str, angles: [f64; 8], right_up_to: f64) -> Result<Picture, ReportError> {
    let cells = angles.map(|angle| {
        let right = angle.abs() <= right_up_to;
        let answer = if right { "says 1" } else { "says 7" };
        Ok(Cell::new(stroke(angle)?)
            .line(number::degrees(angle), Tone::Neutral)
            .line(answer, Tone::of(right)))
    });
    let cells: Result<Vec<_>, ReportError> = cells.into_iter().collect();
    let sheet = DigitGrid::new(name, 4, cells?).sheet()?;
    let alt = format!("Eight rotated strokes with the answers of {name}, right up to {right_up_to} degrees");
    let caption = format!("{name}: the same stroke at eight angles (made up)");
    Ok(Picture::new(&sheet, alt, caption))
}

fn by_layer() -> LineChart {
    let layers = [0.91, 0.62, 0.34, 0.21];
    let points = layers
        .iter()
        .enumerate()
        .map(|(layer, &share)| (layer as f64 + 1.0, share));
    LineChart {
        title: "Held-out R² by layer".to_owned(),
        caption: "Made up. The band is the range over five seeds.".to_owned(),
        x: Axis::linear("layer").with_tick_step(1.0),
        y: Axis::linear("held-out R²").with_reference(0.2, "chance"),
        series: vec![
            Series::new("CapsNet", points.clone()).with_band(points.map(|(_, share)| (share - 0.04, share + 0.03))),
        ],
    }
}

fn ablations() -> Result<Table, ReportError> {
    let mut table = Table::new([
        Column::left("routing"),
        Column::right("iterations"),
        Column::right("accuracy"),
        Column::left("claim holds"),
    ]);
    for (routing, iterations, accuracy, holds) in [
        ("by agreement", "1", "99.21 % [99.02, 99.37]", true),
        ("by agreement", "3", "99.31 % [99.13, 99.45]", true),
        ("uniform", "0", "99.25 % [99.06, 99.40]", true),
        ("random", "0", "91.02 % [90.44, 91.57]", false),
    ] {
        let verdict = TableCell::new(if holds { "yes" } else { "no" }, Tone::of(holds));
        table.push([routing.into(), iterations.into(), accuracy.into(), verdict])?;
    }
    Ok(table)
}

const LEAD: &str = "What three models make of digits that turn and shift, though they learnt from upright ones. \
                    Every number on this page is made up to show the form of a report.";

/// The report.
pub(crate) fn report() -> Result<HtmlReport, ReportError> {
    let angles = [-60.0, -35.0, -15.0, 0.0, 15.0, 35.0, 60.0, 90.0];
    let pictures = vec![digits("LeNet-5", angles, 20.0)?, digits("CapsNet", angles, 40.0)?];
    Ok(
        HtmlReport::new("How far can a digit turn? (sample with made-up results)")
            .lead(LEAD)
            .fact(
                "Measured",
                "accuracy, and mean of what the model says of the true class",
            )
            .fact("Data", "1,000 images that do not exist")
            .fact(
                "Transform",
                "rotation about the centre, counterclockwise positive, bilinear",
            )
            .fact("Seed", "1")
            .command("cargo run -p capsnet-report --example sweep_report -- sweep-report")
            .sweep(
                "Rotation",
                "Positive angles turn the digit counterclockwise.",
                rotation()?,
            )
            .sweep("Shift", "", shift()?)
            .chart("Equivariance by layer", "", by_layer())
            .table("Ablations", "Any heading sorts the rows.", ablations()?)
            .pictures("Pictures", "", pictures),
    )
}

#[allow(dead_code, reason = "the browser's test takes the report alone")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "sweep-report".into()));
    std::fs::create_dir_all(&folder)?;
    report()?.save(&folder.join("report.html"))?;
    for (name, sweep) in [("rotation", rotation()?), ("shift", shift()?)] {
        save_json(&sweep, &folder.join(name).with_extension("json"))?;
        save_csv(std::slice::from_ref(&sweep), &folder.join(name).with_extension("csv"))?;
        let chart = LineChart {
            title: format!("Accuracy by {}", sweep.family.name),
            caption: "Made up. Bands are 95 % Wilson intervals.".to_owned(),
            ..accuracy_chart(&sweep)
        };
        chart.sheet()?.save_svg(&folder.join(name).with_extension("svg"))?;
        chart.sheet()?.save_png(&folder.join(name).with_extension("png"))?;
    }
    println!("wrote {}", folder.join("report.html").display());
    Ok(())
}
