//! What holds of every text that tells a client what is wrong.

/// Asserts that `text` is one line that a person can read and a terminal survives.
///
/// # Panics
///
/// If it is empty, is absurdly long, or holds a control character or a line break.
pub fn assert_is_one_plain_line(text: &str) {
    assert!(!text.is_empty());
    assert!(text.chars().count() <= 2_000, "{} bytes", text.len());
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    assert!(!text.contains(odd), "{text:?}");
}
