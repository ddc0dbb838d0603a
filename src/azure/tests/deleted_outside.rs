//! Objects that a user deletes while a call waits for them.

use super::test_transport::ScriptedResponse;
use super::*;

/// Azure may report the operation as running although a user deleted the object.
#[tokio::test(start_paused = true)]
async fn deletion_by_hand_ends_wait_for_new_object() {
    let deletions = [
        fault("GET", "localNetworkGateways/one", 404, "ResourceNotFound"),
        ok("GET", "localNetworkGateways/one", local("Deleting", "me")),
    ];
    for deletion in deletions {
        let started = vec![("azure-asyncoperation", STATUS), ("retry-after", "60")];
        let running = || {
            let wait = vec![("retry-after", "60")];
            let body = json!({"status": "InProgress"});
            (
                "GET",
                "operations/o",
                ScriptedResponse::Answer(200, wait, body),
            )
        };
        let (made, script) = create(vec![
            (
                "PUT",
                "localNetworkGateways/one",
                ScriptedResponse::Answer(201, started, local("Updating", "me")),
            ),
            running(),
            running(),
            deletion,
        ])
        .await;
        let error = made.unwrap_err();
        assert!(matches!(error, Error::NotFound(_)), "{error}");
        let text = error.to_string();
        for part in [
            "localNetworkGateways/one",
            "deleted outside of Terraform",
            "creates it again",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(script.left(), 0);
    }
}
