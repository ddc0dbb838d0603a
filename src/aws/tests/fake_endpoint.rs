//! An HTTP server on this machine in the place of EC2, STS, SSO, the container agent and the instance
//! metadata service. It records with which access key EC2 was called.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub struct FakeEndpoint {
    pub url: String,
    /// Access keys of calls to EC2.
    pub keys: Arc<Mutex<Vec<String>>>,
    /// Bodies of calls to STS.
    pub sts: Arc<Mutex<Vec<String>>>,
}

struct Asked {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Asked {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).unwrap();
        Some(Asked {
            method,
            path,
            headers,
            body,
        })
    }

    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// The key that the request is signed with.
    fn access_key(&self) -> String {
        let signed = self.header("authorization").split_once("Credential=");
        let key = signed.and_then(|(_, rest)| rest.split_once('/'));
        key.map_or("unsigned", |(key, _)| key).to_owned()
    }
}

fn keys_in_json(id: &str) -> String {
    format!(
        r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"{id}","SecretAccessKey":"s","Token":"t",
            "Expiration":"2099-01-01T00:00:00Z","LastUpdated":"2020-01-01T00:00:00Z"}}"#
    )
}

fn sts_answer(action: &str, id: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
         <AccessKeyId>{id}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>r:s</AssumedRoleId>\
         <Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser></{action}Result></{action}Response>"
    )
}

impl FakeEndpoint {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = FakeEndpoint {
            url: format!("http://{}", listener.local_addr().unwrap()),
            keys: Arc::default(),
            sts: Arc::default(),
        };
        let (keys, sts) = (endpoint.keys.clone(), endpoint.sts.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(asked) = Asked::read(&stream) else {
                    continue;
                };
                let (status, body) = answer(&asked, &keys, &sts);
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\
                     x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n{body}"
                );
            }
        });
        endpoint
    }
}

fn answer(asked: &Asked, keys: &Mutex<Vec<String>>, sts: &Mutex<Vec<String>>) -> (u16, String) {
    let role = "/latest/meta-data/iam/security-credentials";
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/container") => match asked.header("authorization") {
            "pod-token" => (200, keys_in_json("CONTAINER")),
            _ => (401, String::new()),
        },
        ("PUT", "/latest/api/token") => (200, "imds-token".to_owned()),
        ("GET", path) if path.starts_with(role) => {
            let body = match asked.header("x-aws-ec2-metadata-token") {
                "imds-token" if path.len() > role.len() + 1 => keys_in_json("INSTANCE"),
                "imds-token" => "profile".to_owned(),
                _ => return (401, String::new()),
            };
            (200, body)
        }
        ("GET", path) if path.starts_with("/federation/credentials") => (
            200,
            r#"{"roleCredentials":{"accessKeyId":"SSO","secretAccessKey":"s","sessionToken":"t","expiration":4070908800000}}"#
                .to_owned(),
        ),
        ("POST", _) if asked.body.contains("Action=AssumeRoleWithWebIdentity") => {
            sts.lock().unwrap().push(asked.body.clone());
            (200, sts_answer("AssumeRoleWithWebIdentity", "WEBIDENTITY"))
        }
        ("POST", _) if asked.body.contains("Action=AssumeRole") => {
            sts.lock().unwrap().push(asked.body.clone());
            let id = format!("ROLEOF{}", asked.access_key());
            (200, sts_answer("AssumeRole", &id))
        }
        ("POST", _) if asked.body.contains("Action=DescribeVpnGateways") => {
            keys.lock().unwrap().push(asked.access_key());
            let set = "<vpnGatewaySet/></DescribeVpnGatewaysResponse>";
            (200, format!("<DescribeVpnGatewaysResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>{set}"))
        }
        _ => (404, String::new()),
    }
}
