//! Which marks on a page are the figure's strokes: no specks, no ruled lines, no edges of the page, no frame.

use super::Plane;
use super::rules::without_rules;

/// Marks of less contrast than this that keep to the picture's edges are no figure.
const FAINT: f32 = 0.15;

/// How much of a mark's contrast goes within a sixtieth of the picture where the mark has an edge.
const EDGE: f32 = 0.3;

/// A connected mark.
#[derive(Clone, Debug)]
struct Mark {
    pixels: Vec<usize>,
    /// First and last column and row.
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
    /// Sum of its contrast.
    ink: f32,
}

impl Mark {
    fn width(&self) -> usize {
        self.right - self.left + 1
    }

    fn height(&self) -> usize {
        self.bottom - self.top + 1
    }

    fn longest(&self) -> usize {
        self.width().max(self.height())
    }

    /// How many pixels of ground lie between this mark's box and another's, the longer way.
    fn gap(&self, other: &Self) -> usize {
        let between = |a: (usize, usize), b: (usize, usize)| a.0.saturating_sub(b.1).max(b.0.saturating_sub(a.1));
        let across = between((self.left, self.right), (other.left, other.right));
        across.max(between((self.top, self.bottom), (other.top, other.bottom)))
    }

    /// Whether it comes in from the picture's edge and keeps to it, as a desk beside the paper or a finger does.
    fn is_page_edge(&self, plane: &Plane) -> bool {
        let (width, height) = (plane.width, plane.height);
        let at = |edge: &dyn Fn(usize, usize) -> bool| {
            self.pixels.iter().filter(|&&at| edge(at % width, at / width)).count()
        };
        let touched = [
            at(&|x, _| x == 0) as f32 / height as f32,
            at(&|x, _| x + 1 == width) as f32 / height as f32,
            at(&|_, y| y == 0) as f32 / width as f32,
            at(&|_, y| y + 1 == height) as f32 / width as f32,
        ];
        let touched: f32 = touched.iter().sum();
        // Of what runs along an edge much lies on it; a stroke that runs off the page crosses it once or twice.
        let on_edge = touched * width.min(height) as f32 / self.longest() as f32;
        touched > 0.6 || on_edge > 0.3
    }

    /// Whether it ends somewhere, as ink does: light fades.
    fn has_an_edge(&self, contrast: &Plane) -> bool {
        let (width, height) = (contrast.width, contrast.height);
        let reach = (width.max(height) / 60).max(2);
        let most = self.pixels.iter().map(|&at| contrast.values[at]).fold(0.0, f32::max);
        self.pixels.iter().any(|&at| {
            let (x, y) = (at % width, at / width);
            let around = [
                x.checked_sub(reach).map(|x| (x, y)),
                Some((x + reach, y)).filter(|&(x, _)| x < width),
                y.checked_sub(reach).map(|y| (x, y)),
                Some((x, y + reach)).filter(|&(_, y)| y < height),
            ];
            let mut beside = around.into_iter().flatten();
            beside.any(|(x, y)| contrast.values[at] - contrast.at(x, y) > EDGE * most)
        })
    }

    /// Whether it is a frame around another mark: hollow, straight, and with nothing of its own inside.
    fn frames(&self, other: &Self, width: usize) -> bool {
        let inside =
            self.left < other.left && other.right < self.right && self.top < other.top && other.bottom < self.bottom;
        let band = |side: usize| (side / 10).max(1);
        let (across, down) = (band(self.width()), band(self.height()));
        let on_rim = |&&at: &&usize| {
            let (x, y) = (at % width, at / width);
            x < self.left + across || x + across > self.right || y < self.top + down || y + down > self.bottom
        };
        let rim = self.pixels.iter().filter(on_rim).count();
        // A zero has little in the corners of its box, a frame has four.
        let corner = |x: usize, y: usize| {
            self.pixels
                .iter()
                .any(|&at| (at % width).abs_diff(x) <= across && (at / width).abs_diff(y) <= down)
        };
        let corners = [
            (self.left, self.top),
            (self.right, self.top),
            (self.left, self.bottom),
            (self.right, self.bottom),
        ];
        inside
            && 3 * other.longest() > self.longest()
            && 10 * rim > 9 * self.pixels.len()
            && corners.into_iter().all(|(x, y)| corner(x, y))
    }
}

/// What is shorter than this the longer way is a speck, in a picture of this size.
pub(super) fn shortest(width: usize, height: usize) -> usize {
    (width.max(height) / 50).max(3)
}

/// The figure's strokes, 1 where they are and 0 elsewhere: marks that have more contrast than `begin` somewhere and
/// more than `least` everywhere. None if there are none.
pub(super) fn strokes(contrast: &Plane, least: f32, begin: f32) -> Option<Plane> {
    let mask = without_rules(&contrast.map(|value| f32::from(u8::from(value > least))));
    let mut marks = marks(&mask, contrast);
    marks.retain(|mark| mark.pixels.iter().any(|&at| contrast.values[at] > begin));
    marks.retain(|mark| mark.longest() >= shortest(contrast.width, contrast.height));
    let is_edge: Vec<bool> = marks.iter().map(|mark| mark.is_page_edge(contrast)).collect();
    let total = |edge: bool| {
        let those = marks.iter().zip(&is_edge).filter(|(_, is)| **is == edge);
        those.map(|(mark, _)| mark.longest()).max().unwrap_or(0)
    };
    // A figure that fills its picture touches the edges too; it goes only for something that could be the figure, or if
    // it is faint, as the darkest part of uneven light.
    if total(false) * 8 > total(true) || begin < FAINT {
        let mut edges = is_edge.iter();
        marks.retain(|_| edges.next() == Some(&false));
    }
    // Nor is what fades into the ground, as the corners of a photograph do.
    marks.retain(|mark| mark.has_an_edge(contrast));
    let frames: Vec<bool> = marks
        .iter()
        .map(|mark| marks.iter().any(|other| mark.frames(other, contrast.width)))
        .collect();
    let mut frames = frames.iter();
    marks.retain(|_| frames.next() == Some(&false));
    let main = marks.iter().max_by(|a, b| a.ink.total_cmp(&b.ink))?.clone();
    let mut plane = mask.map(|_| 0.0);
    for mark in &marks {
        let near = mark.gap(&main) * 4 <= main.longest();
        // A hairline is the edge of something else.
        let thin = 5 * mark.pixels.len() * main.longest() < main.pixels.len() * mark.longest();
        if near && !thin && mark.ink > 0.02 * main.ink {
            mark.pixels.iter().for_each(|&at| plane.values[at] = 1.0);
        }
    }
    Some(plane)
}

/// The connected marks of a mask, over sides and corners.
fn marks(mask: &Plane, contrast: &Plane) -> Vec<Mark> {
    let (width, height) = (mask.width, mask.height);
    let mut waiting: Vec<bool> = mask.values.iter().map(|&value| value > 0.0).collect();
    let mut marks = Vec::new();
    let mut open = Vec::new();
    for start in 0..waiting.len() {
        if !std::mem::take(&mut waiting[start]) {
            continue;
        }
        let (x, y) = (start % width, start / width);
        let mut mark = Mark {
            pixels: Vec::new(),
            left: x,
            right: x,
            top: y,
            bottom: y,
            ink: 0.0,
        };
        open.push(start);
        while let Some(at) = open.pop() {
            let (x, y) = (at % width, at / width);
            mark.pixels.push(at);
            mark.ink += contrast.values[at];
            (mark.left, mark.right) = (mark.left.min(x), mark.right.max(x));
            (mark.top, mark.bottom) = (mark.top.min(y), mark.bottom.max(y));
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for x in x.saturating_sub(1)..(x + 2).min(width) {
                    if std::mem::take(&mut waiting[y * width + x]) {
                        open.push(y * width + x);
                    }
                }
            }
        }
        marks.push(mark);
    }
    marks
}
