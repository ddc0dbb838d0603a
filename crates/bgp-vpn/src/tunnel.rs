//! The shape of every link: two Azure gateway instances, two tunnels to each.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One of the two instances of the active-active Azure gateway. Each has a public address, so one
/// AWS customer gateway and one VPN connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Instance {
    Zero,
    One,
}

impl Instance {
    pub const ALL: [Instance; 2] = [Instance::Zero, Instance::One];

    pub fn index(self) -> usize {
        self as usize
    }

    /// The tunnels of this instance's VPN connection.
    pub fn tunnels(self) -> [TunnelKey; 2] {
        [
            TunnelKey {
                instance: self,
                number: 1,
            },
            TunnelKey {
                instance: self,
                number: 2,
            },
        ]
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instance{}", self.index())
    }
}

/// One of the four tunnels. Written `instance0_tunnel1`, the key of the `tunnels` map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TunnelKey {
    pub instance: Instance,
    /// AWS's number, 1 or 2: the position of its options in CreateVpnConnection, and nothing else.
    pub number: u8,
}

impl TunnelKey {
    pub const ALL: [TunnelKey; 4] = [
        TunnelKey {
            instance: Instance::Zero,
            number: 1,
        },
        TunnelKey {
            instance: Instance::Zero,
            number: 2,
        },
        TunnelKey {
            instance: Instance::One,
            number: 1,
        },
        TunnelKey {
            instance: Instance::One,
            number: 2,
        },
    ];

    /// Position in `ALL_ZONES`.
    pub fn index(self) -> usize {
        self.instance.index() * 2 + usize::from(self.number == 2)
    }
}

impl fmt::Display for TunnelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_tunnel{}", self.instance, self.number)
    }
}

impl FromStr for TunnelKey {
    type Err = ParseTunnelKeyError;

    fn from_str(text: &str) -> Result<Self, ParseTunnelKeyError> {
        TunnelKey::ALL
            .into_iter()
            .find(|key| key.to_string() == text)
            .ok_or_else(|| ParseTunnelKeyError(text.to_owned()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a tunnel: use instance0_tunnel1, instance0_tunnel2, instance1_tunnel1 or instance1_tunnel2"
)]
pub struct ParseTunnelKeyError(pub String);

/// A value for each of the four tunnels: total, so that looking one up cannot fail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerTunnel<T>([T; 4]);

impl<T> PerTunnel<T> {
    pub fn from_fn(mut make: impl FnMut(TunnelKey) -> T) -> Self {
        PerTunnel(TunnelKey::ALL.map(&mut make))
    }

    pub fn get(&self, key: TunnelKey) -> &T {
        let [a, b, c, d] = &self.0;
        [a, b, c, d].into_iter().nth(key.index()).unwrap_or(a)
    }

    pub fn get_mut(&mut self, key: TunnelKey) -> &mut T {
        let [a, b, c, d] = &mut self.0;
        match key.index() {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (TunnelKey, &T)> {
        TunnelKey::ALL.into_iter().zip(self.0.iter())
    }

    pub fn map<U>(&self, mut make: impl FnMut(TunnelKey, &T) -> U) -> PerTunnel<U> {
        PerTunnel::from_fn(|key| make(key, self.get(key)))
    }
}

/// A value for each of the two gateway instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerInstance<T>([T; 2]);

impl<T> PerInstance<T> {
    pub fn from_fn(mut make: impl FnMut(Instance) -> T) -> Self {
        PerInstance(Instance::ALL.map(&mut make))
    }

    pub fn get(&self, instance: Instance) -> &T {
        let [zero, one] = &self.0;
        if instance == Instance::Zero {
            zero
        } else {
            one
        }
    }

    pub fn get_mut(&mut self, instance: Instance) -> &mut T {
        let [zero, one] = &mut self.0;
        if instance == Instance::Zero {
            zero
        } else {
            one
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (Instance, &T)> {
        Instance::ALL.into_iter().zip(self.0.iter())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tunnel_keys_round_trip_as_names() {
        let names = PerTunnel::from_fn(|key| key.to_string());
        for key in TunnelKey::ALL {
            assert_eq!(names.get(key), &key.to_string());
            assert_eq!(key.to_string().parse::<TunnelKey>().unwrap(), key);
        }
        assert!("instance2_tunnel1".parse::<TunnelKey>().is_err());
    }
}
