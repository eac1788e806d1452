//! Models' answers to pictures, as text.

use capsnet_measure::PictureAnswer;

use crate::error::ReportError;
use crate::table::{Column, Table};

/// A table with a row an answer, and the files that were written, each once; pictures without an answer are left out.
/// With `scores` there is a column for every class.
///
/// # Errors
///
/// None that answers cause.
pub fn text(answers: &[PictureAnswer], scores: bool) -> Result<String, ReportError> {
    let classes = answers.iter().filter_map(|answer| answer.details.as_ref());
    let classes = classes.map(|details| details.scores.len()).max().unwrap_or(0);
    let shown = if scores { classes } else { 0 };
    let columns = ["picture", "model", "answer", "score"].map(Column::left);
    let of_classes = (0..shown).map(|class| Column::right(class.to_string()));
    let mut table = Table::new(columns.into_iter().chain(of_classes));
    for record in answers {
        let Some(details) = &record.details else { continue };
        let answer = record.prediction.clone().unwrap_or_default();
        let score = format!("{} {:.3}", record.unit.unwrap_or_default(), details.score());
        let [answer, score] = match record.recognised {
            true => [answer, score],
            false => {
                let least = record.threshold.unwrap_or_default();
                let said = format!("{answer}, {score}, is below {least}");
                ["nothing recognised".to_owned(), said]
            }
        };
        let model = record.model.clone().unwrap_or_default();
        let of_class = |class: usize| details.scores.get(class).map(|score| format!("{score:.3}"));
        let of_classes = (0..shown).map(|class| of_class(class).unwrap_or_default());
        let row = [record.image.clone(), model, answer, score];
        table.push(row.into_iter().chain(of_classes))?;
    }
    let mut text = table.to_text().trim_end().to_owned();
    let mut last = None;
    for path in answers
        .iter()
        .flat_map(|record| [&record.seen, &record.reconstruction])
        .flatten()
    {
        if last.replace(path) != Some(path) {
            text += &format!("\nwrote {path}");
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use capsnet_measure::Prediction;

    use super::*;

    fn answer(class: usize, recognised: bool) -> PictureAnswer {
        PictureAnswer {
            image: "a.png".to_owned(),
            model: Some("LeNet-5".to_owned()),
            prediction: Some(class.to_string()),
            recognised,
            unit: Some("probability"),
            threshold: Some(0.75),
            details: Some(Prediction {
                class,
                scores: vec![0.25, 0.5],
                outputs: Vec::new(),
                reconstruction: None,
            }),
            seen: Some("seen/a.png".to_owned()),
            ..PictureAnswer::default()
        }
    }

    #[test]
    fn answers_are_rows_and_files_are_said_once() {
        let answers = [
            answer(1, true),
            answer(1, false),
            PictureAnswer::failed("b.png", "no picture"),
        ];
        let text = text(&answers, true).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("picture  model    answer"), "{text}");
        assert!(lines[2].contains("1                   probability 0.500"), "{text}");
        assert!(lines[2].ends_with("0.250  0.500"), "{text}");
        assert!(
            lines[3].contains("nothing recognised  1, probability 0.500, is below 0.75"),
            "{text}"
        );
        assert_eq!(lines[4..], ["wrote seen/a.png"]);
    }
}
