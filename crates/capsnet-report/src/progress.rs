//! How far something has come, in words.

use std::time::Duration;

use crate::duration::duration;
use crate::number::counted;

/// How far it has come, how long the rest will take, and how fast it goes: the most important first, and last what
/// stands `beside`. `rate` is the number of `unit` (a word for one of them) a second; 0 says that it isn't known yet.
///
/// ```
/// use capsnet_report::progress::words;
///
/// let text = words((600_000, 2_400_000), "image", 250.4, "loss 0.1234");
/// assert_eq!(text, "25 %  2 h 00 min left  250 images/s  loss 0.1234");
/// ```
pub fn words((done, total): (usize, usize), unit: &str, rate: f64, beside: &str) -> String {
    let share = 100 * done.min(total) / total.max(1);
    if rate <= 0.0 {
        return format!("{share} %  {beside}").trim_end().to_owned();
    }
    let left = Duration::from_secs_f64(((total - done.min(total)) as f64 / rate).min(1e9));
    let (left, speed) = (duration(left), counted(rate as u64, unit));
    format!("{share} %  {left} left  {speed}/s  {beside}")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn the_whole_is_foretold_and_fits() {
        let text = words((600_000, 2_400_000), "image", 250.4, "loss 0.1234");
        assert_eq!(text, "25 %  2 h 00 min left  250 images/s  loss 0.1234");
        // Beside "epoch 10/40", a bar and two spaces.
        assert!(text.len() + "epoch 10/40".len() + 16 + 2 <= 80);
        assert_eq!(words((3, 4), "step", 1.0, ""), "75 %  1.0 s left  1 step/s");
        assert_eq!(words((0, 4), "step", 0.0, "warming up"), "0 %  warming up");
        assert_eq!(words((0, 0), "image", 0.0, ""), "0 %");
        assert_eq!(words((9, 4), "image", 2.0, ""), "100 %  0 ms left  2 images/s");
    }
}
