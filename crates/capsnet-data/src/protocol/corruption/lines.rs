//! Corruptions that draw a bright line over the image.

use rand::{Rng, RngExt};

/// How far from its middle a line can be seen, in pixels; its brightness falls linearly to there.
const HALF_WIDTH: f64 = 1.5;
/// Columns drawn, and columns left out, of a dotted line.
const DASH: usize = 2;
/// How far a zigzag leaves its middle line, and a quarter of its period, in pixels.
const ZIGZAG: f64 = 2.0;
/// Columns at either end of a zigzag that it leaves free.
const ZIGZAG_MARGIN: f64 = 2.0;
/// How far the ends of a zigzag's middle line may differ in height, in pixels.
const ZIGZAG_SLOPE: f64 = 5.0;

/// A point: x to the right, y down, a pixel's centre at whole numbers.
type Point = [f64; 2];

/// Draws a dotted line from a random height at the left edge to another at the right.
pub(super) fn dotted(pixels: &mut [u8], width: usize, rng: &mut impl Rng) {
    let bottom = (pixels.len() / width - 1) as f64;
    let mut height = || bottom * rng.random::<f64>();
    let line = [[0.0, height()], [(width - 1) as f64, height()]];
    draw(pixels, width, &line, |column| (column / DASH).is_multiple_of(2));
}

/// Draws a zigzag around a nearly level line at a random height.
pub(super) fn zigzag(pixels: &mut [u8], width: usize, rng: &mut impl Rng) {
    let bottom = (pixels.len() / width - 1) as f64;
    let (start, end) = (ZIGZAG_MARGIN, ((width - 1) as f64 - ZIGZAG_MARGIN).max(ZIGZAG_MARGIN));
    let height = bottom * rng.random::<f64>();
    let slope = ZIGZAG_SLOPE * (2.0 * rng.random::<f64>() - 1.0) / (end - start).max(1.0);
    let middle = |x: f64| height + slope * (x - start);
    let mut line = vec![[start, middle(start)]];
    let peaks = (0..).map(|peak| {
        (
            start + ZIGZAG * f64::from(2 * peak + 1),
            if peak % 2 == 0 { ZIGZAG } else { -ZIGZAG },
        )
    });
    line.extend(
        peaks
            .take_while(|(x, _)| *x < end)
            .map(|(x, offset)| [x, middle(x) + offset]),
    );
    line.push([end, middle(end)]);
    draw(pixels, width, &line, |_| true);
}

/// Adds a line through `points`, in the columns where it is `visible`.
fn draw(pixels: &mut [u8], width: usize, points: &[Point], visible: impl Fn(usize) -> bool) {
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let (column, line) = (index % width, index / width);
        if visible(column) {
            let pixel_centre = [column as f64, line as f64];
            let distances = points.windows(2).map(|ends| distance(pixel_centre, ends[0], ends[1]));
            let nearest = distances.fold(f64::INFINITY, f64::min);
            let light = 255.0 * (1.0 - nearest / HALF_WIDTH).max(0.0);
            *pixel = pixel.saturating_add(light.round() as u8);
        }
    }
}

/// From a point to the nearest one between `from` and `to`.
fn distance([x, y]: Point, from: Point, to: Point) -> f64 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let length = along[0] * along[0] + along[1] * along[1];
    let share = if length > 0.0 {
        (((x - from[0]) * along[0] + (y - from[1]) * along[1]) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (x - from[0] - share * along[0]).hypot(y - from[1] - share * along[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_to_the_segment() {
        assert_eq!(distance([3.0, 4.0], [0.0, 0.0], [0.0, 0.0]), 5.0);
        assert_eq!(distance([5.0, 2.0], [0.0, 0.0], [9.0, 0.0]), 2.0);
        assert_eq!(distance([13.0, 3.0], [0.0, 0.0], [9.0, 0.0]), 5.0);
    }

    #[test]
    fn a_line_is_brightest_in_its_middle() {
        let mut pixels = [0; 15];
        draw(&mut pixels, 5, &[[0.0, 1.0], [4.0, 1.0]], |column| column < 4);
        assert_eq!(pixels, [85, 85, 85, 85, 0, 255, 255, 255, 255, 0, 85, 85, 85, 85, 0]);
    }
}
