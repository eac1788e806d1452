//! Ruled and squared paper: lines as dark as the ink that run from edge to edge.
//!
//! Lines that are fainter than the ink are dropped with everything else that is faint. Of those that aren't, every
//! straight line that is up to some degrees from level (and, on squared paper, from upright) is tried, and taken for a
//! rule if nearly all of it is marked. What goes is the part of the line where the mark is thin: a stroke that crosses
//! it stays whole.

use super::Plane;

/// How much of a line must be marked.
const MARKED: f32 = 0.85;

/// The steepest line, as a share of the picture's width.
const STEEPEST: f32 = 0.07;

/// A mask without the rules that run from edge to edge.
pub(super) fn without_rules(mask: &Plane) -> Plane {
    let across = without_level_rules(mask);
    without_level_rules(&across.transposed()).transposed()
}

fn without_level_rules(mask: &Plane) -> Plane {
    let (width, height) = (mask.width, mask.height);
    let thickest = (height / 40).max(2);
    if width < 64 || height < 64 {
        return mask.clone();
    }
    let thin = thin_runs(mask, thickest);
    let reach = (STEEPEST * width as f32) as isize;
    // A line of one pixel that leans by a part of a pixel is a step beside the straight one here and there.
    let (near, thin_near) = (beside(mask), beside(&thin));
    let mut cleared = mask.clone();
    let mut lines: Vec<isize> = Vec::new();
    for rise in -reach..=reach {
        for start in -reach..height as isize + reach {
            let row = |x: usize| start + rise * x as isize / width as isize;
            let on = |plane: &Plane, x: usize| {
                usize::try_from(row(x))
                    .ok()
                    .filter(|&y| y < height)
                    .is_some_and(|y| plane.at(x, y) > 0.0)
            };
            // A few places first, as most lines are none.
            let seen = (0..16).filter(|i| on(&near, (2 * i + 1) * width / 32)).count();
            if seen < 12 {
                continue;
            }
            let marked = (0..width).filter(|&x| on(&near, x)).count();
            let thinly = (0..width).filter(|&x| on(&thin_near, x)).count();
            if (marked as f32) < MARKED * width as f32 || 2 * thinly < width {
                continue;
            }
            lines.push(row(width / 2));
            for x in 0..width {
                for y in row(x) - thickest as isize..=row(x) + thickest as isize {
                    if let Some(y) = usize::try_from(y).ok().filter(|&y| y < height)
                        && thin.at(x, y) > 0.0
                    {
                        cleared.values[y * width + x] = 0.0;
                    }
                }
            }
        }
    }
    let Some((first, last)) = lines.iter().min().zip(lines.iter().max()) else {
        return cleared;
    };
    // One line alone may be a bar of a figure that fills its picture: unless what is left is much narrower.
    let several = last - first > 4 * thickest as isize;
    let left = (0..width).filter(|&x| (0..height).any(|y| cleared.at(x, y) > 0.0));
    let (least, most) = left.fold((width, 0), |(least, most), x| (least.min(x), most.max(x)));
    match several || 2 * most.saturating_sub(least) < width {
        true => cleared,
        false => mask.clone(),
    }
}

/// With the pixels above and below.
fn beside(mask: &Plane) -> Plane {
    Plane::from_fn(mask.width, mask.height, |x, y| {
        let rows = y.saturating_sub(1)..(y + 2).min(mask.height);
        f32::from(u8::from(rows.into_iter().any(|y| mask.at(x, y) > 0.0)))
    })
}

/// The pixels of a mask in runs of at most `thickest` down a column.
fn thin_runs(mask: &Plane, thickest: usize) -> Plane {
    let mut thin = mask.map(|_| 0.0);
    for x in 0..mask.width {
        let mut y = 0;
        while y < mask.height {
            let run = (y..mask.height).take_while(|&row| mask.at(x, row) > 0.0).count();
            if run <= thickest {
                (y..y + run).for_each(|row| thin.values[row * mask.width + x] = 1.0);
            }
            y += run.max(1);
        }
    }
    thin
}
