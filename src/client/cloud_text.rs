//! Text that came over the network, made fit for diagnostics and logs: no control sequences, no
//! credentials, no more than a page.
//!
//! A cloud's error may quote the request, and what answers in place of the cloud may send anything.
//! Patterns are used because the texts have no schema; what is hidden by mistake costs a word of an
//! error message.

mod credentials;

/// Stands in place of what looks like a credential.
pub const HIDDEN: &str = "[hidden]";

/// Characters kept of one text. The encoded message of a denied EC2 call, which users decode, takes
/// about 2,000.
const LONGEST: usize = 4096;

/// Characters that are looked at. More is cut off before the search for credentials.
const LOOKED_AT: usize = 16_384;

/// Characters of a control string at most.
const CONTROL_STRING: usize = 1024;

/// One line without control sequences and credentials.
pub fn clean(text: &str) -> String {
    shortened(credentials::is_secret_name(&visible(text)))
}

/// Drops what a terminal would obey or not show, and makes one space of all white space.
fn visible(text: &str) -> String {
    let (mut out, mut taken) = (String::new(), 0);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => escape(&mut rest),
            '\u{9b}' => drop(control_sequence(&mut rest)),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => control_string(&mut rest),
            c if c.is_whitespace() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
        taken += 1;
        if taken == LOOKED_AT {
            // A credential that is cut in two would no longer be recognised.
            out.truncate(out.rfind(' ').unwrap_or_default());
            break;
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// What follows ESC.
fn escape(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    match ahead.next() {
        Some('[') => {
            *rest = ahead;
            control_sequence(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            *rest = ahead;
            control_string(rest);
        }
        // A two-character sequence, perhaps with intermediate characters before its last.
        Some(' '..='/') => {
            *rest = ahead;
            for c in rest.by_ref() {
                if !(' '..='/').contains(&c) {
                    break;
                }
            }
        }
        Some('0'..='~') => *rest = ahead,
        _ => {}
    }
}

/// Parameters and the final character of a control sequence. Text that is none of it stays.
fn control_sequence(rest: &mut std::str::Chars<'_>) -> Option<()> {
    loop {
        let mut ahead = rest.clone();
        match ahead.next()? {
            ' '..='?' => *rest = ahead,
            '@'..='~' => {
                *rest = ahead;
                return Some(());
            }
            _ => return None,
        }
    }
}

/// The content of a control string, where it has an end; without one it stays as text.
fn control_string(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    for _ in 0..CONTROL_STRING {
        let ends = match ahead.next() {
            None => return,
            Some(c) => match c {
                '\u{7}' | '\u{9c}' => true,
                '\u{1b}' => ahead.as_str().starts_with('\\') && ahead.next().is_some(),
                _ => false,
            },
        };
        if ends {
            *rest = ahead;
            return;
        }
    }
}

/// Format characters: they reorder, join or hide what stands around them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}
