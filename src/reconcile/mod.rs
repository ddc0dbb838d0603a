//! Observe, decide, act, observe again: the one loop behind create, update, resume, repair and
//! destroy.
//!
//! | file | holds |
//! |---|---|
//! | `clients` | both clouds' clients; a site is one link's end in each |
//! | `observe` | reading a link: everything at once, then what the first answers pointed to |
//! | `reconciler` | the loop |
//! | `round` | one round of the loop, and its outcome |
//! | `teardown` | the loop that deletes |
//! | `teardown_check` | looks at what is in the way of deletes before the first of them |
//! | `exchange_stages` | the spec of a round, where inside CIDRs are exchanged in stages |
//! | `executor` | a list of steps, as wide as their order allows |
//! | `heartbeat` | how a run shows that it is alive, and how that is seen |
//! | `actions` | one step: a document or a call, worked out from the spec and what is there by then |
//! | `create_check` | the last look before a create makes anything |
//! | `account` | what account and subscription allow before a link is created |
//! | `preflight` | what surrounds a link that is to be made |
//! | `hand_over` | tags what the delete half of a replacement leaves to the create half |
//! | `interrupted_move` | the AWS side of a move that was killed, by a record in Azure |
//! | `discover` | the link behind an import id |
//! | `name_conflicts` | names of a new link that objects of others have |
//! | `error` | why a step failed |
//! | `next_step` | what a user can do about a failed call |
//! | `denied` | reads that were rejected and are not needed |

mod account;
mod actions;
mod clients;
mod create_check;
mod denied;
mod discover;
mod error;
mod exchange_stages;
mod executor;
mod hand_over;
mod heartbeat;
mod interrupted_move;
mod name_conflicts;
mod next_step;
mod observe;
mod preflight;
mod reconciler;
mod round;
mod teardown;
mod teardown_check;

pub use clients::{CloudClients, LinkClients, OperationContext};
pub use denied::{BGP_PEERS, Denial, is_denial};
pub use discover::{DiscoverError, DiscoveredLink, discover};
pub use error::ActionError;
pub use interrupted_move::interrupted_moves;
pub use next_step::next_step;
pub use observe::observe;
pub use preflight::preflight;
pub use reconciler::converge;
pub use round::{ActionFailure, ReconcileOutcome};
pub use teardown::teardown;
