//! Whole lifecycles through the real SDK code paths, under virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod simulated;

use simulated::Sim;

#[tokio::test(start_paused = true)]
async fn a_link_is_built_found_whole_and_taken_down_to_nothing() {
    let sim = Sim::new(1);
    let spec = sim.spec("prod", 0);
    let built = sim.converge(&spec).await;
    assert!(built.failures.is_empty(), "{:#?}", built.failures);
    assert!(built.unsettled.is_empty(), "{:#?}", built.unsettled);
    let calls = sim.sandbox.calls().len();
    let again = sim.converge_known(&spec, &built.observed).await;
    assert!(again.done.is_empty(), "{:?}", again.done);
    println!(
        "built in {} simulated s with {calls} calls; a look takes {}",
        sim.sandbox.now().0 / 1000,
        sim.sandbox.calls().len() - calls
    );
    let gone = sim.demolish(&spec, &again.observed).await;
    assert!(gone.failures.is_empty(), "{:#?}", gone.failures);
    assert_eq!(sim.objects(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_finished_is_never_taken_over_by_a_second_create() {
    let sim = Sim::new(2);
    let spec = sim.spec("prod", 0);
    let built = sim.converge(&spec).await;
    assert!(built.failures.is_empty(), "{:#?}", built.failures);
    let objects = sim.objects();
    let second = sim.converge(&spec).await;
    assert!(second.failures[0].cause.to_string().contains("terraform import"), "{:#?}", second.failures);
    assert_eq!(sim.objects(), objects);
}
