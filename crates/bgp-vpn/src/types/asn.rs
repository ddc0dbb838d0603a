//! A BGP autonomous system number, 16 or 32 bit.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An autonomous system number. Which numbers a cloud takes for which end is a rule of `validation`, not
/// of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Asn(pub u32);

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
