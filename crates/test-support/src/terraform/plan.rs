//! What terraform planned, from `terraform show -json`.

use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Plan {
    /// The complete document.
    pub json: Value,
    /// What the user saw.
    pub text: String,
}

/// The planned change of one resource instance.
#[derive(Clone, Debug)]
pub struct Change {
    pub address: String,
    /// `no-op`, `create`, `read`, `update`, `delete`; a replacement is two of them.
    pub actions: Vec<String>,
    pub before: Value,
    pub after: Value,
    /// True in the places that are known only after apply.
    pub after_unknown: Value,
    /// Paths that force a replacement.
    pub replace_paths: Value,
    pub importing: bool,
}

impl Plan {
    /// Changes of managed resources, no-ops included.
    pub fn changes(&self) -> Vec<Change> {
        let changes = self.json["resource_changes"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        changes
            .iter()
            .filter(|change| change["mode"] == "managed")
            .map(Change::of)
            .collect()
    }

    pub fn change(&self, address: &str) -> Change {
        let found = self
            .changes()
            .into_iter()
            .find(|change| change.address == address);
        found.unwrap_or_else(|| panic!("no change of {address} in\n{}", self.text))
    }

    /// Whether no resource changes; outputs are not looked at.
    pub fn is_empty(&self) -> bool {
        self.changes()
            .iter()
            .all(|change| change.actions == ["no-op"])
    }
}

impl Change {
    fn of(json: &Value) -> Self {
        let change = &json["change"];
        let actions = change["actions"].as_array().into_iter().flatten();
        Change {
            address: json["address"].as_str().unwrap_or_default().to_owned(),
            actions: actions
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            before: change["before"].clone(),
            after: change["after"].clone(),
            after_unknown: change["after_unknown"].clone(),
            replace_paths: change["replace_paths"].clone(),
            importing: !change["importing"].is_null(),
        }
    }

    pub fn replaces(&self) -> bool {
        self.actions.len() == 2
    }
}
