//! How the dashboard looks: the bar, the curves, the newest validation and its mistakes, the keys.

use capsnet_report::duration::duration;
use capsnet_report::number::{count, measure, percent};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, Paragraph, Wrap};

use super::seen::{Points, Seen};

const TRAINING: Color = Color::Cyan;
const VALIDATION: Color = Color::Yellow;
/// Columns that the figures beside the curves take, and the least that curves are readable in.
const SIDE: u16 = 30;
const NARROW: u16 = 76;
/// Rows of a curve that can be read.
const CURVE: u16 = 6;

/// Draws all of it, whatever the size of the terminal.
pub(crate) fn draw(frame: &mut Frame, seen: &Seen) {
    let notices = seen.notices.len().min(2) as u16;
    let fixed = Constraint::Length;
    let parts = [fixed(1), fixed(2), Constraint::Min(0), fixed(notices), fixed(1)];
    let [head, bar, middle, notes, keys] = Layout::vertical(parts).areas(frame.area());
    frame.render_widget(heading(seen), head);
    progress(frame, bar, seen);
    body(frame, middle, seen);
    let newest = seen.notices.iter().rev().take(usize::from(notices)).rev();
    frame.render_widget(
        Paragraph::new(newest.map(|notice| Line::raw(notice.as_str())).collect::<Vec<_>>()),
        notes,
    );
    frame.render_widget(
        Paragraph::new(if seen.stopping {
            "stopping with a checkpoint after this step; q or Ctrl-C again stops at once"
        } else {
            "q or Ctrl-C: stop with a checkpoint   l: logarithmic loss"
        }),
        keys,
    );
}

fn heading(seen: &Seen) -> Line<'_> {
    let facts = format!(
        "  {} parameters, {} images, {} held out  {}",
        count(seen.parameters as u64),
        count(seen.images as u64),
        count(seen.held_out as u64),
        seen.folder
    );
    Line::from(vec![
        Span::styled(seen.title.as_str(), Modifier::BOLD),
        Span::raw(facts),
    ])
}

fn progress(frame: &mut Frame, area: Rect, seen: &Seen) {
    let share = seen.images_done as f64 / seen.images.max(1) as f64;
    let mut words = format!(
        "epoch {}/{}  {}/{} images",
        seen.epoch.min(seen.epochs),
        seen.epochs,
        count(seen.images_done as u64),
        count(seen.images as u64)
    );
    if let Some(speed) = seen.images_a_second() {
        words += &format!("  {speed:.0} images/s");
    }
    if let Some(left) = seen.time_left() {
        words += &format!("  {} left", duration(left));
    }
    if let Some(loss) = seen.loss {
        words += &format!("  loss {loss:.4}");
    }
    let [line, bar] = Layout::vertical([Constraint::Length(1); 2]).areas(area);
    frame.render_widget(Line::raw(words), line);
    let gauge = Gauge::default()
        .gauge_style(Style::new().fg(TRAINING))
        .ratio(share.clamp(0.0, 1.0));
    frame.render_widget(gauge.use_unicode(true), bar);
}

fn body(frame: &mut Frame, area: Rect, seen: &Seen) {
    let figures = figures(seen);
    if area.width >= NARROW {
        let [left, right] = Layout::horizontal([Constraint::Min(0), Constraint::Length(SIDE)]).areas(area);
        curves(frame, left, seen);
        frame.render_widget(Paragraph::new(figures).wrap(Wrap { trim: false }), right);
    } else if area.height >= CURVE + figures.len() as u16 {
        let rows = [Constraint::Min(0), Constraint::Length(figures.len() as u16)];
        let [top, bottom] = Layout::vertical(rows).areas(area);
        curves(frame, top, seen);
        frame.render_widget(Paragraph::new(figures), bottom);
    } else {
        frame.render_widget(Paragraph::new(figures), area);
    }
}

/// The newest validation, and the mistakes in it.
fn figures(seen: &Seen) -> Vec<Line<'_>> {
    let bold = |text: String| Line::from(Span::styled(text, Modifier::BOLD));
    let Some(last) = seen.metrics.last() else {
        return vec![Line::raw("validation comes with the first epoch")];
    };
    let mut lines = vec![bold(format!("after epoch {}", last.epoch))];
    let row = |of: &str, loss: f64, accuracy: Option<f64>| {
        let accuracy = accuracy.map_or_else(String::new, |share| percent(share, 2));
        Line::raw(format!("{of:<12}{loss:.4}  {accuracy}"))
    };
    lines.push(row("training", last.train_loss, last.train_accuracy));
    if let Some(loss) = last.validation_loss {
        lines.push(row("validation", loss, last.validation_accuracy));
    }
    if let Some(best) = seen.metrics.iter().rev().find(|metrics| metrics.best) {
        lines.push(Line::raw(format!("best so far: epoch {}", best.epoch)));
    }
    let mistakes = seen.mistakes();
    if !mistakes.is_empty() {
        lines.push(Line::raw(""));
        lines.push(bold("most frequent mistakes".to_owned()));
    }
    let name = |class: usize| seen.classes.get(class).map_or("?", String::as_str);
    for mistake in mistakes.iter().take(5) {
        let words = format!("{} taken for {}", name(mistake.truth), name(mistake.said));
        lines.push(Line::raw(format!("{words}: {} of {}", mistake.count, mistake.of)));
    }
    lines
}

fn curves(frame: &mut Frame, area: Rect, seen: &Seen) {
    let log = seen.log;
    let scaled = |points: &[(f64, f64)]| -> Points {
        let all = points.iter();
        match log {
            true => all.filter(|(_, y)| *y > 0.0).map(|&(x, y)| (x, y.log10())).collect(),
            false => points.to_vec(),
        }
    };
    let losses = Curve {
        title: if log { "loss, logarithmic" } else { "loss" },
        training: scaled(&seen.steps[0]),
        validation: scaled(&seen.of_epochs(|metrics| metrics.validation_loss)),
        label: if log { |y| measure(10_f64.powf(y)) } else { measure },
    };
    let accuracies = Curve {
        title: "accuracy, %",
        training: seen.steps[1].clone(),
        validation: seen.of_epochs(|metrics| metrics.validation_accuracy.map(|share| 100.0 * share)),
        label: measure,
    };
    if area.height >= 2 * CURVE && seen.names_classes {
        let [top, bottom] = Layout::vertical([Constraint::Fill(1); 2]).areas(area);
        losses.draw(frame, top);
        accuracies.draw(frame, bottom);
    } else {
        losses.draw(frame, area);
    }
}

/// One measure along the steps: of training smoothed, of validation as it is.
struct Curve {
    title: &'static str,
    training: Points,
    validation: Points,
    label: fn(f64) -> String,
}

impl Curve {
    fn draw(&self, frame: &mut Frame, area: Rect) {
        let title = Line::from(vec![
            Span::raw(format!(" {}: ", self.title)),
            Span::styled("training", TRAINING),
            Span::raw(", "),
            Span::styled("validation ", VALIDATION),
        ]);
        let block = Block::bordered().title(title);
        let all = || self.training.iter().chain(&self.validation);
        let finite = all().filter(|(_, y)| y.is_finite());
        let bounds = finite.fold(None, |found: Option<(f64, f64, f64)>, &(x, y)| {
            let (last, low, high) = found.unwrap_or((x, y, y));
            Some((last.max(x), low.min(y), high.max(y)))
        });
        let Some((last, low, high)) = bounds else {
            return frame.render_widget(block, area);
        };
        // A flat line needs a height, too.
        let room = ((high - low) * 0.05).max(1e-4 * high.abs()).max(1e-9);
        let (low, high) = (low - room, high + room);
        let lines = [
            (&self.training, TRAINING, Marker::Braille, "training"),
            (&self.validation, VALIDATION, Marker::Dot, "validation"),
        ];
        let sets = lines.map(|(points, colour, marker, _)| {
            Dataset::default()
                .data(points)
                .style(Style::new().fg(colour))
                .marker(marker)
                .graph_type(GraphType::Line)
        });
        let chart = Chart::new(sets.to_vec())
            .block(block)
            .x_axis(
                Axis::default()
                    .bounds([0.0, last.max(1.0)])
                    .labels(["0".to_owned(), format!("step {last}")]),
            )
            .y_axis(
                Axis::default()
                    .bounds([low, high])
                    .labels([(self.label)(low), (self.label)(high)]),
            )
            .legend_position(None);
        frame.render_widget(chart, area);
    }
}
