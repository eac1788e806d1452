//! Full turns as a table.

use capsnet_measure::sweep::Circle;

use crate::number::{degrees, percent, percent_with_interval};
use crate::table::{Column, Table};

/// What stands above the table.
pub const CIRCLE: &str = "All angles of a full turn, each counted once; an image at all angles is one observation of \
    the interval.";

/// One row a model: the mean over the circle, the worst angle, and the two classes that are most easily mixed up;
/// `classes` are the names of the data's classes. `None` without a full turn.
#[must_use]
pub fn circles(circles: &[Circle], classes: &[String]) -> Option<Table> {
    let angles = circles.first()?.angles;
    let name = |class: usize| classes.get(class).cloned().unwrap_or_else(|| class.to_string());
    let has_mixed = circles.iter().any(|circle| circle.mixed.is_some());
    let columns = [
        Column::left("model"),
        Column::right(format!("mean over {angles} angles")),
        Column::right("worst"),
        Column::right("at"),
    ];
    let mixed = has_mixed.then(|| Column::right("taken for each other"));
    let mut table = Table::new(columns.into_iter().chain(mixed));
    for circle in circles {
        let mean = match circle.interval {
            Some(interval) => percent_with_interval(circle.accuracy, interval),
            None => percent(circle.accuracy, 2),
        };
        let worst = [percent(circle.worst_accuracy, 2), degrees(circle.worst)];
        let mixed = has_mixed.then(|| {
            circle.mixed.as_ref().map_or(String::new(), |mixed| {
                let [first, second] = mixed.classes.map(name);
                format!("{first} and {second}: {}", percent(mixed.share(), 2))
            })
        });
        table.push_full([circle.model.clone(), mean].into_iter().chain(worst).chain(mixed));
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use capsnet_measure::Interval;
    use capsnet_measure::sweep::Mixed;

    #[test]
    fn a_row_says_mean_worst_and_mixed() {
        let circle = Circle {
            model: "a".to_owned(),
            angles: 36,
            accuracy: 0.984,
            interval: Some(Interval { low: 0.98, high: 0.988 }),
            worst: -170.0,
            worst_accuracy: 0.97,
            mixed: Some(Mixed {
                classes: [6, 9],
                shown: 200,
                mixed_up: 3,
            }),
        };
        let bare = Circle {
            interval: None,
            mixed: None,
            ..circle.clone()
        };
        let names: Vec<String> = (0..10).map(|class| format!("class {class}")).collect();
        let text = circles(&[circle, bare.clone()], &names).unwrap().to_text();
        for words in [
            "mean over 36 angles",
            "98.40 % [98.00, 98.80]",
            "-170°",
            "class 6 and class 9: 1.50 %",
        ] {
            assert!(text.contains(words), "{text}");
        }
        let text = circles(&[bare], &[]).unwrap().to_text();
        assert!(!text.contains("each other"), "{text}");
        assert!(circles(&[], &[]).is_none());
    }
}
