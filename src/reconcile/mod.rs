//! Observe, decide, act, observe again: the one loop behind create, update, resume, repair and destroy.
//!
//! | file | holds |
//! |---|---|
//! | `clouds` | both clouds' clients; a site is one link's end in each |
//! | `observe` | reading a link: everything at once, then what the first answers pointed to |
//! | `converge` | the loop |
//! | `preflight` | looks at what is in the way of deletes before the first of them |
//! | `stage` | the spec of a round, where inside CIDRs are exchanged in stages |
//! | `run` | a list of steps, as wide as their order allows |
//! | `pulse` | how a run shows that it is alive, and how that is seen |
//! | `act` | one step: a document or a call, worked out from the spec and what is there by then |
//! | `create_check` | the last look before a create makes anything |
//! | `survey` | what surrounds a link that is to be made |
//! | `hand_over` | tags what the delete half of a replacement leaves to the create half |
//! | `find` | the link behind an import id |
//! | `foreign` | names of a new link that objects of others have |
//! | `cause` | why a step failed |
//! | `denied` | reads that were rejected and are not needed |

mod act;
mod cause;
mod clouds;
mod converge;
mod create_check;
mod denied;
mod find;
mod foreign;
mod hand_over;
mod observe;
mod preflight;
mod pulse;
mod run;
mod stage;
mod survey;

pub use cause::Cause;
pub use clouds::{Clouds, Limits, Site};
pub use converge::{Ended, Failure, converge, demolish};
pub use denied::{BGP_PEERS, Denial, is_denial};
pub use find::{FindFault, FoundLink, find};
pub use observe::observe;
pub use survey::survey;
