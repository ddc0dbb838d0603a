//! The SKUs with which Azure creates gateways for this link, and their generations.

/// SKUs that Azure still creates, with BGP and active-active, and their generations, newest last.
const SKUS: [(&str, &[&str]); 5] = [
    ("VpnGw1AZ", &["Generation1"]),
    ("VpnGw2AZ", &["Generation1", "Generation2"]),
    ("VpnGw3AZ", &["Generation1", "Generation2"]),
    ("VpnGw4AZ", &["Generation2"]),
    ("VpnGw5AZ", &["Generation2"]),
];

/// The generations of a SKU that can be created, newest last; None for any other SKU.
pub fn generations(sku: &str) -> Option<&'static [&'static str]> {
    SKUS.iter()
        .find(|(name, _)| *name == sku)
        .map(|(_, generations)| *generations)
}
