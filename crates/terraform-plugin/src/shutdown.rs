//! How running operations learn that the user wants them to end, and the process that it has to.

use std::sync::{Mutex, PoisonError};

use super::request::Cancel;

/// What ends operations and what ends the process.
#[derive(Default)]
pub struct Shutdown {
    operations: Mutex<Cancel>,
    process: Cancel,
}

impl Shutdown {
    /// A token for one operation that starts now.
    pub fn operation(&self) -> Cancel {
        self.operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .child_token()
    }

    /// Asks all running operations to end. Those that start later are not concerned.
    pub fn stop_operations(&self) {
        let mut current = self
            .operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *current).cancel();
    }

    /// Asks the process to end, and so all operations.
    pub fn end(&self) {
        self.stop_operations();
        self.process.cancel();
    }

    /// Set once the process is to end.
    pub fn ending(&self) -> &Cancel {
        &self.process
    }
}
