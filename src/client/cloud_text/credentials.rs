//! What looks like a credential in a text: by the name before it, or by its own form.

use super::HIDDEN;
use std::borrow::Cow;

/// Ends of names (without `-` and `_`, in lower case) whose value is secret.
const NAMES: [&str; 12] = [
    "accountkey",
    "apikey",
    "assertion",
    "authorization",
    "password",
    "passphrase",
    "privatekey",
    "secret",
    "secretkey",
    "secretaccesskey",
    "signature",
    "token",
];
/// The same, for names that are meant only as they are.
const SHORT_NAMES: [&str; 5] = ["pass", "passwd", "psk", "pwd", "sig"];
/// The same, for names that are never part of prose: a value may follow them without a separator.
const KEY_NAMES: [&str; 4] = [
    "sharedkey",
    "clientsecret",
    "secretaccesskey",
    "sessiontoken",
];
/// Words before `key` that make it a secret one.
const OF_KEYS: [&str; 7] = [
    "access",
    "account",
    "preshared",
    "private",
    "secret",
    "shared",
    "signing",
];
/// Words before the credential in an `Authorization` header.
const SCHEMES: [&str; 6] = [
    "basic",
    "bearer",
    "digest",
    "negotiate",
    "ntlm",
    "sharedkey",
];
/// A quotation mark as it is, escaped, or as an entity.
const QUOTES: [&str; 8] = ["\\\"", "\"", "'", "`", "&quot;", "&#34;", "&apos;", "%22"];
/// Characters back to where a message may quote the value of a parameter that it names afterwards.
const QUOTED_BEFORE: usize = 400;

pub fn is_secret_name(text: &str) -> String {
    by_form(&by_name(&without_private_keys(text)))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$')
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/' | '=' | '.' | '~')
}

/// The longest start of `text` that fulfils the condition, and the rest.
fn split(text: &str, holds: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !holds(c)).unwrap_or(text.len()))
}

fn plain(word: &str) -> String {
    word.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a word is the name of a secret, and where its value is.
enum Named<'a> {
    No,
    /// After the name: what stands between, and what follows the value.
    Value {
        shown: &'a str,
        rest: &'a str,
    },
    /// Perhaps before the name.
    Before,
}

fn by_name(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        if let Some(after) = user_info(rest) {
            out.push_str("://");
            out.push_str(HIDDEN);
            rest = after;
        } else if is_word(c) {
            let (word, after) = split(rest, is_word);
            let named = named(word, after, &out);
            out.push_str(word);
            rest = after;
            match named {
                Named::No => {}
                Named::Before => hide_before(&mut out, word),
                Named::Value { shown, rest: after } => {
                    out.push_str(shown);
                    out.push_str(HIDDEN);
                    rest = after;
                }
            }
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

fn named<'a>(word: &str, after: &'a str, before: &str) -> Named<'a> {
    let last = plain(
        word.trim_end_matches('.')
            .rsplit('.')
            .next()
            .unwrap_or_default(),
    );
    if SCHEMES.contains(&last.as_str()) && !last.ends_with("key") {
        return after_scheme(after);
    }
    let previous = || {
        plain(
            before
                .trim_end()
                .rsplit(|c: char| !is_word(c))
                .next()
                .unwrap_or_default(),
        )
    };
    let phrase = last == "key"
        && before.ends_with(' ')
        && OF_KEYS.iter().any(|word| previous().ends_with(word));
    let strong = KEY_NAMES.iter().any(|name| last.ends_with(name));
    let is_name = phrase
        || strong
        || NAMES.iter().any(|name| last.ends_with(name))
        || SHORT_NAMES.contains(&last.as_str());
    // The parts of an ARN are not names: arn:aws:secretsmanager:eu-west-1:111122223333:secret:name.
    if !is_name || before.ends_with(':') && after.starts_with(':') {
        return Named::No;
    }
    let in_tag = before.ends_with('<') || before.ends_with(':') && after.starts_with('>');
    let value = separated(after, in_tag)
        .or_else(|| quoted(after).filter(|_| phrase || strong || !last.ends_with("token")))
        .or_else(|| bare(after).filter(|_| strong));
    value.unwrap_or(Named::Before)
}

/// `Bearer abc`, and not `bearer token`.
fn after_scheme(after: &str) -> Named<'_> {
    let (space, value) = split(after, |c| c == ' ');
    let (value, rest) = split(value, is_token);
    let odd = value.contains(|c: char| c.is_ascii_digit() || matches!(c, '~' | '+' | '/'));
    if space.is_empty() || !(value.len() >= 8 && odd || value.len() >= 20) {
        return Named::No;
    }
    Named::Value { shown: space, rest }
}

/// A value after `=`, `:` or, in XML, `>`.
fn separated(after: &str, in_tag: bool) -> Option<Named<'_>> {
    let mut at = after;
    while let Some(rest) = QUOTES.iter().find_map(|quote| at.strip_prefix(quote)) {
        at = rest;
    }
    let at = at.trim_start_matches(' ');
    let separators: &[&str] = if in_tag {
        &[">", "=", ":"]
    } else {
        &["=>", "=", ":", "%3D", "%3d", "%3A", "%3a"]
    };
    let (separator, at) = separators
        .iter()
        .find_map(|mark| Some((*mark, at.strip_prefix(mark)?)))?;
    if separator == ">" {
        return ends(after, at, at.find('<').unwrap_or(at.len()));
    }
    let at = at.trim_start_matches(' ');
    if let Some((quote, value)) = QUOTES
        .iter()
        .find_map(|quote| Some((*quote, at.strip_prefix(quote)?)))
    {
        return ends(after, value, closing(value, quote));
    }
    let (first, rest) = split(at, |c| !is_end(c));
    let scheme = SCHEMES.contains(&plain(first).as_str()) && rest.starts_with(' ');
    let second = if scheme {
        split(rest.trim_start_matches(' '), |c| !is_end(c)).1
    } else {
        rest
    };
    ends(after, at, at.len() - second.len())
}

fn is_end(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '"' | '\'' | '`' | '<' | '>' | '&' | ',' | ';' | ')' | '}' | ']' | '|'
        )
}

/// A quoted value right after its name: `the shared key 'abc'`.
fn quoted(after: &str) -> Option<Named<'_>> {
    let at = after.strip_prefix(' ')?.trim_start_matches(' ');
    let (quote, value) = QUOTES
        .iter()
        .find_map(|quote| Some((*quote, at.strip_prefix(quote)?)))?;
    ends(after, value, closing(value, quote))
}

/// A value right after its name that no prose would have there: `PreSharedKey Abc.1234 is not
/// valid`.
fn bare(after: &str) -> Option<Named<'_>> {
    let at = after.strip_prefix(' ')?.trim_start_matches(' ');
    let (value, _) = split(at, |c| !is_end(c));
    let odd = value.len() >= 8
        && value.contains(|c: char| c.is_ascii_digit())
        && !value.contains("[hidden");
    odd.then(|| ends(after, at, value.len())).flatten()
}

/// Where the quoted value ends.
fn closing(value: &str, quote: &str) -> usize {
    if quote.len() > 1 {
        return value.find(quote).unwrap_or(value.len());
    }
    let mut escaped = false;
    for (at, c) in value.char_indices() {
        if !escaped && value.get(at..).is_some_and(|rest| rest.starts_with(quote)) {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    value.len()
}

/// The first bytes of `value`, which is the end of `after`, as a secret. None where there are none.
fn ends<'a>(after: &'a str, value: &'a str, length: usize) -> Option<Named<'a>> {
    let (found, rest) = value.split_at_checked(length)?;
    if found.starts_with("[hidden") {
        return Some(Named::No);
    }
    let shown = after.get(..after.len().checked_sub(value.len())?)?;
    (!found.is_empty()).then_some(Named::Value { shown, rest })
}

/// `Value (abc) for parameter preSharedKey is invalid`: hides what is in the brackets or quotes
/// before `for`.
fn hide_before(out: &mut String, word: &str) {
    let Some(before) = out.strip_suffix(word) else {
        return;
    };
    let before = before.trim_end_matches([' ', '"', '\'', '`', '(']);
    let before = before
        .strip_suffix("parameter")
        .map_or(before, str::trim_end);
    let Some(before) = before.strip_suffix("for").map(str::trim_end) else {
        return;
    };
    let open = match before.chars().next_back() {
        Some(')') => '(',
        Some(quote @ ('"' | '\'' | '`')) => quote,
        _ => return,
    };
    let Some(inner) = before.get(..before.len() - 1) else {
        return;
    };
    let Some(start) = inner
        .rfind(open)
        .filter(|start| inner.len() - start <= QUOTED_BEFORE)
    else {
        return;
    };
    let range = start + open.len_utf8()..inner.len();
    if !range.is_empty() && inner.get(range.clone()) != Some(HIDDEN) {
        out.replace_range(range, HIDDEN);
    }
}

/// Hides private keys in PEM.
fn without_private_keys(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("-----BEGIN ") {
        out.push_str(before);
        match after.split_once("-----") {
            Some((kind, body)) if kind.ends_with("PRIVATE KEY") => {
                out.push_str(HIDDEN);
                let end = body
                    .split_once("-----END")
                    .and_then(|(_, rest)| Some(rest.split_once("-----")?.1));
                rest = end.unwrap_or_default();
            }
            _ => {
                out.push_str("-----BEGIN ");
                rest = after;
            }
        }
    }
    out + rest
}

/// What follows user and password of a URL, from the `@` on.
fn user_info(text: &str) -> Option<&str> {
    let after = text.strip_prefix("://")?;
    let is_end =
        |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>');
    let (authority, _) = split(after, |c| !is_end(c));
    let at = authority
        .rfind('@')
        .filter(|at| authority.get(..*at) != Some(HIDDEN))?;
    after.get(at..)
}

/// Hides what has the form of a token or key, in any context.
fn by_form(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        let (gap, after) = split(rest, |c| !is_token(c));
        let (run, after) = split(after, is_token);
        out.push_str(gap);
        out.push_str(&without_credentials(run));
        rest = after;
    }
    out
}

fn without_credentials(run: &str) -> Cow<'_, str> {
    if let Some(before) = before_jwt(run) {
        return Cow::Owned(format!("{}{HIDDEN}", without_credentials(before)));
    }
    if is_entra_secret(run) || is_padded(run) {
        return Cow::Borrowed(HIDDEN);
    }
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '+');
    let (mut out, mut rest) = (String::new(), run);
    while !rest.is_empty() {
        let (gap, after) = split(rest, |c| !is_base64(c));
        let (piece, after) = split(after, is_base64);
        out.push_str(gap);
        if is_aws_secret(piece) {
            out.push_str(HIDDEN);
        } else {
            piece.split_inclusive(['/', '+']).for_each(|part| {
                let name = part.trim_end_matches(['/', '+']);
                out.push_str(if is_access_key(name) { HIDDEN } else { name });
                out.push_str(part.get(name.len()..).unwrap_or_default());
            });
        }
        rest = after;
    }
    Cow::Owned(out)
}

/// A JSON Web Token starts with `{"` in base64.
fn before_jwt(run: &str) -> Option<&str> {
    let mut starts = run.match_indices("eyJ");
    let (at, _) = starts.find(|(at, _)| {
        let before = run.get(..*at).unwrap_or_default();
        let token = run.get(*at..).unwrap_or_default();
        !before.ends_with(|c: char| c.is_ascii_alphanumeric())
            && token.len() >= 20
            && token.contains('.')
    })?;
    run.get(..at)
}

fn is_access_key(word: &str) -> bool {
    (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word.len() >= 16
        && word
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

fn is_mixed(text: &str) -> bool {
    let has = |is: fn(&char) -> bool| text.chars().any(|c| is(&c));
    has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit)
}

/// A secret access key: 40 characters. Paths, of which there are many, start with a slash or are
/// longer.
fn is_aws_secret(piece: &str) -> bool {
    piece.len() == 40 && !piece.starts_with('/') && is_mixed(piece)
}

/// Keys of 32 bytes and more in base64 with padding.
fn is_padded(run: &str) -> bool {
    let core = run.trim_end_matches('=');
    core.len() < run.len()
        && core.len() >= 42
        && is_mixed(core)
        && core
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '-' | '_'))
}

/// A client secret of Entra ID: three characters, a digit, `Q~`, and 31 to 34 more.
fn is_entra_secret(run: &str) -> bool {
    (37..=44).contains(&run.len()) && run.get(4..6) == Some("Q~")
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
