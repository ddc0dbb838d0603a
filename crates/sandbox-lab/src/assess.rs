//! In which layer a tunnel stands or fails, read from what its daemons say: the same words as the
//! rules have for it.

use awsazure_sandbox::dataplane::{AwsEndpoint, LabReport, TunnelStatus};

/// The status of a tunnel, by its AWS endpoint. A tunnel that has only just been started has not
/// failed for good.
pub fn assess(report: &LabReport, end: &AwsEndpoint) -> TunnelStatus {
    let Some(aws) = report
        .aws
        .iter()
        .find(|word| word.outside_ip == end.outside_ip)
    else {
        return TunnelStatus::IkeNoAnswer;
    };
    let mut met = report
        .azure
        .iter()
        .filter(|word| word.public_ip == end.peer_ip && word.peer_ip == end.outside_ip);
    let azure = met.next();
    if aws.sa.is_some() {
        let sessions = [Some(&aws.session), azure.map(|word| &word.session)];
        let both_up = sessions
            .iter()
            .all(|session| session.is_some_and(|session| session.is_up()));
        let refused = sessions.iter().flatten().any(|session| {
            session
                .last_error
                .as_ref()
                .is_some_and(|error| error.contains("Bad peer AS"))
        });
        return match (both_up, refused) {
            (true, _) => TunnelStatus::Up,
            (false, true) => TunnelStatus::BgpBadPeerAs,
            (false, false) => TunnelStatus::BgpNoConnection,
        };
    }
    if aws.ike {
        return TunnelStatus::ChildNoProposal;
    }
    // The initiator is refused; the responder knows why, too.
    let troubles = [
        aws.trouble.as_deref(),
        azure.and_then(|word| word.trouble.as_deref()),
    ];
    let has = |name: &str| troubles.contains(&Some(name));
    if has("AUTHENTICATION_FAILED") {
        TunnelStatus::IkeAuthFailed
    } else if has("NO_PROPOSAL_CHOSEN") {
        TunnelStatus::IkeNoProposal
    } else {
        TunnelStatus::IkeNoAnswer
    }
}
