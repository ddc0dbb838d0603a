//! The rows.

use super::link::{Link, ip, words};
use awsazure_sandbox::dataplane::TunnelStatus;
use awsazure_sandbox::dataplane::TunnelStatus::{
    BgpBadPeerAs, BgpNoConnection, ChildNoProposal, IkeAuthFailed, IkeNoAnswer, IkeNoProposal, Up,
};

pub struct Row {
    pub name: &'static str,
    /// One for each tunnel of the link.
    pub verdicts: &'static [TunnelStatus],
    /// Whether children can be renewed, where they come up at all.
    pub rekeys: bool,
    pub wrong: fn(&mut Link),
}

const fn row(name: &'static str, verdicts: &'static [TunnelStatus], wrong: fn(&mut Link)) -> Row {
    Row {
        name,
        verdicts,
        rekeys: true,
        wrong,
    }
}

const fn fails_at_renewal(name: &'static str, wrong: fn(&mut Link)) -> Row {
    Row {
        name,
        verdicts: &[Up],
        rekeys: false,
        wrong,
    }
}

pub const ROWS: [Row; 38] = [
    row("nothing wrong", &[Up, Up], |_| {}),
    row("key", &[IkeAuthFailed, Up], |link| {
        link.connection(|end| end.shared_key = "Another.key_example".into())
    }),
    row("customer gateway's ASN", &[BgpBadPeerAs, Up], |link| {
        link.aws[0].peer_asn = 65_010
    }),
    row("local network gateway's ASN", &[BgpBadPeerAs, Up], |link| {
        link.connection(|end| end.peer_asn = Some(64_513))
    }),
    row("VGW's own ASN", &[BgpBadPeerAs, BgpBadPeerAs], |link| {
        link.aws.iter_mut().for_each(|end| end.asn = 64_600)
    }),
    row("Azure gateway's own ASN", &[BgpBadPeerAs], |link| {
        link.connection(|end| end.asn = 65_100)
    }),
    row("custom BGP address", &[BgpNoConnection], |link| {
        link.azure[0].bgp_ip = Some(ip("169.254.29.2"))
    }),
    row("no custom BGP address", &[BgpNoConnection], |link| {
        link.azure[0].bgp_ip = Some(ip("10.1.255.4"))
    }),
    row(
        "local network gateway's BGP address",
        &[BgpNoConnection],
        |link| {
            link.connection(|end| end.peer_bgp_ip = Some(ip("169.254.29.1")));
        },
    ),
    row("inside CIDR", &[BgpNoConnection], |link| {
        link.aws[0].inside_cidr = "169.254.29.0/30".parse().unwrap()
    }),
    row(
        "custom BGP addresses swapped",
        &[BgpNoConnection, BgpNoConnection],
        |link| {
            (link.azure[0].bgp_ip, link.azure[2].bgp_ip) =
                (link.azure[2].bgp_ip, link.azure[0].bgp_ip);
        },
    ),
    row(
        "inside CIDRs swapped",
        &[BgpNoConnection, BgpNoConnection],
        |link| {
            (link.aws[0].inside_cidr, link.aws[1].inside_cidr) =
                (link.aws[1].inside_cidr, link.aws[0].inside_cidr);
        },
    ),
    // The instance chooses the connection by the peer's address, and so the other tunnel's key.
    row(
        "outside addresses swapped",
        &[IkeAuthFailed, IkeAuthFailed],
        swap_outside,
    ),
    row(
        "outside addresses swapped, one key for both",
        &[BgpNoConnection, BgpNoConnection],
        |link| {
            swap_outside(link);
            link.aws
                .iter_mut()
                .for_each(|end| end.pre_shared_key = "One.key_for_both".into());
            link.azure
                .iter_mut()
                .for_each(|end| end.shared_key = "One.key_for_both".into());
        },
    ),
    row("unused outside address", &[IkeNoProposal, Up], |link| {
        link.connection(|end| end.peer_ip = ip("198.18.250.1"))
    }),
    // Azure has every connection on both instances: IPsec comes up with the wrong one, which has no
    // BGP address for it.
    row(
        "customer gateway with the other instance's IP",
        &[BgpNoConnection],
        |link| {
            link.aws[0].peer_ip = link.azure[1].public_ip;
        },
    ),
    row(
        "customer gateway with an unused IP",
        &[IkeNoAnswer],
        |link| link.aws[0].peer_ip = ip("203.0.250.10"),
    ),
    row("BGP off on the connection", &[BgpNoConnection], |link| {
        link.connection(|end| end.enable_bgp = false)
    }),
    row("static routes only", &[BgpNoConnection], |link| {
        link.aws[0].static_routes_only = true
    }),
    row("AWS out of service", &[IkeNoAnswer], |link| {
        link.aws[0].serving = false
    }),
    row("Azure out of service", &[IkeNoAnswer], |link| {
        link.connection(|end| end.serving = false)
    }),
    row("neither dials", &[IkeNoAnswer], |link| {
        link.aws[0].startup_action = "add".into()
    }),
    row("Azure dials instead", &[Up], |link| {
        link.aws[0].startup_action = "add".into();
        link.connection(|end| end.connection_mode = "InitiatorOnly".into());
    }),
    row("IKEv1 on AWS", &[IkeNoProposal], |link| {
        link.aws[0].ike_versions = words(&["ikev1"]);
        link.aws[0].startup_action = "add".into();
        link.connection(|end| end.connection_mode = "Default".into());
    }),
    row("IKE encryption", &[IkeNoProposal], |link| {
        link.policy(|policy| policy.ike_encryption = "AES128".into())
    }),
    row("IKE integrity", &[IkeNoProposal], |link| {
        link.policy(|policy| policy.ike_integrity = "SHA256".into())
    }),
    row("DH group", &[IkeNoProposal], |link| {
        link.policy(|policy| policy.dh_group = "ECP256".into())
    }),
    row("IPsec encryption", &[ChildNoProposal], |link| {
        link.policy(|policy| {
            policy.ipsec_encryption = "GCMAES128".into();
            policy.ipsec_integrity = "GCMAES128".into();
        });
    }),
    row("IPsec integrity", &[ChildNoProposal], |link| {
        link.aws[0].phase2_encryption = words(&["AES256"]);
        link.policy(|policy| {
            policy.ipsec_encryption = "AES256".into();
            policy.ipsec_integrity = "SHA256".into();
        });
    }),
    fails_at_renewal("PFS group", |link| {
        link.policy(|policy| policy.pfs_group = "PFS2048".into())
    }),
    fails_at_renewal("no PFS at Azure", |link| {
        link.policy(|policy| policy.pfs_group = "None".into())
    }),
    row("lifetimes", &[Up], |link| {
        link.aws[0].phase1_lifetime_seconds = 900;
        link.aws[0].phase2_lifetime_seconds = 900;
        link.policy(|policy| policy.sa_life_time_seconds = 300);
    }),
    row("AWS at its defaults", &[Up], aws_defaults),
    row(
        "Azure at its defaults, AWS with group 20",
        &[IkeNoProposal],
        |link| link.connection(|end| end.policy = None),
    ),
    row("both at their defaults", &[Up], |link| {
        aws_defaults(link);
        link.connection(|end| end.policy = None);
    }),
    // The same words said in both languages.
    row("AES256, SHA256, group 14 for both phases", &[Up], |link| {
        phases(link, ["AES256", "SHA2-256"], 14, ["AES256", "SHA2-256"], 14);
        policies(
            link,
            ["AES256", "SHA256", "DHGroup14"],
            ["AES256", "SHA256", "PFS2048"],
        );
    }),
    row("AES128, SHA1, groups 2 and 24", &[Up], |link| {
        phases(link, ["AES128", "SHA1"], 2, ["AES128", "SHA1"], 24);
        policies(
            link,
            ["AES128", "SHA1", "DHGroup2"],
            ["AES128", "SHA1", "PFS24"],
        );
    }),
    row(
        "GCM for both phases, group 19, PFS as main mode",
        &[Up],
        |link| {
            phases(
                link,
                ["AES128-GCM-16", "SHA2-256"],
                19,
                ["AES128-GCM-16", "SHA2-256"],
                19,
            );
            policies(
                link,
                ["GCMAES128", "SHA256", "ECP256"],
                ["GCMAES128", "GCMAES128", "PFSMM"],
            );
        },
    ),
];

fn swap_outside(link: &mut Link) {
    let (first, second) = (link.aws[0].outside_ip, link.aws[1].outside_ip);
    for end in &mut link.azure {
        end.peer_ip = if end.peer_ip == first { second } else { first };
    }
}

fn aws_defaults(link: &mut Link) {
    let end = &mut link.aws[0];
    for list in [
        &mut end.phase1_encryption,
        &mut end.phase1_integrity,
        &mut end.phase2_encryption,
    ] {
        list.clear();
    }
    end.phase2_integrity.clear();
    end.phase1_dh_groups.clear();
    end.phase2_dh_groups.clear();
}

fn phases(link: &mut Link, phase1: [&str; 2], dh: u32, phase2: [&str; 2], pfs: u32) {
    let end = &mut link.aws[0];
    (end.phase1_encryption, end.phase1_integrity) = (words(&phase1[..1]), words(&phase1[1..]));
    (end.phase2_encryption, end.phase2_integrity) = (words(&phase2[..1]), words(&phase2[1..]));
    (end.phase1_dh_groups, end.phase2_dh_groups) = (vec![dh], vec![pfs]);
}

fn policies(link: &mut Link, ike: [&str; 3], ipsec: [&str; 3]) {
    link.policy(|policy| {
        [policy.ike_encryption, policy.ike_integrity, policy.dh_group] = ike.map(str::to_owned);
        [
            policy.ipsec_encryption,
            policy.ipsec_integrity,
            policy.pfs_group,
        ] = ipsec.map(str::to_owned);
    });
}
