//! Times as people say them: "450 ms", "12.3 s", "3 min 05 s", "1 h 02 min".

use std::time::Duration;

/// A duration in its two largest units, rounded to the smaller one.
///
/// Rounding comes before the choice of units, so that 59.97 s is "1 min 00 s", never "60.0 s".
#[must_use]
pub fn duration(time: Duration) -> String {
    let milliseconds = rounded(time, 1_000_000);
    if milliseconds < 1_000 {
        return format!("{milliseconds} ms");
    }
    let tenths = rounded(time, 100_000_000);
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = rounded(time, 1_000_000_000);
    if seconds < 3_600 {
        return format!("{} min {:02} s", seconds / 60, seconds % 60);
    }
    let minutes = rounded(time, 60_000_000_000);
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

/// The time as a whole number of units of `unit` nanoseconds, halves rounded up.
fn rounded(time: Duration, unit: u128) -> u128 {
    (time.as_nanos() + unit / 2) / unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_change_where_rounding_says_so() {
        let shown = |seconds: f64| duration(Duration::from_secs_f64(seconds));
        assert_eq!(shown(0.0), "0 ms");
        assert_eq!(shown(0.4504), "450 ms");
        assert_eq!(shown(0.9996), "1.0 s");
        assert_eq!(shown(12.34), "12.3 s");
        assert_eq!(shown(59.94), "59.9 s");
        assert_eq!(shown(59.97), "1 min 00 s");
        assert_eq!(shown(185.2), "3 min 05 s");
        assert_eq!(shown(3_599.6), "1 h 00 min");
        assert_eq!(shown(3_720.0), "1 h 02 min");
        assert_eq!(shown(100.0 * 3_600.0), "100 h 00 min");
        assert_eq!(
            duration(Duration::MAX),
            "5124095576030431 h 00 min",
            "the longest duration does not overflow"
        );
    }

    /// Reads a shown duration back: its seconds, and the size of its smallest unit.
    fn read(text: &str) -> (f64, f64) {
        let words: Vec<&str> = text.split(' ').collect();
        let mut seconds = 0.0;
        let mut smallest = 0.0;
        for pair in words.chunks(2) {
            let (unit, step) = match pair[1] {
                "ms" => (0.001, 0.001),
                "s" if pair[0].contains('.') => (1.0, 0.1),
                "s" => (1.0, 1.0),
                "min" => (60.0, 60.0),
                "h" => (3_600.0, 3_600.0),
                other => panic!("unknown unit {other}"),
            };
            seconds += pair[0].parse::<f64>().unwrap() * unit;
            smallest = step;
        }
        (seconds, smallest)
    }

    proptest! {
        #[test]
        fn the_shown_time_is_within_half_of_its_smallest_unit(
            // Uniform in the exponent, so that every unit gets its share.
            exponent in -3.0..6.0f64,
        ) {
            let time = Duration::from_secs_f64(10f64.powf(exponent));
            let text = duration(time);
            let (seconds, unit) = read(&text);
            prop_assert!((seconds - time.as_secs_f64()).abs() <= unit * 0.500_001, "{}", text);
            prop_assert!(!text.contains(" 60 ") && !text.starts_with("60."), "{}", text);
        }
    }
}
