//! Text and data as XML and HTML take them.

/// Text with the five special characters of XML escaped and those that XML forbids replaced by spaces. Good for
/// element content and for attributes in either kind of quote, in SVG and in HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// JSON that may stand inside a `<script>` element: the characters that could end it, or open a comment in it, become
/// escapes. They only occur inside strings of JSON, where an escape means the same.
pub(crate) fn json_for_script(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", character as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn escaped_text_has_no_markup_and_reads_back(text: String) {
            let markup = format!("<a b=\"{0}\" c='{0}'>{0}</a>", escaped(&text));
            let document = roxmltree::Document::parse(&markup).unwrap();
            let root = document.root_element();
            let forbidden = |c: char| c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}');
            let expected: String = text.chars().map(|c| if forbidden(c) { ' ' } else { c }).collect();
            prop_assert_eq!(root.attribute("b").unwrap(), &expected);
            prop_assert_eq!(root.attribute("c").unwrap(), &expected);
            prop_assert_eq!(root.text().unwrap_or(""), &expected);
        }

        #[test]
        fn json_in_a_script_is_the_same_json(text: String) {
            let hostile = format!("</script><!--&{text}\u{2028}");
            let json = serde_json::to_string(&hostile).unwrap();
            let safe = json_for_script(&json);
            let dangerous = safe.contains(['<', '>', '&', '\u{2028}']);
            prop_assert!(!dangerous, "{}", safe);
            prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), hostile);
        }
    }
}
