//! Varies what the clouds do not promise: the order of lists, and the letter case of Azure's ids.
//!
//! Azure returns custom BGP addresses, address prefixes, zones and collections in no fixed order
//! (azurerm#23328), and ids in another letter case than they were sent in. The spelling of an id is
//! the same whenever the same property is read by the same operation. EC2 returns sets. Its ids
//! have one spelling, and the tunnels of a VPN connection are sorted by their outside address.

use crate::rng::Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Chance of the variation, apart from the world's other chance: durations and ids stay a seed's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Variation {
    orders: Rng,
    spellings: u64,
}

impl Default for Variation {
    fn default() -> Self {
        Variation::seeded(1)
    }
}

/// Lists of Azure's documents whose order has no meaning. The position in `ipConfigurations` is
/// the number of the gateway instance.
const UNORDERED: [&str; 9] = [
    "value",
    "addressPrefixes",
    "subnets",
    "bgpPeeringAddresses",
    "customBgpIpAddresses",
    "gatewayCustomBgpIpAddresses",
    "tunnelConnectionStatus",
    "virtualNetworkPeerings",
    "zones",
];

/// A list that EC2 sorts.
const SORTED: &str = "tunnelOptionSet";

impl Variation {
    pub fn seeded(seed: u64) -> Self {
        Variation {
            orders: Rng::seeded(!seed),
            spellings: seed,
        }
    }

    /// Orders are another seed's from here on. Ids keep their spellings.
    pub fn reseed(&mut self, seed: u64) {
        self.orders = Rng::seeded(!seed);
    }

    /// Ids are spelled as another seed has it from here on.
    pub fn respell(&mut self, seed: u64) {
        self.spellings = seed;
    }

    /// The JSON document of an answer of Azure's, varied; None where the body is no document.
    pub fn azure(&mut self, operation: &str, body: &[u8]) -> Option<Vec<u8>> {
        let mut document: Value = serde_json::from_slice(body).ok()?;
        self.vary(&mut document, operation);
        serde_json::to_vec(&document).ok()
    }

    /// The XML document of an answer of EC2's with the items of its sets in another order.
    pub fn ec2(&mut self, body: &str) -> String {
        let (parts, _) = elements(body, "", &mut self.orders);
        parts.into_iter().map(|(_, text)| text).collect()
    }

    /// `place`: the operation and the member that holds the value.
    fn vary(&mut self, value: &mut Value, place: &str) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    if let (Value::Array(items), true) =
                        (&mut *member, UNORDERED.contains(&name.as_str()))
                    {
                        self.orders.shuffle(items);
                    }
                    self.vary(member, &format!("{place}/{name}"));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.vary(item, place)),
            Value::String(text) if is_id(text) => {
                let mut hasher = DefaultHasher::new();
                (self.spellings, place, text.to_lowercase()).hash(&mut hasher);
                *text = respelled(text, &mut Rng::seeded(hasher.finish()));
            }
            _ => {}
        }
    }
}

fn is_id(text: &str) -> bool {
    let start = text.get(.."/subscriptions/".len());
    start.is_some_and(|start| start.eq_ignore_ascii_case("/subscriptions/")) && !text.contains('?')
}

/// Half of the ids keep their spelling. Of the others every part except the subscription may change.
fn respelled(id: &str, rng: &mut Rng) -> String {
    if rng.below(2) == 0 {
        return id.to_owned();
    }
    let parts = id.split('/').enumerate().map(|(at, part)| {
        let is_name = at % 2 == 0;
        match rng.below(4) {
            0 if at > 2 => part.to_lowercase(),
            1 if at > 2 && is_name => part.to_uppercase(),
            _ => part.to_owned(),
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The elements up to the end of the element that they are in, each with its name, and what
/// follows them. Text has no name.
fn elements<'a>(
    mut rest: &'a str,
    parent: &str,
    rng: &mut Rng,
) -> (Vec<(&'a str, String)>, &'a str) {
    let mut found: Vec<(&str, String)> = Vec::new();
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            found.push(("", text.to_owned()));
            rest = after;
            continue;
        };
        if tag.starts_with('/') {
            break;
        }
        let Some((head, after)) = tag.split_once('>') else {
            found.push(("", rest.to_owned()));
            return (found, "");
        };
        if head.starts_with('?') || head.ends_with('/') {
            found.push(("", format!("<{head}>")));
            rest = after;
            continue;
        }
        let name = head.split_whitespace().next().unwrap_or_default();
        let (inside, end) = elements(after, name, rng);
        let inside: String = inside.into_iter().map(|(_, text)| text).collect();
        let close = format!("</{name}>");
        found.push((name, format!("<{head}>{inside}{close}")));
        rest = end.strip_prefix(close.as_str()).unwrap_or(end);
    }
    if parent != SORTED && found.iter().all(|(name, _)| *name == "item") {
        rng.shuffle(&mut found);
    }
    (found, rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn vary_order_of_items_and_nothing_else() {
        let body = "<?xml version=\"1.0\"?>\n<R xmlns=\"n\"><id>1</id><set><item><a>1</a><tunnelOptionSet><item>x</item>\
                    <item>y</item></tunnelOptionSet></item><item><a>2</a><e></e></item></set></R>";
        let first =
            "<item><a>1</a><tunnelOptionSet><item>x</item><item>y</item></tunnelOptionSet></item>";
        let second = "<item><a>2</a><e></e></item>";
        let swapped = body.replace(&format!("{first}{second}"), &format!("{second}{first}"));
        let mut variation = Variation::seeded(1);
        let seen: BTreeSet<String> = (0..50).map(|_| variation.ec2(body)).collect();
        assert_eq!(seen, BTreeSet::from([body.to_owned(), swapped]));
    }

    #[test]
    fn vary_case_of_ids_and_order_of_unordered_lists() {
        let id =
            "/subscriptions/s/resourceGroups/Group/providers/Microsoft.Network/virtualNetworks/Net";
        let document =
            json!({"id": id, "name": "Net", "zones": ["1", "2"], "ipConfigurations": ["a", "b"]});
        let body = serde_json::to_vec(&document).unwrap();
        let mut variation = Variation::seeded(1);
        let mut read = |operation: &str| -> Value {
            serde_json::from_slice(&variation.azure(operation, &body).unwrap()).unwrap()
        };
        let (mut ids, mut zones) = (BTreeSet::new(), BTreeSet::new());
        for number in 0..100 {
            let operation = format!("Get{number}");
            let varied = read(&operation);
            for kept in ["name", "ipConfigurations"] {
                assert_eq!(varied[kept], document[kept]);
            }
            assert_eq!(read(&operation)["id"], varied["id"], "the same question");
            let text = varied["id"].as_str().unwrap().to_owned();
            assert!(text.eq_ignore_ascii_case(id), "{text}");
            ids.insert(text);
            zones.insert(varied["zones"].to_string());
        }
        assert!(ids.len() > 20 && ids.contains(id), "{ids:?}");
        assert_eq!(zones.len(), 2);
    }

    #[test]
    fn leave_bodies_that_are_no_documents() {
        let mut variation = Variation::seeded(1);
        assert_eq!(variation.azure("Get", b""), None);
        assert_eq!(variation.ec2("<<< not"), "<<< not");
    }
}
