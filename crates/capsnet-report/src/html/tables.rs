//! Tables whose columns the page's script can sort.

use crate::markup::escaped;
use crate::number::trim_zeros;
use crate::table::{Align, Table};
use crate::tone::Tone;

/// The table as HTML. Cells of columns that hold numbers carry the number, so that "+15°" follows "-23°" and
/// "9,931" follows "99".
pub(super) fn markup(table: &Table) -> String {
    let mut out = String::from("<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead>\n<tr>");
    for column in table.columns() {
        // Without the script nothing sorts, so the button is dead until the script wakes it.
        out.push_str(&format!(
            "<th scope=\"col\"{}><button type=\"button\" disabled=\"\">{}</button></th>",
            class(&[aligned(column.align())]),
            escaped(column.heading())
        ));
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
    let keys: Vec<Vec<Option<f64>>> = (0..table.columns().len())
        .map(|index| sort_keys(table.rows().iter().map(|row| row[index].text())))
        .collect();
    for (index, row) in table.rows().iter().enumerate() {
        out.push_str("<tr>");
        for ((cell, column), keys) in row.iter().zip(table.columns()).zip(&keys) {
            let tone = match cell.tone() {
                Tone::Neutral => "",
                Tone::Right => "right",
                Tone::Wrong => "wrong",
            };
            let key = keys[index].map_or(String::new(), |key| format!(" data-key=\"{key}\""));
            let classes = class(&[aligned(column.align()), tone]);
            out.push_str(&format!("<td{classes}{key}>{}</td>", with_small_interval(cell.text())));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

const fn aligned(align: Align) -> &'static str {
    match align {
        Align::Left => "",
        Align::Right => "number",
    }
}

fn class(names: &[&str]) -> String {
    let names: Vec<&str> = names.iter().copied().filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" class=\"{}\"", names.join(" "))
    }
}

/// An interval in square brackets at the end of a cell is set smaller than the number before it.
fn with_small_interval(text: &str) -> String {
    match text.split_once(" [") {
        Some((number, interval)) if interval.ends_with(']') => {
            format!("{} <small>[{}</small>", escaped(number), escaped(interval))
        }
        _ => escaped(text),
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
        let html = markup(&table);
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
