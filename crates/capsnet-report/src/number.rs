//! Numbers as people write them: grouped counts, percentages, signed angles, short decimals.

use capsnet_measure::Interval;

/// A count with its digits in groups of three: `8215568` is "8,215,568".
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// So many of what the noun names: "1 image", "2,000 images", "3 classes".
#[must_use]
pub fn counted(value: u64, noun: &str) -> String {
    let end = match (value, noun.ends_with('s')) {
        (1, _) => "",
        (_, false) => "s",
        (_, true) => "es",
    };
    format!("{} {noun}{end}", count(value))
}

/// A fraction of one as a percentage with the given number of decimals: `percent(0.9931, 2)` is "99.31 %".
/// NaN and infinities are "n/a".
#[must_use]
pub fn percent(fraction: f64, decimals: usize) -> String {
    if !fraction.is_finite() {
        return "n/a".to_owned();
    }
    format!("{} %", fixed(fraction * 100.0, decimals))
}

/// A share of one with its interval in per cent: "98.68 % [98.44, 98.88]".
#[must_use]
pub fn percent_with_interval(share: f64, Interval { low, high }: Interval) -> String {
    let end = |share: f64| fixed(100.0 * share, 2);
    format!("{} [{}, {}]", percent(share, 2), end(low), end(high))
}

/// A difference of shares of one with its interval, in points of a per cent: "+0.30 [+0.11, +0.50]".
#[must_use]
pub fn points_with_interval(difference: f64, Interval { low, high }: Interval) -> String {
    let [difference, low, high] = [difference, low, high].map(points);
    format!("{difference} [{low}, {high}]")
}

/// With a sign, unless it is rounded to zero.
fn points(share: f64) -> String {
    let text = fixed(100.0 * share, 2);
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if is_zero || text.starts_with('-') {
        text
    } else {
        format!("+{text}")
    }
}

/// A p-value as reports give it: "p = 0.0029", "p < 0.0001".
#[must_use]
pub fn p_value(p: f64) -> String {
    if p < 1e-4 {
        "p < 0.0001".to_owned()
    } else {
        format!("p = {p:.4}")
    }
}

/// An angle in degrees with its sign, for a rotation's direction is part of it: "+15°", "-23°", "0°", "+7.5°".
/// NaN and infinities are "n/a".
#[must_use]
pub fn degrees(angle: f64) -> String {
    if !angle.is_finite() {
        return "n/a".to_owned();
    }
    // `fixed` may round to zero, which has no sign.
    let digits = trim_zeros(&fixed(angle, 2)).to_owned();
    let plus = if digits == "0" || digits.starts_with('-') {
        ""
    } else {
        "+"
    };
    format!("{plus}{digits}°")
}

/// A measured value with four significant digits: "2.303", "0.01234", "12350", and "1.5e-5" where a decimal
/// would be long. Trailing zeros are dropped; NaN and infinities are spelled out, for a log has to show them.
#[must_use]
pub fn measure(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let scientific = format!("{value:.3e}");
    // The exponent is read after rounding, so that 0.99999 counts as 1.
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific.as_str(), "0"));
    match exponent.parse::<i32>() {
        Ok(exponent @ -3..=6) => {
            let decimals = usize::try_from(3 - exponent).unwrap_or(0);
            trim_zeros(&fixed(value, decimals)).to_owned()
        }
        _ => format!("{}e{exponent}", trim_zeros(mantissa)),
    }
}

/// `value` with a fixed number of decimals, and never a negative zero.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
        _ => text,
    }
}

/// Drops the trailing zeros of a decimal fraction, and the point if nothing follows it.
pub(crate) fn trim_zeros(decimal: &str) -> &str {
    if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.')
    } else {
        decimal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!(counted(1, "image"), "1 image");
        assert_eq!(counted(0, "image"), "0 images");
        assert_eq!(counted(2_000, "class"), "2,000 classes");
    }

    #[test]
    fn counts() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1000), "1,000");
        assert_eq!(count(44_426), "44,426");
        assert_eq!(count(8_215_568), "8,215,568");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn percentages() {
        assert_eq!(percent(0.9931, 2), "99.31 %");
        assert_eq!(percent(1.0, 1), "100.0 %");
        assert_eq!(percent(-0.000_001, 2), "0.00 %");
        assert_eq!(percent(0.5, 0), "50 %");
        assert_eq!(percent(f64::NAN, 2), "n/a");
    }

    #[test]
    fn differences_carry_their_sign() {
        let interval = |low, high| Interval { low, high };
        let points = points_with_interval(0.003, interval(0.00112, 0.00498));
        assert_eq!(points, "+0.30 [+0.11, +0.50]");
        assert_eq!(
            points_with_interval(-0.00001, interval(-0.01, 0.01)),
            "0.00 [-1.00, +1.00]"
        );
        assert_eq!(
            [0.002_878, 0.05, 0.000_099, 1.0].map(p_value),
            ["p = 0.0029", "p = 0.0500", "p < 0.0001", "p = 1.0000"]
        );
    }

    #[test]
    fn angles_carry_their_sign() {
        assert_eq!(degrees(15.0), "+15°");
        assert_eq!(degrees(-23.0), "-23°");
        assert_eq!(degrees(-0.0), "0°");
        assert_eq!(degrees(-0.001), "0°");
        assert_eq!(degrees(7.5), "+7.5°");
        assert_eq!(degrees(f64::INFINITY), "n/a");
    }

    #[test]
    fn measures() {
        assert_eq!(measure(0.0), "0");
        assert_eq!(measure(-0.0), "0");
        assert_eq!(measure(1e-4), "1e-4");
        assert_eq!(measure(0.001), "0.001");
        assert_eq!(measure(0.012_345), "0.01235");
        assert_eq!(measure(std::f64::consts::LN_10), "2.303");
        assert_eq!(measure(0.999_99), "1");
        assert_eq!(measure(60_000.0), "60000");
        assert_eq!(measure(1.5e12), "1.5e12");
        assert_eq!(measure(f64::NAN), "NaN");
        assert_eq!(measure(f64::NEG_INFINITY), "-inf");
    }

    proptest! {
        #[test]
        fn a_count_reads_back(value: u64) {
            let text = count(value);
            prop_assert_eq!(text.replace(',', "").parse::<u64>().unwrap(), value);
            let mut groups = text.split(',');
            prop_assert!((1..=3).contains(&groups.next().unwrap().len()));
            prop_assert!(groups.all(|group| group.len() == 3));
        }

        #[test]
        fn a_percentage_is_within_half_a_unit_of_its_last_digit(
            fraction in -2.0..2.0f64,
            decimals in 0..5usize,
        ) {
            let text = percent(fraction, decimals);
            let shown: f64 = text.strip_suffix(" %").unwrap().parse().unwrap();
            let half = 0.5 / 10f64.powi(i32::try_from(decimals).unwrap());
            prop_assert!((shown - fraction * 100.0).abs() <= half * (1.0 + 1e-9));
            prop_assert!(!(shown == 0.0 && text.starts_with('-')));
        }

        #[test]
        fn a_measure_keeps_four_significant_digits(mantissa in 1.0..10.0f64, exponent in -300..300i32, negative: bool) {
            let sign = if negative { -1.0 } else { 1.0 };
            let value = sign * mantissa * 10f64.powi(exponent);
            let text = measure(value);
            let shown: f64 = text.parse().unwrap();
            prop_assert!(((shown - value) / value).abs() <= 5.001e-4, "{} for {}", text, value);
            prop_assert!(text.len() <= "-1.234e-300".len(), "{}", text);
        }
    }
}
