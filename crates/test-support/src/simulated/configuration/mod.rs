//! Random configurations of a link among the networks and gateways of an [`Environment`], each of
//! them valid, and random changes from one to another.

mod ends;
mod render;
mod settings;

pub use ends::{AwsEnd, AzureEnd};

use crate::simulated::scenario_gen::{once_in, pick};
use awsazure_sandbox::rng::Rng;
use ends::{aws_end, azure_end, nudge_aws, nudge_azure};
use serde_json::Value as Json;
use settings::SETTINGS;
use std::collections::BTreeMap;

/// A configuration in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub azure: AzureEnd,
    pub aws: AwsEnd,
    /// All other attributes by path. Those that depend on each other are one setting.
    pub settings: BTreeMap<&'static str, Vec<(String, Json)>>,
    /// Attributes with values that no cloud accepts, which take the place of the others.
    pub wrong: Vec<(&'static str, Json)>,
    /// Own keys get another version with each change.
    version: u64,
    /// Acceleration was configured at one time, so that the policy must let Azure rekey.
    accelerated: bool,
}

impl Draft {
    pub fn random(rng: &mut Rng) -> Draft {
        let (azure, aws) = (azure_end(rng), aws_end(rng));
        let mut draft = Draft {
            azure,
            aws,
            settings: BTreeMap::new(),
            wrong: Vec::new(),
            version: 1,
            accelerated: false,
        };
        for name in SETTINGS {
            if once_in(rng, 4) {
                draft.reroll(rng, name);
            }
        }
        draft
    }

    /// Changes one or two things; says which.
    pub fn change(&mut self, rng: &mut Rng) -> Vec<&'static str> {
        (0..1 + rng.below(2))
            .map(|_| match rng.below(8) {
                0 => {
                    self.azure = azure_end(rng);
                    "azure end"
                }
                1 => {
                    self.aws = aws_end(rng);
                    "aws end"
                }
                2 => {
                    nudge_azure(&mut self.azure, rng);
                    "azure network"
                }
                3 => {
                    nudge_aws(&mut self.aws, rng);
                    "aws network"
                }
                _ => self.change_setting(rng),
            })
            .collect()
    }

    /// Changes something that does not identify the link.
    pub fn change_setting(&mut self, rng: &mut Rng) -> &'static str {
        let name = loop {
            let name = pick(rng, &SETTINGS);
            if !matches!(
                name,
                "slot" | "one inside cidr" | "ordered inside cidrs" | "names" | "name"
            ) || !self.wrong.is_empty()
                || once_in(rng, 2)
            {
                break name;
            }
        };
        self.set(rng, name);
        name
    }

    /// Changes something by which a link is not found.
    pub fn change_harmlessly(&mut self, rng: &mut Rng) -> &'static str {
        let name = pick(
            rng,
            &[
                "initiator",
                "azure dpd",
                "aws dpd",
                "logs",
                "policy",
                "behaviour",
                "tags",
                "timeouts",
            ],
        );
        self.set(rng, name);
        name
    }

    fn set(&mut self, rng: &mut Rng, name: &'static str) {
        let required = name == "policy" && self.accelerated;
        if self.settings.contains_key(name) && !required && once_in(rng, 3) {
            self.settings.remove(name);
        } else {
            self.reroll(rng, name);
        }
    }
}
