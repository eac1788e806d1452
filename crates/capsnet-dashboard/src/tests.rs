//! What stands on a terminal of ratatui's own, after events as training tells them.

use std::time::Duration;

use capsnet::model::LeNet5Config;
use capsnet::train::{EpochMetrics, EpochRecord, Event, Grid, Position, RunFolder, StepRecord, TrainConfig};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::draw::draw;
use super::seen::{Mistake, Seen};
use super::{Dashboard, Keys};

const NAMES: [&str; 10] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
];

fn config() -> TrainConfig {
    TrainConfig {
        epochs: 3,
        validation: 100,
        ..TrainConfig::for_model(LeNet5Config::default().into())
    }
}

fn folder() -> (tempfile::TempDir, RunFolder) {
    let home = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(&home.path().join("mine"), &config()).unwrap();
    (home, folder)
}

fn at(epoch: u64, step: u64) -> Position {
    Position {
        epoch,
        step,
        ..Position::default()
    }
}

fn noted(step: u64, loss: f64) -> StepRecord {
    serde_json::from_value(
        serde_json::json!({ "step": step, "epoch": 1, "learning_rate": 1e-3, "loss": loss,
        "accuracy": 0.5, "gradient_norm": 2.0, "images_per_second": 300.0 }),
    )
    .unwrap()
}

fn epoch(epoch: u64, loss: f64) -> EpochMetrics {
    EpochMetrics {
        epoch,
        step: 10 * epoch,
        learning_rate: 1e-3,
        train_loss: loss,
        train_accuracy: Some(0.9),
        validation_loss: Some(loss / 2.0),
        validation_accuracy: Some(0.9876),
        best: epoch == 1,
        seconds: 1.0,
    }
}

/// A training in its second epoch.
fn seen(folder: &RunFolder) -> Seen {
    let mut seen = Seen::new(&config(), folder, &NAMES.map(String::from));
    let mut heard = 0;
    let mut hear = |event: &Event| {
        heard += 1;
        seen.hear(event, Duration::from_millis(100 * heard));
    };
    hear(&Event::Started {
        position: &at(0, 0),
        images: 1000,
        parameters: 44_426,
    });
    for step in 1..=10 {
        hear(&Event::Step {
            position: &at(0, step),
            images_done: 100 * step as usize,
            loss: 1.0 / step as f64,
        });
        hear(&Event::Noted(&noted(step, 1.0 / step as f64)));
    }
    let mut confusion = vec![vec![0; 10]; 10];
    (confusion[4][4], confusion[4][9], confusion[7][1]) = (8, 2, 1);
    hear(&Event::Seen(&EpochRecord {
        epoch: 1,
        step: 10,
        confusion: Some(confusion),
        lengths: None,
        grid: Grid::default(),
        mistakes: None,
    }));
    hear(&Event::Epoch(&epoch(1, 0.25)));
    hear(&Event::Step {
        position: &at(1, 11),
        images_done: 100,
        loss: 0.0625,
    });
    seen
}

fn shown(seen: &Seen, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, seen)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn bar_curves_validation_mistakes_and_keys_are_there() {
    let (_home, folder) = folder();
    let seen = seen(&folder);
    let screen = shown(&seen, 100, 30);
    for words in [
        "LeNet-5  44,426 parameters, 1,000 images, 100 held out",
        "epoch 2/3  100/1,000 images",
        "loss 0.0625",
        "after epoch 1",
        "validation  0.1250  98.76 %",
        "best so far: epoch 1",
        "four taken for nine: 2 of 10",
        "seven taken for one: 1 of 1",
        "accuracy, %",
        "q or Ctrl-C: stop with a checkpoint",
    ] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
    let is_braille = |c: char| ('\u{2801}'..='\u{28ff}').contains(&c);
    assert!(screen.chars().filter(|&c| is_braille(c)).count() > 10, "{screen}");
}

#[test]
fn speed_and_time_left_are_those_of_this_process() {
    let (_home, folder) = folder();
    // 1,000 images after the first step, in the 2.2 seconds since then: an event comes every 0.1 s.
    let seen = seen(&folder);
    let speed = seen.images_a_second().unwrap();
    assert!((speed - 1000.0 / 2.2).abs() < 1e-9, "{speed}");
    // 900 of this epoch and 1,000 of the third.
    let left = seen.time_left().unwrap().as_secs_f64();
    assert!((left - 1900.0 / speed).abs() < 1e-6, "{left}");
}

#[test]
fn it_fits_any_terminal() {
    let (_home, folder) = folder();
    let mut seen = seen(&folder);
    seen.notices = vec!["one".to_owned(), "two".to_owned(), "three".to_owned()];
    for (width, height) in [(1, 1), (10, 3), (40, 12), (76, 8), (80, 24), (300, 100)] {
        let screen = shown(&seen, width, height);
        assert!(height < 4 || width < 40 || screen.contains("epoch 2/3"), "{screen}");
    }
    seen.log = true;
    assert!(shown(&seen, 100, 30).contains("loss, logarithmic"));
    // Before there is anything, and where numbers are none.
    let mut fresh = Seen::new(&config(), &folder, &[]);
    assert!(shown(&fresh, 120, 24).contains("validation comes with the"));
    fresh.hear(&Event::Noted(&noted(1, f64::MAX)), Duration::ZERO);
    fresh.hear(&Event::Noted(&noted(2, 0.0)), Duration::ZERO);
    fresh.log = true;
    shown(&fresh, 80, 24);
}

#[test]
fn mistakes_are_in_order_and_right_answers_are_none() {
    let (_home, folder) = folder();
    let mistake = |truth, said, count, of| Mistake { truth, said, count, of };
    assert_eq!(seen(&folder).mistakes(), [mistake(4, 9, 2, 10), mistake(7, 1, 1, 1)]);
}

#[test]
fn a_run_that_goes_on_has_its_curves_without_a_point_twice() {
    let (_home, folder) = folder();
    std::fs::create_dir_all(folder.record_path()).unwrap();
    let lines: String = (1..=3)
        .map(|step| format!("{}\n", serde_json::to_string(&noted(step, 1.0)).unwrap()))
        .collect();
    std::fs::write(folder.record_path().join("steps.jsonl"), lines).unwrap();
    folder.append_metrics(&epoch(1, 0.5)).unwrap();
    let terminal = Terminal::new(TestBackend::new(100, 30)).unwrap();
    let keys = || Keys { stop: true, log: true };
    let mut dashboard = Dashboard::new(terminal, &config(), &folder, &[], keys);
    let started = Event::Started {
        position: &at(1, 3),
        images: 1000,
        parameters: 1,
    };
    dashboard.hear(&started, &folder).unwrap();
    dashboard.hear(&Event::Noted(&noted(4, 0.5)), &folder).unwrap();
    let steps: Vec<f64> = dashboard.seen.steps[0].iter().map(|&(step, _)| step).collect();
    assert_eq!(steps, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(dashboard.seen.metrics, [epoch(1, 0.5)]);
    let screen = dashboard.terminal.backend().to_string();
    assert!(screen.contains("stopping with a checkpoint"), "{screen}");
    assert!(screen.contains("loss, logarithmic"), "{screen}");
}
