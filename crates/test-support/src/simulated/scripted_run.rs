//! A scripted run among the networks and gateways of an [`Environment`]: configurations that fail,
//! a correction, and the end.

use super::Sim;
use super::attributes::set;
use super::clock::{in_virtual_time, on_big_stack};
use super::environment::Environment;
use super::fingerprint::{differences, fingerprint};
use super::leak_checker;
use super::terraform_core::{Replacement, Run, Stored, TerraformCore, config};
use awsazure_sandbox::time::SimDuration;
use awsazure_sandbox::world::Settings;
use serde_json::Value as Json;

pub struct ScriptedRun<'a> {
    pub sim: &'a Sim,
    pub environment: &'a Environment,
    pub core: TerraformCore<'a>,
    before: Vec<String>,
}

/// Runs a scenario in a world of its own, under virtual time.
pub fn scripted(scenario: impl AsyncFnOnce(&mut ScriptedRun<'_>) + Send) {
    on_big_stack(|| {
        let environment = Environment::build();
        in_virtual_time(Box::pin(async {
            let mut world = environment.world.clone();
            world.settings = Settings {
                time_scale: 30,
                growing_retry_after: true,
                ..world.settings
            };
            let sim = Sim::of(1, world);
            let before = fingerprint(&sim, &Stored::default());
            let mut core =
                TerraformCore::new(&sim, terraform_plugin::Value::Null, Stored::default());
            core.replacement = Replacement::DestroyFirst;
            let mut run = ScriptedRun {
                sim: &sim,
                environment: &environment,
                core,
                before,
            };
            Box::pin(scenario(&mut run)).await;
        }));
    });
}

impl ScriptedRun<'_> {
    pub fn configure(&mut self, configuration: &Json) {
        self.core.config = config(configuration);
    }

    pub fn set(&mut self, path: &str, value: &Json) {
        set(&mut self.core.config, path, value);
    }

    pub fn state(&self, path: &str) -> terraform_plugin::Value {
        self.core.stored.state.at(&path.into()).clone()
    }

    /// An apply that ends well, and an empty plan after it.
    pub async fn apply(&mut self) {
        self.core.new_process();
        assert_eq!(self.core.run(&Run::Apply).await, Ok(()));
        self.core.new_process();
        assert_eq!(self.core.plans_empty().await, Ok(()));
        self.wait(SimDuration::minutes(6)).await;
        assert_eq!(leak_checker::tunnels_up(self.sim), Ok(()));
    }

    /// An apply that ends with errors at these attributes, under a rule of the fault plan if there
    /// is one.
    pub async fn apply_fails(&mut self, rule: Option<&str>) -> Vec<String> {
        self.core.new_process();
        rule.iter()
            .for_each(|rule| self.sim.sandbox.world().faults.add(rule.parse().unwrap()));
        let ended = self.core.run(&Run::Apply).await;
        assert!(ended.is_err());
        self.sim.sandbox.world().faults.clear();
        self.core.failed_at.clone()
    }

    /// An apply whose process is killed at the call that the rule leaves without an answer.
    pub async fn apply_killed(&mut self, rule: &str, saved: bool) {
        self.core.new_process();
        self.sim.sandbox.world().faults.add(rule.parse().unwrap());
        let grave = self.sim.wire.deadly();
        tokio::select! {
            ended = self.core.run(&Run::Apply) => panic!("it was not killed: {ended:?}"),
            () = grave.cancelled() => {}
        }
        if saved {
            self.core.store_checkpoint();
        }
        self.sim.wire.calm();
        self.sim.sandbox.world().faults.clear();
        self.wait(SimDuration::minutes(5)).await;
    }

    /// A destroy that leaves both clouds as they were.
    pub async fn finish(&mut self) {
        self.core.new_process();
        assert_eq!(self.core.run(&Run::Destroy).await, Ok(()));
        self.wait(SimDuration::minutes(20)).await;
        assert_eq!(self.differences(), Vec::<String>::new());
    }

    /// What is in the clouds and was not there before the link, and the other way round.
    pub fn differences(&self) -> Vec<String> {
        differences(&fingerprint(self.sim, &Stored::default()), &self.before)
    }

    /// What another team configures before the link exists. A destroy must leave it.
    pub async fn configure_by_others(&mut self, change: impl AsyncFnOnce(&Sim)) {
        change(&self.sim.of_actor("others")).await;
        self.wait(SimDuration::minutes(20)).await;
        self.before = fingerprint(self.sim, &Stored::default());
    }

    pub async fn wait(&self, span: SimDuration) {
        self.sim.wait(span).await;
    }
}
