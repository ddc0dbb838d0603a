//! The Query protocol's parameters: a form body or a query string, with lists as `Name.1`,
//! `Name.2`, ...

use super::errors::ApiError;
use std::collections::BTreeMap;
use std::str::FromStr;

/// The decoded parameters of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads `a=b&c=d`; `+` is a space. What cannot be decoded is kept as it came.
    pub fn parse(form: &str) -> Self {
        let mut params = BTreeMap::new();
        for pair in form.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            params.insert(decode(name), decode(value));
        }
        Params(params)
    }

    /// Takes what `other` has and this lacks.
    pub fn merge(&mut self, other: Params) {
        for (name, value) in other.0 {
            self.0.entry(name).or_insert(value);
        }
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A scalar; empty counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub fn require(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| ApiError::missing(name))
    }

    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.get(name)
            .map(|text| match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => Err(ApiError::value(name, text, "Must be a boolean.")),
            })
            .transpose()
    }

    /// A number or an address, refused by name when it is none.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        self.get(name)
            .map(|text| {
                text.parse()
                    .map_err(|_| ApiError::value(name, text, "The value has the wrong form."))
            })
            .transpose()
    }

    /// `name.1`, `name.2`, ... as long as they go on.
    pub fn list(&self, name: &str) -> Vec<&str> {
        (1..)
            .map_while(|n| self.0.get(&format!("{name}.{n}")))
            .map(String::as_str)
            .collect()
    }

    /// `name.1.Value`, `name.2.Value`, ...
    pub fn values(&self, name: &str) -> Vec<&str> {
        (1..)
            .map_while(|n| self.0.get(&format!("{name}.{n}.Value")))
            .map(String::as_str)
            .collect()
    }

    /// The prefixes `name.1.`, `name.2.`, ... under which anything was sent.
    pub fn structures(&self, name: &str) -> Vec<String> {
        (1..)
            .map(|n| format!("{name}.{n}."))
            .take_while(|prefix| self.any(prefix))
            .collect()
    }

    /// Whether anything was sent under that prefix.
    pub fn any(&self, prefix: &str) -> bool {
        self.0
            .range(prefix.to_owned()..)
            .next()
            .is_some_and(|(name, _)| name.starts_with(prefix))
    }
}

/// Percent-decoding with `+` for a space.
fn decode(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let escaped = match (byte, after) {
            (b'%', [high, low, after @ ..]) => hex(*high)
                .zip(hex(*low))
                .map(|(high, low)| (high * 16 + low, after)),
            _ => None,
        };
        match escaped {
            Some((value, after)) => {
                out.push(value);
                rest = after;
            }
            None => out.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::Params;

    /// Lists and structures keep their order and end at the first missing index.
    #[test]
    fn parse_indexed_parameters_up_to_first_gap() {
        let params =
            Params::parse("A.1=x&A.2=y%2Fz&A.4=lost&O.T.1.C=169.254.21.0%2F30&O.T.2.K=a+b&E=");
        assert_eq!(params.list("A"), ["x", "y/z"]);
        assert_eq!(params.structures("O.T"), ["O.T.1.", "O.T.2."]);
        assert_eq!(params.get("O.T.2.K"), Some("a b"));
        assert_eq!(params.get("E"), None);
        assert_eq!(params.structures("O.X").len(), 0);
    }
}
