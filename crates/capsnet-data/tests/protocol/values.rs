//! Lists of values: what they mean, how they are written back, and what is refused.

use capsnet_data::protocol::{MAX_POINTS, Values, ValuesError};
use proptest::prelude::*;

fn points(text: &str) -> Vec<f64> {
    let values: Values = text.parse().unwrap_or_else(|error| panic!("{error}"));
    values.points().to_vec()
}

fn refuse(text: &str) -> ValuesError {
    text.parse::<Values>().expect_err(text)
}

#[test]
fn ranges_lists_and_mixtures() {
    let turn = points("-180..180:5");
    assert_eq!((turn.len(), turn[0], turn[36], turn[72]), (73, -180.0, 0.0, 180.0));
    assert_eq!(points("15,-23,35"), [15.0, -23.0, 35.0]);
    assert_eq!(points(" 0 .. 2 : 1 , -7 "), [0.0, 1.0, 2.0, -7.0]);
    assert_eq!(points("3..-3:-2"), [3.0, 1.0, -1.0, -3.0]);
    // The end is taken only if the steps meet it.
    assert_eq!(points("0..10:4"), [0.0, 4.0, 8.0]);
    assert_eq!(points("5..5:1"), [5.0]);
    assert_eq!(points("0..1:5"), [0.0]);
    // A value comes once, where it is first written.
    assert_eq!(points("0..30:15,15,-0,.5,0.50"), [0.0, 15.0, 30.0, 0.5]);
}

#[test]
fn steps_are_counted_in_decimals() {
    // Sums of rounded steps would give 0.8500000000000001 and the like.
    assert_eq!(
        points("0.8..1.2:0.05"),
        [0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2]
    );
    assert_eq!(points("-0.25..0.25:.05").len(), 11);
    assert_eq!(points("0..0.3:0.1"), [0.0, 0.1, 0.2, 0.3]);
}

#[test]
fn lists_are_written_back() {
    for (written, canonical) in [
        ("-180..180:5", "-180..180:5"),
        (" 15, -23 ,35", "15,-23,35"),
        ("0.80..1.20:0.050 , 2.0", "0.8..1.2:0.05,2"),
        ("+1,-0,.5,1.", "1,0,0.5,1"),
        ("007", "7"),
    ] {
        assert_eq!(written.parse::<Values>().unwrap().to_string(), canonical);
    }
    let values: Values = serde_json::from_str("\"0..1:0.25\"").unwrap();
    assert_eq!(serde_json::to_string(&values).unwrap(), "\"0..1:0.25\"");
}

#[test]
fn every_kind_of_fault_is_refused() {
    let item = String::from;
    for (text, expected) in [
        ("", ValuesError::Missing { item: item("") }),
        ("1,,2", ValuesError::Missing { item: item("") }),
        ("..5:1", ValuesError::Missing { item: item("..5:1") }),
        ("0..:1", ValuesError::Missing { item: item("0..:1") }),
        ("0..5:", ValuesError::Missing { item: item("0..5:") }),
        ("0..5", ValuesError::NoStep { item: item("0..5") }),
        ("0..5:0", ValuesError::ZeroStep { item: item("0..5:0") }),
        ("5..5:0", ValuesError::ZeroStep { item: item("5..5:0") }),
        ("0..5:-1", ValuesError::WrongSign { item: item("0..5:-1") }),
        ("5..0:1", ValuesError::WrongSign { item: item("5..0:1") }),
        (
            "1234567890.123456",
            ValuesError::TooManyDigits {
                item: item("1234567890.123456"),
            },
        ),
        (
            "0..1000000:0.0000000001",
            ValuesError::TooManyDigits {
                item: item("0..1000000:0.0000000001"),
            },
        ),
    ] {
        assert_eq!(refuse(text), expected, "{text}");
    }
    for text in [
        "abc",
        "1e3",
        "nan",
        "inf",
        "--1",
        "-",
        ".",
        "1:2",
        "0..5:1:1",
        "0..5..6:1",
        "1 2",
        "٣",
    ] {
        assert!(matches!(refuse(text), ValuesError::NotANumber { .. }), "{text}");
    }
    assert_eq!(points("1..10000:1").len(), MAX_POINTS);
    for (text, count) in [
        ("0..10000:1", 10_001),
        ("1..10000:1,0", 10_001),
        ("0..99999999999999:1", 100_000_000_000_000),
    ] {
        assert!(
            matches!(refuse(text), ValuesError::TooManyPoints { count: c, .. } if c == count),
            "{text}"
        );
    }
}

#[test]
fn refusals_say_how_to_put_it_right() {
    assert_eq!(
        refuse("15,0..90").to_string(),
        "`0..90`: a range needs a step: add one after a colon, for example 0..90:5"
    );
    assert_eq!(
        refuse("0..90:-5").to_string(),
        "`0..90:-5`: the step leads away from the end; give it the other sign, or swap the ends"
    );
}

/// A decimal number as text, of `places` digits after the point.
fn decimal(units: i64, places: usize) -> String {
    let digits = format!("{:0width$}", units.abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let sign = if units < 0 { "-" } else { "" };
    // A point before the dots of a range would be one of them.
    let point = if places == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

proptest! {
    #[test]
    fn every_step_is_the_double_nearest_to_its_decimal(
        from in -100_000..100_000i64, step in -999..1000i64, count in 0..300i64, extra in 0..1000i64,
        places in 0..9usize,
    ) {
        prop_assume!(step != 0);
        let to = from + step * count + step.signum() * (extra % step.abs());
        let text = format!("{}..{}:{}", decimal(from, places), decimal(to, places), decimal(step, places));
        let values: Values = text.parse().unwrap();
        let expected: Vec<f64> = (0..=count)
            .map(|i| decimal(from + i * step, places).parse::<f64>().unwrap() + 0.0)
            .collect();
        prop_assert_eq!(values.points(), &expected[..]);
        prop_assert_eq!(values.to_string().parse::<Values>().unwrap(), values);
    }

    #[test]
    fn values_print_back_exactly(units in -999_999_999_999_999..1_000_000_000_000_000i64, places in 0..15usize) {
        let text = decimal(units, places);
        let values: Values = text.parse().unwrap();
        let printed = values.points()[0].to_string();
        prop_assert_eq!(&printed, &values.to_string());
        prop_assert_eq!(printed.parse::<f64>().unwrap().to_bits(), values.points()[0].to_bits());
    }

    #[test]
    fn any_text_is_answered_without_a_panic(text in "[-+0-9.:, e]{0,24}") {
        if let Ok(values) = text.parse::<Values>() {
            prop_assert!((1..=MAX_POINTS).contains(&values.points().len()));
            prop_assert_eq!(values.to_string().parse::<Values>().unwrap(), values);
        }
    }
}
