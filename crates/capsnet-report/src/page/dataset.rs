//! A data set in words and as pictures: examples of every class, and what the images of a class have in common.

use capsnet_data::source::Survey;

use crate::colour::ColourImage;
use crate::drawing::Sheet;
use crate::error::ReportError;
use crate::grid::{Cell, DigitGrid};
use crate::number::{count, counted};
use crate::table::{Column, Table};
use crate::tone::Tone;

/// Examples of a class in the picture.
const EXAMPLES: usize = 8;

/// Classes of which several examples fit into the picture.
const FEW_CLASSES: usize = 64;

/// What there is: a sentence, a table with a row a class, and what there is to remark.
///
/// # Errors
///
/// None that a data set causes.
pub fn text(survey: &Survey) -> Result<String, ReportError> {
    let colour = match survey.channels {
        1 => "grey".to_owned(),
        3 => "in colour".to_owned(),
        channels => format!("of {channels} channels"),
    };
    let mut text = format!(
        "{} ({}): {} to train on and {} to test on, of {} x {} pixels, {colour}, in {}\n\n",
        survey.name,
        survey.source,
        counted(survey.train as u64, "image"),
        count(survey.test as u64),
        survey.height,
        survey.width,
        counted(survey.classes.len() as u64, "class")
    );
    let columns = [
        Column::right("label"),
        Column::left("class"),
        Column::right("train"),
        Column::right("test"),
    ];
    let mut table = Table::new(columns);
    for (label, class) in survey.classes.iter().enumerate() {
        let [train, test] = [class.train, class.test].map(|images| count(images as u64));
        table.push([label.to_string(), class.name.clone(), train, test])?;
    }
    text += &table.to_text();
    for remark in &survey.remarks {
        text += &format!("\nnote: {remark}");
    }
    Ok(text)
}

/// The first images of every class.
///
/// # Errors
///
/// [`ReportError`] if the picture would be too large.
pub fn examples(survey: &Survey) -> Result<Sheet, ReportError> {
    let several = survey.classes.len() <= FEW_CLASSES;
    let (split, data) = &survey.parts[0];
    let of_class = survey.examples(if several { EXAMPLES } else { 1 });
    let shown = of_class.into_iter().zip(&survey.classes).flat_map(|(indices, class)| {
        let image = |index: usize| (data.image(index), class.name.clone());
        indices.into_iter().map(image).collect::<Vec<_>>()
    });
    let shown = LabelledImages {
        size: [survey.height, survey.width],
        images: shown.collect(),
    };
    let title = format!("The first images of each class of {}", survey.name);
    images(title, format!("images to {split} on"), EXAMPLES, &shown)
}

/// The mean of all images, and of those of every class.
///
/// # Errors
///
/// [`ReportError`] if the picture would be too large.
pub fn means(survey: &Survey) -> Result<Sheet, ReportError> {
    let all = survey.mean();
    let of_classes = survey.means();
    let classes = of_classes.iter().zip(&survey.classes);
    let classes = classes.filter_map(|(mean, class)| Some((mean.as_deref()?, class.name.clone())));
    let shown = LabelledImages {
        size: [survey.height, survey.width],
        images: std::iter::once((all.as_slice(), "all".to_owned()))
            .chain(classes)
            .collect(),
    };
    let title = format!("The mean image of {}, and of each class", survey.name);
    let split = survey.parts[0].0;
    images(title, format!("images to {split} on"), EXAMPLES, &shown)
}

/// Images in colour or grey, plane by plane, with what is to be said of each.
pub struct LabelledImages<'a> {
    /// Rows and columns of an image.
    pub size: [usize; 2],
    /// The images, with the line under each.
    pub images: Vec<(&'a [u8], String)>,
}

/// The images side by side, `columns` in a row, under a title.
///
/// # Errors
///
/// [`ReportError`] if there are none, an image has another size, or the picture would be too large.
pub fn images(
    title: impl Into<String>,
    caption: impl Into<String>,
    columns: usize,
    shown: &LabelledImages,
) -> Result<Sheet, ReportError> {
    let [height, width] = shown.size;
    let cell = |(pixels, line): &(&[u8], String)| {
        let image = ColourImage::of_planes(width, height, pixels)?;
        Ok(Cell::new(image).line(line, Tone::Neutral))
    };
    let cells = shown.images.iter().map(cell).collect::<Result<Vec<_>, ReportError>>()?;
    let mut grid = DigitGrid::new(title, columns, cells);
    grid.caption = caption.into();
    // Digits of 28 x 28 have the usual scale; larger images don't fill the page.
    grid.scale = (DigitGrid::SCALE * 28.0 / height.max(width) as f64).clamp(0.25, 8.0);
    if grid.scale > 1.0 {
        grid.scale = grid.scale.round();
    }
    grid.sheet()
}
