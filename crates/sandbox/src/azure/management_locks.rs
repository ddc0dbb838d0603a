//! Management locks: `CanNotDelete` refuses deletes at its scope and below, `ReadOnly` every write.
//! A scope that holds something locked cannot be deleted either.

use super::call::{Call, Verb, What};
use super::errors::ApiError;
use super::ids;
use super::operations::json_response;
use super::resource_ops;
use super::service::AzureService;
use crate::http::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What an id of a lock has between its scope and its name.
const PROVIDER: &str = "/providers/Microsoft.Authorization/locks/";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ManagementLock {
    scope: String,
    name: String,
    level: String,
}

impl ManagementLock {
    fn document(&self) -> Value {
        json!({"id": format!("{}{PROVIDER}{}", self.scope, self.name), "name": self.name,
            "type": "Microsoft.Authorization/locks", "properties": {"level": self.level}})
    }

    fn covers(&self, scope: &str) -> bool {
        is_at_or_below(scope, &self.scope)
    }
}

fn is_at_or_below(scope: &str, top: &str) -> bool {
    let (scope, top) = (scope.to_lowercase(), top.to_lowercase());
    scope
        .strip_prefix(&top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl AzureService {
    pub(super) fn lock(
        &mut self,
        verb: Verb,
        scope: &str,
        name: &str,
        request: &Request,
    ) -> Result<Response, ApiError> {
        let key = format!("{scope}{PROVIDER}{name}").to_lowercase();
        match verb {
            Verb::Put => {
                let level = resource_ops::properties(&resource_ops::body(request)?)
                    .get("level")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                let Some(level) =
                    level.filter(|level| ["CanNotDelete", "ReadOnly"].contains(&level.as_str()))
                else {
                    return Err(ApiError::bad(
                        "LockLevelNotValid",
                        "The level of a lock is CanNotDelete or ReadOnly.",
                    ));
                };
                let lock = ManagementLock {
                    scope: scope.to_owned(),
                    name: name.to_owned(),
                    level,
                };
                let status = if self.management_locks.contains_key(&key) {
                    200
                } else {
                    201
                };
                let made = json_response(status, &lock.document());
                self.management_locks.insert(key, lock);
                Ok(made)
            }
            Verb::Delete => Ok(Response::new(
                if self.management_locks.remove(&key).is_some() {
                    200
                } else {
                    204
                },
            )),
            _ => match self.management_locks.get(&key) {
                Some(lock) => Ok(json_response(200, &lock.document())),
                None => Err(ApiError::new(
                    404,
                    "LockNotFound",
                    format!("The lock '{name}' was not found."),
                )),
            },
        }
    }

    /// At, above and below a scope.
    pub(super) fn list_locks(&self, scope: &str) -> Response {
        let related =
            |lock: &&ManagementLock| lock.covers(scope) || is_at_or_below(&lock.scope, scope);
        let listed: Vec<Value> = self
            .management_locks
            .values()
            .filter(related)
            .map(ManagementLock::document)
            .collect();
        json_response(200, &json!({"value": listed}))
    }

    /// Locks go with what they are on.
    pub(super) fn forget_locks(&mut self, scope: &str) {
        self.management_locks
            .retain(|_, lock| !is_at_or_below(&lock.scope, scope));
    }

    /// Refuses what a lock at, above or, for deletes, below the target forbids.
    pub(super) fn require_no_management_lock(
        &self,
        call: &Call,
        request: &Request,
    ) -> Result<(), ApiError> {
        let scope = match &call.what {
            What::Group(Verb::Put | Verb::Patch | Verb::Delete, subscription, group) => {
                ids::group_id(subscription, group)
            }
            What::Item(Verb::Put | Verb::Patch | Verb::Delete, id)
            | What::PutSharedKey(id)
            | What::Action(_, id) => id.to_string(),
            _ => return Ok(()),
        };
        let deletes = request.method == "DELETE";
        let blocks = |lock: &&ManagementLock| {
            let above = lock.covers(&scope) && (deletes || lock.level == "ReadOnly");
            above || deletes && is_at_or_below(&lock.scope, &scope)
        };
        let found: Vec<String> = self
            .management_locks
            .values()
            .filter(blocks)
            .map(|lock| lock.scope.clone())
            .collect();
        if found.is_empty() {
            return Ok(());
        }
        let (verb, what) = if deletes {
            ("delete", "delete")
        } else {
            ("write", "write")
        };
        Err(ApiError::new(
            409,
            "ScopeLocked",
            format!(
                "The scope '{scope}' cannot perform {verb} operation because following scope(s) are locked: '{}'. Please remove \
                 the lock and try again, or allow the {what} at the locked scope.",
                found.join("', '")
            ),
        ))
    }
}
