//! Azure's objects as a link sees them: ids, models, and the resource manager's documents, read and
//! edited in place.

pub mod documents;
pub mod id;
pub mod model;

pub use id::ResourceId;
