//! Optional reads that the credentials do not permit. Each is reported once in a run, which continues
//! without them.

use crate::azure::{Error, ResourceId};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The action of reading a gateway's BGP sessions.
pub const BGP_PEERS: &str = "Microsoft.Network/virtualNetworkGateways/getbgppeerstatus/action";

/// A read that was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The permission that is missing.
    pub action: &'static str,
    pub scope: ResourceId,
    /// What Azure reported.
    pub reason: String,
}

/// Those of a run.
#[derive(Debug, Default)]
pub struct Denied(Mutex<BTreeMap<(&'static str, ResourceId), Denial>>);

impl Denied {
    /// Takes an error as a denial. Gives back any other error.
    ///
    /// # Errors
    /// The error, where it is none.
    pub fn note(
        &self,
        action: &'static str,
        scope: &ResourceId,
        error: Error,
    ) -> Result<(), Error> {
        if !is_denial(&error) {
            return Err(error);
        }
        let denial = Denial {
            action,
            scope: scope.clone(),
            reason: error.to_string(),
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry((action, scope.clone()))
            .or_insert(denial);
        Ok(())
    }

    /// Whether this read was denied before, so that it need not be tried again.
    pub fn has(&self, action: &'static str, scope: &ResourceId) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&(action, scope.clone()))
    }

    pub fn all(self) -> Vec<Denial> {
        self.0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .into_values()
            .collect()
    }
}

/// `Unauthenticated` is no denial: those credentials may do nothing at all.
pub fn is_denial(error: &Error) -> bool {
    matches!(error, Error::Denied(_))
}
