//! Operations, preconditions, locks, tokens, faults: what is the same for every kind of resource.

use super::*;

#[test]
fn put_returns_updating_and_operation_completes() {
    let mut bench = Bench::ground(1);
    let put = bench.send("PUT", &gateway_url(), &gateway());
    assert_eq!((put.status, put.state()), (201, "Updating"));
    assert_eq!(put.header("Retry-After"), Some("10"));
    let url = put.header("Azure-AsyncOperation").unwrap().to_owned();
    assert!(
        url.starts_with("https://arm/subscriptions/") && url.ends_with("?api-version=2025-01-01")
    );
    assert!(url.contains(&format!(
        "/locations/eastus/operations/{}?",
        put.header("x-ms-request-id").unwrap()
    )));
    assert_eq!(put.header("Location"), None);
    let settings = &put.body["properties"]["bgpSettings"];
    assert!(settings.get("bgpPeeringAddress").is_none());
    assert!(
        settings["bgpPeeringAddresses"][0]
            .get("tunnelIpAddresses")
            .is_none()
    );
    bench.pass(SimDuration::minutes(24));
    let poll = bench.call("GET", &url);
    assert_eq!(
        (
            poll.status,
            &poll.body["status"],
            poll.header("Retry-After")
        ),
        (200, &json!("InProgress"), Some("10"))
    );
    assert_eq!(bench.call("GET", &gateway_url()).state(), "Updating");
    bench.pass(SimDuration::minutes(12));
    let poll = bench.call("GET", &url);
    assert_eq!(
        (&poll.body["status"], poll.header("Retry-After")),
        (&json!("Succeeded"), None)
    );
    let got = bench.call("GET", &gateway_url());
    assert_eq!(got.state(), "Succeeded");
    assert_ne!(got.body["etag"], put.body["etag"]);
    assert_eq!(
        got.body["properties"]["bgpSettings"]["bgpPeeringAddress"],
        "10.1.1.4,10.1.1.5"
    );
    assert!(
        got.body["properties"]
            .get("vpnClientConfiguration")
            .is_none()
    );
    let again = bench.send("PUT", &gateway_url(), &gateway());
    assert_eq!((again.status, again.state()), (200, "Updating"));
}

#[test]
fn honour_conditional_headers_and_return_etags() {
    let mut bench = Bench::ground(2);
    let url = format!("{NET}/virtualNetworks/v");
    assert_eq!(
        bench
            .with("PUT", &url, &network(), ("if-none-match", "*"))
            .status,
        412
    );
    assert_eq!(
        bench
            .with("PUT", &url, &network(), ("if-match", "W/\"stale\""))
            .code(),
        "PreconditionFailed"
    );
    let got = bench.call("GET", &url);
    let etag = got.header("ETag").unwrap().to_owned();
    assert_eq!(got.body["etag"], etag.as_str());
    assert_eq!(
        bench
            .with("PUT", &url, &network(), ("if-match", &etag))
            .status,
        200
    );
    let fresh = format!("{NET}/localNetworkGateways/new");
    assert_eq!(
        bench
            .with("PUT", &fresh, &local_gateway(0), ("if-none-match", "*"))
            .status,
        201
    );
    bench.pass(SimDuration::seconds(5));
    bench.done("PUT", &gateway_url(), &gateway());
    assert_eq!(bench.call("GET", &gateway_url()).header("ETag"), None);
    let stale = bench.with("PUT", &gateway_url(), &gateway(), ("if-match", "\"stale\""));
    assert_eq!(stale.status, 412);
}

#[test]
fn compare_ids_ignoring_case_and_encoding() {
    let mut bench = Bench::ground(3);
    let odd =
        "/subscriptions/00000000-0000-4000-A000-00000000A2E0/resourcegroups/Hub.Net_%28Core%29-RG";
    assert_eq!(
        bench
            .send("PUT", odd, &json!({"location": "eastus"}))
            .status,
        201
    );
    let got = bench.call(
        "GET",
        &odd.replace("resourcegroups", "RESOURCEGROUPS")
            .to_lowercase(),
    );
    assert_eq!(got.body["name"], "Hub.Net_(Core)-RG");
    let shout = format!(
        "{}/PROVIDERS/microsoft.NETWORK/PUBLICIPADDRESSES/P0",
        GROUP.to_uppercase()
    );
    assert_eq!(bench.call("GET", &shout).body["name"], "p0");
    let mut loud = gateway();
    let id = loud["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]["id"]
        .as_str()
        .unwrap()
        .to_uppercase();
    loud["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]["id"] = id.into();
    assert_eq!(bench.send("PUT", &gateway_url(), &loud).status, 201);
}

#[test]
fn serialize_writes_per_gateway() {
    let mut bench = Bench::link(4);
    let (c0, c1) = (
        format!("{NET}/connections/c0"),
        format!("{NET}/connections/c1"),
    );
    let first = bench.send("PUT", &c0, &connection(0));
    assert_eq!(first.status, 200);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        for (url, body) in [
            (&c0, connection(0)),
            (&c1, connection(1)),
            (&gateway_url(), gateway()),
        ] {
            let refused = bench.send("PUT", url, &body);
            seen.insert((refused.status, refused.code().to_owned()));
        }
        bench.pass(SimDuration(1));
    }
    let expected = [
        (409, "AnotherOperationInProgress"),
        (429, "RetryableErrorDueToAnotherOperation"),
    ];
    assert_eq!(
        seen,
        expected
            .map(|(status, code)| (status, code.to_owned()))
            .into()
    );
    assert_eq!(bench.wait(&first)["status"], "Succeeded");
    assert_eq!(bench.send("PUT", &c1, &connection(1)).status, 200);
}

/// Setting a key reports success before the connection is ready and before the gateway accepts the
/// next write.
#[test]
fn set_key_succeeds_before_connection_is_ready() {
    let mut bench = Bench::link(5);
    let (url, key) = (
        format!("{NET}/connections/c0"),
        format!("{NET}/connections/c0/sharedkey"),
    );
    assert_eq!(
        bench.call("GET", &key).body,
        json!({"value": "first.Key_1"})
    );
    let put = bench.send("PUT", &key, &json!({"value": "second.Key_2"}));
    let poll = put.header("Azure-AsyncOperation").unwrap().to_owned();
    while bench.call("GET", &poll).body["status"] == "InProgress" {
        bench.pass(SimDuration(500));
    }
    assert_eq!(bench.call("GET", &key).body["value"], "second.Key_2");
    assert_eq!(bench.call("GET", &url).state(), "Updating");
    assert!(matches!(
        bench
            .send("PUT", &format!("{NET}/connections/c1"), &connection(1))
            .status,
        409 | 429
    ));
    bench.pass(SimDuration::seconds(20));
    assert_eq!(bench.call("GET", &url).state(), "Succeeded");
    assert_eq!(
        bench
            .send("PUT", &format!("{NET}/connections/c1"), &connection(1))
            .status,
        200
    );
}

/// An update of a connection neither returns nor changes its key.
#[test]
fn connection_responses_omit_shared_key() {
    let mut bench = Bench::link(6);
    let url = format!("{NET}/connections/c0");
    let mut body = connection(0);
    body["properties"]["sharedKey"] = "other.Key_9".into();
    let put = bench.done("PUT", &url, &body);
    let get = bench.call("GET", &url);
    let list = bench.call("GET", &format!("{}/connections", gateway_url()));
    assert_eq!(list.body["value"].as_array().unwrap().len(), 2);
    for got in [put, get, list] {
        assert!(!got.body.to_string().contains("Key_"), "{}", got.body);
    }
    assert_eq!(
        bench.call("GET", &format!("{url}/sharedkey")).body["value"],
        "first.Key_1"
    );
    assert!(!bench.world.objects().to_string().contains("Key_"));
}

#[test]
fn put_repairs_resource_in_failed_state() {
    let mut bench = Bench::ground(7);
    bench
        .world
        .faults
        .add("fail call 1 of PutGateway: once failed".parse().unwrap());
    let put = bench.send("PUT", &gateway_url(), &gateway());
    assert_eq!(put.status, 201);
    let end = bench.wait(&put);
    assert_eq!(
        (&end["status"], &end["error"]["code"]),
        (&json!("Failed"), &json!("InternalServerError"))
    );
    assert_eq!(bench.call("GET", &gateway_url()).state(), "Failed");
    assert_eq!(bench.done("PUT", &gateway_url(), &gateway()).status, 200);
    assert_eq!(bench.call("GET", &gateway_url()).state(), "Succeeded");
}

/// The record of an operation can expire while the resource is still being changed.
#[test]
fn expired_operation_record_returns_not_found() {
    let mut bench = Bench::ground(8);
    bench.world.faults.add(
        "fail call 1 of PutLocalGateway: once expired"
            .parse()
            .unwrap(),
    );
    let url = format!("{NET}/localNetworkGateways/l0");
    let put = bench.send("PUT", &url, &local_gateway(0));
    assert_eq!(
        bench
            .call("GET", put.header("Azure-AsyncOperation").unwrap())
            .status,
        404
    );
    bench.pass(SimDuration::seconds(21));
    assert_eq!(bench.call("GET", &url).state(), "Succeeded");
    bench
        .world
        .faults
        .add("fail call 1 of GetOperation: once 404".parse().unwrap());
    let put = bench.send("PUT", &url, &local_gateway(0));
    let poll = put.header("Azure-AsyncOperation").unwrap().to_owned();
    assert_eq!(
        [
            bench.call("GET", &poll).status,
            bench.call("GET", &poll).status
        ],
        [404, 200]
    );
}

#[test]
fn faults_apply_before_or_after_effect() {
    let mut bench = Bench::ground(9);
    let url = format!("{NET}/localNetworkGateways/l0");
    let mut expect = |kind: &str, exists: bool| {
        bench.world.faults.clear();
        bench.world.faults.add(
            format!("fail call 1 of azure PutLocalGateway on l0: once {kind}")
                .parse()
                .unwrap(),
        );
        let request = bench.request("PUT", &url, local_gateway(0).to_string().as_bytes());
        let outcome = bench.outcome(&request);
        let found = bench.call("GET", &url).status == 200;
        assert_eq!(found, exists, "{kind}");
        if found {
            bench.pass(SimDuration::seconds(30));
            let gone = bench.send("DELETE", &url, &Value::Null);
            bench.wait(&gone);
        }
        outcome
    };
    assert_eq!(expect("dropped", false), Outcome::Dropped);
    assert_eq!(expect("hang", false), Outcome::Hang);
    assert_eq!(expect("lost", true), Outcome::Dropped);
    assert_eq!(expect("hang-after", true), Outcome::Hang);
    for (kind, status) in [
        ("429", 429),
        ("503", 503),
        ("409", 409),
        ("500", 500),
        ("401", 401),
        ("403", 403),
        ("404", 404),
        ("refused", 400),
    ] {
        let Outcome::Response(response) = expect(kind, false) else {
            panic!("{kind}")
        };
        assert_eq!(response.status, status);
        let waits = response
            .headers
            .iter()
            .any(|(name, _)| name == "Retry-After");
        assert_eq!(waits, matches!(kind, "429" | "503"), "{kind}");
        assert!(
            serde_json::from_slice::<Value>(&response.body).unwrap()["error"]["code"].is_string()
        );
    }
    for kind in ["malformed", "truncated"] {
        let Outcome::Response(response) = expect(kind, true) else {
            panic!("{kind}")
        };
        assert!(serde_json::from_slice::<Value>(&response.body).is_err());
    }
}

#[test]
fn issue_check_and_expire_tokens() {
    let mut bench = Bench::ground(10);
    let wrong = bench.ask_token("guess");
    assert_eq!(
        (wrong.status, &wrong.body["error"]),
        (401, &json!("invalid_client"))
    );
    assert!(
        wrong.body["error_description"]
            .as_str()
            .unwrap()
            .starts_with("AADSTS7000215")
    );
    assert_eq!(bench.call("GET", GROUP).status, 200);
    bench.pass(SimDuration::seconds(3_601));
    let got = bench.call("GET", GROUP);
    assert_eq!(
        (got.status, got.code()),
        (401, "ExpiredAuthenticationToken")
    );
    assert!(got.header("WWW-Authenticate").is_some());
    bench.log_in();
    assert_eq!(bench.call("GET", GROUP).status, 200);
    bench.token = "made.up.bm8".into();
    assert_eq!(
        bench.call("GET", GROUP).code(),
        "InvalidAuthenticationToken"
    );
    let mut request = bench.request("GET", GROUP, b"");
    request.headers.clear();
    assert_eq!(bench.answered(&request).code(), "AuthenticationFailed");
    let discovery = bench.call("GET", "/t/v2.0/.well-known/openid-configuration");
    assert_eq!(
        discovery.body["token_endpoint"],
        "https://arm/t/oauth2/v2.0/token"
    );
    let metadata = bench.call("GET", "/metadata/endpoints?api-version=2022-09-01");
    assert_eq!(
        metadata.body["authentication"]["loginEndpoint"],
        "https://arm"
    );
    assert!(
        bench
            .call("GET", "/metadata/endpoints?api-version=2019-05-01")
            .body
            .is_array()
    );
}

#[test]
fn throttled_requests_return_retry_after() {
    let mut bench = Bench::ground(11);
    let mut request = bench.request("DELETE", &format!("{NET}/connections/none"), b"");
    request
        .headers
        .push(("x-ms-correlation-request-id".into(), "mine".into()));
    let mut at = |ms: u64| bench.world.handle(SimTime(600_000 + ms), &request).outcome;
    let mut status = |ms: u64| match at(ms) {
        Outcome::Response(response) => (response.status, response.headers),
        other => panic!("{other:?}"),
    };
    let (first, headers) = status(0);
    assert_eq!(first, 204);
    assert!(headers.contains(&(
        "x-ms-ratelimit-remaining-subscription-deletes".into(),
        "199".into()
    )));
    assert!(headers.contains(&("x-ms-correlation-request-id".into(), "mine".into())));
    assert!((1..200).all(|_| status(0).0 == 204));
    let (refused, headers) = status(0);
    assert_eq!(refused, 429);
    assert!(headers.contains(&("Retry-After".into(), "1".into())));
    assert_eq!(status(1_000).0, 204);
}

#[test]
fn scale_retry_after_without_fractions() {
    let mut settings = Settings::default();
    assert_eq!(
        settings.retry_after(SimDuration::seconds(10)),
        [("Retry-After", "10".to_owned())]
    );
    settings.time_scale = 4;
    assert_eq!(
        settings.retry_after(SimDuration::seconds(10)),
        [("Retry-After", "2".to_owned())]
    );
    settings.time_scale = 1_000;
    let scaled = settings.retry_after(SimDuration::seconds(10));
    assert_eq!(
        scaled,
        [
            ("x-ms-retry-after-ms", "10".to_owned()),
            ("retry-after-ms", "10".to_owned())
        ]
    );
}

/// The same seed gives the same bytes, also for a world that was saved and loaded in between.
#[test]
fn same_seed_gives_same_bytes_after_reload() {
    let finish = |mut bench: Bench| {
        let key = bench.done(
            "PUT",
            &format!("{NET}/connections/c0/sharedkey"),
            &json!({"value": "x.Key_3"}),
        );
        (
            key.response,
            bench.call("GET", &gateway_url()).response,
            bench.now,
        )
    };
    assert_eq!(finish(Bench::link(12)), finish(Bench::link(12)));
    let bench = Bench::link(12);
    let text = serde_json::to_string(&bench.world).unwrap();
    let world: World = serde_json::from_str(&text).unwrap();
    let revived = Bench {
        world,
        now: bench.now,
        token: bench.token.clone(),
    };
    assert_eq!(finish(revived), finish(bench));
}

#[test]
fn reject_invalid_requests_without_effect() {
    let mut bench = Bench::ground(13);
    assert_eq!(
        bench.call("GET", &format!("{GROUP}?")).code(),
        "MissingApiVersionParameter"
    );
    assert_eq!(
        bench
            .call("GET", &format!("{GROUP}?api-version=newest"))
            .code(),
        "InvalidApiVersionParameter"
    );
    assert_eq!(
        bench
            .call("GET", &format!("{GROUP}?api-version=2025-01-01-preview"))
            .status,
        200
    );
    let other = GROUP.replace("a2e0/", "a2e1/");
    assert_eq!(bench.call("GET", &other).code(), "SubscriptionNotFound");
    let nowhere = NET.replace("/rg/", "/none/");
    assert_eq!(
        bench
            .call("GET", &format!("{nowhere}/connections/c"))
            .code(),
        "ResourceGroupNotFound"
    );
    assert_eq!(
        bench
            .send("PUT", &format!("{NET}/connections/-c"), &connection(0))
            .code(),
        "InvalidResourceName"
    );
    assert_eq!(
        bench
            .send("PUT", &format!("{NET}/localNetworkGateways/l"), &json!({}))
            .code(),
        "LocationRequired"
    );
    assert_eq!(
        bench
            .send("PUT", &format!("{NET}/localNetworkGateways/l"), &json!([]))
            .code(),
        "InvalidRequestContent"
    );
    let moved = json!({"location": "westus", "properties": {}});
    assert_eq!(
        bench
            .send("PUT", &format!("{NET}/virtualNetworks/v"), &moved)
            .code(),
        "InvalidResourceLocation"
    );
}
