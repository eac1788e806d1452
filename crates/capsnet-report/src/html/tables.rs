//! Tables whose columns the page's script can sort.

use maud::{Markup, html};

use crate::number::trim_zeros;
use crate::table::{Align, Table};
use crate::tone::Tone;

/// The table as HTML. Cells of columns that hold numbers carry the number, so that "+15°" follows "-23°" and
/// "9,931" follows "99".
pub(super) fn markup(table: &Table) -> Markup {
    let keys: Vec<Vec<Option<f64>>> = (0..table.columns().len())
        .map(|index| sort_keys(table.rows().iter().map(|row| row[index].text())))
        .collect();
    html! {
        div.scroll tabindex="0" {
            table {
                thead {
                    tr {
                        // Without the script nothing sorts, so the button is dead until the script wakes it.
                        @for column in table.columns() {
                            th scope="col" class=[classes([aligned(column.align()), None])] {
                                button type="button" disabled="" { (column.heading()) }
                            }
                        }
                    }
                }
                "\n"
                tbody {
                    @for (index, row) in table.rows().iter().enumerate() {
                        tr {
                            @for ((cell, column), keys) in row.iter().zip(table.columns()).zip(&keys) {
                                td class=[classes([aligned(column.align()), toned(cell.tone())])]
                                    data-key=[keys[index]] { (with_small_interval(cell.text())) }
                            }
                        }
                        "\n"
                    }
                }
            }
        }
        "\n"
    }
}

const fn aligned(align: Align) -> Option<&'static str> {
    match align {
        Align::Left => None,
        Align::Right => Some("number"),
    }
}

const fn toned(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Neutral => None,
        Tone::Right => Some("right"),
        Tone::Wrong => Some("wrong"),
    }
}

fn classes(names: [Option<&'static str>; 2]) -> Option<String> {
    let names: Vec<&str> = names.into_iter().flatten().collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// An interval in square brackets at the end of a cell is set smaller than the number before it.
fn with_small_interval(text: &str) -> Markup {
    match text.split_once(" [") {
        Some((number, interval)) if interval.ends_with(']') => html! { (number) " " small { "[" (interval) } },
        _ => html! { (text) },
    }
}

/// The numbers of a column's cells, if all cells that say anything are numbers in one unit; else none, and the column
/// is sorted as text.
fn sort_keys<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<Option<f64>> {
    let read: Vec<Option<(f64, &str)>> = cells
        .map(|text| {
            let text = text.split_once(" [").map_or(text, |(number, _)| number).trim();
            (!text.is_empty()).then(|| number_and_unit(text).unwrap_or((f64::NAN, text)))
        })
        .collect();
    let mut units = read.iter().flatten();
    let first = units.next().map_or("", |(_, unit)| unit);
    let sortable = read
        .iter()
        .flatten()
        .all(|(number, unit)| number.is_finite() && *unit == first);
    read.into_iter()
        .map(|entry| entry.filter(|_| sortable).map(|(number, _)| number))
        .collect()
}

/// The number at the start of a text, and what follows it.
fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let digits = |text: &str| {
        text.bytes()
            .take_while(|b| b.is_ascii_digit() || matches!(b, b',' | b'.'))
            .count()
    };
    let sign = usize::from(text.starts_with(['+', '-']));
    let mut end = sign + digits(&text[sign..]);
    let exponent = text[end..].strip_prefix('e').map_or(0, |rest| {
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 { 1 + sign + digits } else { 0 }
    });
    end += exponent;
    let number = text[..end].replace(',', "");
    let number = if exponent == 0 { trim_zeros(&number) } else { &number };
    Some((number.parse().ok()?, text[end..].trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, TableCell};

    #[test]
    fn columns_of_numbers_have_keys_and_others_none() {
        let keys = |cells: &[&str]| sort_keys(cells.iter().copied());
        assert_eq!(
            keys(&["+15°", "-23°", "0°", ""]),
            [Some(15.0), Some(-23.0), Some(0.0), None]
        );
        assert_eq!(keys(&["98.68 % [98.44, 98.88]", "7.50 %"]), [Some(98.68), Some(7.5)]);
        assert_eq!(
            keys(&["8,215,568", "1e-4", "1.5e12"]),
            [8_215_568.0, 1e-4, 1.5e12].map(Some)
        );
        assert_eq!(keys(&["100", "100.00"]), [Some(100.0); 2]);
        assert_eq!(keys(&["59 s", "1 min"]), [None, None], "two units");
        assert_eq!(keys(&["2", "n/a"]), [None, None]);
        assert_eq!(keys(&["LeNet-5", ""]), [None, None]);
        assert_eq!(keys(&["é", "1.2.3", "-"]), [None; 3]);
    }

    #[test]
    fn cells_carry_alignment_tone_and_key() {
        let mut table = Table::new([Column::left("model"), Column::right("accuracy <b>")]);
        table
            .push([
                TableCell::from("a & b"),
                TableCell::new("98.00 % [97.00, 99.00]", Tone::Wrong),
            ])
            .unwrap();
        let html = markup(&table).into_string();
        let document = roxmltree::Document::parse(&html).unwrap();
        let cells: Vec<_> = document.descendants().filter(|node| node.has_tag_name("td")).collect();
        assert_eq!(cells[0].text(), Some("a & b"));
        assert_eq!(cells[0].attribute("class"), None);
        assert_eq!(cells[1].attribute("class"), Some("number wrong"));
        assert_eq!(cells[1].attribute("data-key"), Some("98"));
        assert_eq!(cells[1].children().nth(1).unwrap().text(), Some("[97.00, 99.00]"));
        assert!(html.contains("accuracy &lt;b&gt;"));
    }
}
