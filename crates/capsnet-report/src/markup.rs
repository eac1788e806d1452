//! What markup must not contain, whoever wrote the texts in it. (`maud` escapes them.)

/// Markup with the characters that XML forbids replaced by spaces; HTML has no use for them either.
pub(crate) fn valid(markup: String) -> String {
    let forbidden = |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    if markup.contains(forbidden) {
        markup.replace(forbidden, " ")
    } else {
        markup
    }
}

/// JSON that may stand inside a `<script>` element: the characters that could end it, or open a comment in it, and
/// those that XML forbids become escapes. They only occur inside strings of JSON, where an escape means the same.
pub(crate) fn json_for_script(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{FFFE}' | '\u{FFFF}' => {
                out.push_str(&format!("\\u{:04x}", character as u32));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use maud::html;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_stay_texts_and_read_back(text: String) {
            let markup = valid(html! { a b=(text) { (text) } }.into_string());
            let document = roxmltree::Document::parse(&markup).unwrap();
            let root = document.root_element();
            // XML turns other line ends and, in attributes, white space into line feeds and spaces.
            let plain = |text: &str| text.split(|c: char| c.is_whitespace() || c < ' ').collect::<Vec<_>>().join(" ");
            let found = |text: &str| plain(&text.replace(['\u{FFFE}', '\u{FFFF}'], " "));
            prop_assert_eq!(plain(root.text().unwrap_or("")), found(&text.replace("\r\n", "\n")));
            prop_assert_eq!(plain(root.attribute("b").unwrap()), found(&text.replace("\r\n", "\n")));
        }

        #[test]
        fn json_in_a_script_is_the_same_json(text: String) {
            let hostile = format!("</script><!--&{text}\u{2028}\u{FFFE}");
            let json = serde_json::to_string(&hostile).unwrap();
            let safe = json_for_script(&json);
            let dangerous = safe.contains(['<', '>', '&', '\u{2028}', '\u{FFFE}']);
            prop_assert!(!dangerous, "{}", safe);
            prop_assert_eq!(&valid(safe.clone()), &safe);
            prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), hostile);
        }
    }
}
