//! Texts of errors as sentences of diagnostics.

/// A text as a sentence: with a capital letter at the start and a full stop at the end. A list has
/// no full stop.
pub fn sentence(text: &str) -> String {
    let text = capitalize(text);
    let ends_with_list = text
        .lines()
        .last()
        .is_some_and(|line| line.starts_with("  - "));
    if ends_with_list || text.ends_with('.') {
        text
    } else {
        format!("{text}.")
    }
}

/// Capitalizes a text, unless it starts with an id or an attribute.
pub fn capitalize(text: &str) -> String {
    let first_word = text.split_whitespace().next().unwrap_or_default();
    if !first_word
        .trim_end_matches([',', ':'])
        .chars()
        .all(char::is_alphabetic)
    {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
