//! Two states of one link: as it is, and as a create that failed had left it. Terraform holds both
//! where the new one comes first.

use super::core::Core;
use super::{made, nine_lines, with};
use bgp_vpn::ownership_tags::TAG_INCOMPLETE;
use bgp_vpn::tunnel::Instance;
use terraform_plugin::{PlanResponse, Resource, Value};

/// A state as Terraform holds it.
type Held = (Value, Vec<u8>, Option<Value>);

impl Core {
    fn held(&self) -> Held {
        (
            self.state.clone(),
            self.private.clone(),
            self.identity.clone(),
        )
    }

    fn hold(&mut self, (state, private, identity): Held) {
        (self.state, self.private, self.identity) = (state, private, identity);
    }

    /// What Terraform does with a state that it is to delete.
    async fn delete(&mut self) {
        let planned = PlanResponse {
            private: self.private.clone(),
            ..PlanResponse::default()
        };
        let done = self
            .apply_plan(self.state.clone(), &Value::Null, planned)
            .await;
        assert!(
            done.new_state.is_null() && !done.diagnostics.has_errors(),
            "{:?}",
            done.diagnostics
        );
    }

    fn there(&self) -> bool {
        self.clouds
            .there
            .lock()
            .unwrap()
            .aws
            .vpn_connections
            .iter()
            .any(|(_, vpn)| vpn.is_some())
    }
}

/// A link that is complete, with the state of the try that failed and the state that is current.
async fn finished_after_all() -> (Core, Held, Held) {
    let mut core = Core::new();
    *core.clouds.fails.lock().unwrap() = true;
    assert!(core.apply(&nine_lines()).await.has_errors());
    let former = core.held();
    *core.clouds.fails.lock().unwrap() = false;
    let diagnostics = core.apply(&nine_lines()).await;
    assert!(!diagnostics.has_errors() && core.there(), "{diagnostics:?}");
    let current = core.held();
    (core, former, current)
}

/// An update that finished the link is not undone by the delete of its former state.
#[tokio::test]
async fn delete_of_former_state_keeps_finished_link() {
    let (mut core, former, _) = finished_after_all().await;
    core.hold(former);
    core.delete().await;
    assert!(core.there());
}

#[tokio::test]
async fn other_process_reads_former_state_as_absent() {
    let (mut core, former, current) = finished_after_all().await;
    core.forgets();
    core.resource.on_stored_state(&current.0);
    core.hold(former.clone());
    core.refresh().await;
    assert!(core.state.is_null() && core.there());
    core.hold(former);
    core.delete().await;
    assert!(core.there());
}

/// The only state of a link is deleted although the end of its create was never recorded.
#[tokio::test]
async fn delete_only_state_of_link_without_end_of_create() {
    let (mut core, former, _) = finished_after_all().await;
    core.forgets();
    core.hold(former);
    core.refresh().await;
    assert!(core.state.is_set());
    core.delete().await;
    assert!(!core.there());
}

#[tokio::test]
async fn former_state_deletes_link_recreated_after_delete() {
    let (mut core, former, current) = finished_after_all().await;
    let there = core.clouds.there.lock().unwrap().clone();
    core.hold(current);
    core.delete().await;
    // Another user created it again, in part.
    *core.clouds.there.lock().unwrap() = there;
    core.hold(former);
    core.refresh().await;
    assert!(core.state.is_set());
    core.delete().await;
    assert!(!core.there());
}

#[tokio::test]
async fn former_state_deletes_link_recreated_after_loss() {
    let (mut core, ..) = finished_after_all().await;
    *core.clouds.there.lock().unwrap() = Default::default();
    core.refresh().await;
    assert!(core.state.is_null());
    *core.clouds.fails.lock().unwrap() = true;
    assert!(core.apply(&nine_lines()).await.has_errors());
    core.delete().await;
    assert!(!core.there());
}

#[tokio::test]
async fn delete_link_found_incomplete_by_complete_state() {
    let mut core = made(&nine_lines()).await;
    for instance in Instance::ALL {
        let mut there = core.clouds.there.lock().unwrap();
        let customer = there
            .aws
            .customer_gateways
            .get_mut(instance)
            .as_mut()
            .unwrap();
        customer
            .tags
            .insert(TAG_INCOMPLETE.to_owned(), "true".to_owned());
    }
    core.resource.on_stored_state(&core.state);
    core.refresh().await;
    core.delete().await;
    assert!(!core.there());
}

#[tokio::test]
async fn replace_complete_link_in_either_order() {
    let mut core = made(&nine_lines()).await;
    let before = core.held();
    let diagnostics = core
        .apply(&with(nine_lines(), "azure.resource_group_name", "other"))
        .await;
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    core.hold(before);
    core.delete().await;
    assert!(!core.there());
}

#[tokio::test]
async fn one_process_serves_several_runs() {
    let mut core = Core::new();
    for _ in 0..2 {
        let created = core.apply(&nine_lines()).await;
        assert!(!created.has_errors(), "{created:?}");
        let plan = core.plan(&Value::Null).await;
        assert!(!plan.diagnostics.has_errors(), "{:?}", plan.diagnostics);
        core.apply_plan(core.state.clone(), &Value::Null, plan)
            .await;
        assert!(core.state.is_null() && !core.there());
    }
}
