#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use crate::client::cloud_text::{HIDDEN, clean};

/// SplitMix64: the same texts in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| letters[self.below(letters.len())])
            .collect()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Every way in which a named value was seen in an error or may be quoted in one. `@` is the name,
/// `{V}` the value.
const NAMED: [&str; 22] = [
    "@={V}",
    "@={V}&Version=2016-11-15",
    "@: {V}",
    "@ = {V}, and more",
    "\"@\":\"{V}\"",
    "{\"@\": \"{V}\", \"a\": 1}",
    "'@': '{V}'",
    "<@>{V}</@>",
    "<ns:@>{V}</ns:@>",
    "\\\"@\\\":\\\"{V}\\\"",
    "&quot;@&quot;: &quot;{V}&quot;",
    "TunnelOptions.1.@={V}",
    "a.@={V};",
    "Value ({V}) for parameter @ is invalid. Expected at most 64.",
    "Invalid value '{V}' for @.",
    "Invalid value \"{V}\" for parameter '@'",
    "https://h/?a=b&@={V}#x",
    "@%3D{V}&a=1",
    "(@={V})",
    "[@: {V}]",
    "@ => {V}",
    "@ '{V}' is not valid",
];

const SECRET_NAMES: [&str; 16] = [
    "sharedKey",
    "PreSharedKey",
    "preSharedKey",
    "pre_shared_key",
    "client_secret",
    "clientSecret",
    "SecretAccessKey",
    "aws_secret_access_key",
    "password",
    "AccountKey",
    "client_assertion",
    "secret",
    "Psk",
    "sig",
    "X-Amz-Signature",
    "SessionToken",
];

#[test]
fn hide_every_named_secret_in_every_form() {
    let mut dice = Dice(1);
    for round in 0..20_000 {
        let (form, name) = (dice.one(&NAMED), dice.one(&SECRET_NAMES));
        // Unmistakable as a value, and in the alphabet that both clouds accept of a key.
        let length = 8 + dice.below(56);
        let value = dice.text(&format!("{ALNUM}._"), length);
        let before = dice.one(&["", "Bad request: ", "\u{1b}[1m", "… ", "x\n"]);
        let text = format!("{before}{}", form.replace('@', name).replace("{V}", &value));
        let cleaned = clean(&text);
        assert!(
            !cleaned.contains(&value),
            "round {round}: {text:?} became {cleaned:?}"
        );
        assert!(
            cleaned.contains(HIDDEN),
            "round {round}: {text:?} became {cleaned:?}"
        );
    }
}

#[test]
fn hide_credentials_by_their_form() {
    let mut dice = Dice(2);
    for round in 0..5_000 {
        let upper = &ALNUM[..26];
        let secret = match round % 7 {
            0 => format!("AKIA{}", dice.text(&format!("{upper}234567"), 16)),
            1 => format!("ASIA{}", dice.text(&format!("{upper}234567"), 16)),
            2 => format!(
                "eyJ{}.eyJ{}.{}",
                dice.text(ALNUM, 20),
                dice.text(ALNUM, 30),
                dice.text(&format!("{ALNUM}-_"), 40)
            ),
            3 => format!("aB1{}", dice.text(&format!("{ALNUM}+/"), 37)),
            4 => format!("aB1{}=", dice.text(&format!("{ALNUM}+/"), 40)),
            5 => format!(
                "{}8Q~{}",
                dice.text(ALNUM, 3),
                dice.text(&format!("{ALNUM}_-.~"), 34)
            ),
            _ => format!("Bearer 1{}", dice.text(&format!("{ALNUM}-._~+/"), 30)),
        };
        let secret =
            secret
                .strip_prefix("Bearer ")
                .map_or((secret.clone(), secret.clone()), |token| {
                    (
                        token.trim_end_matches(['.', '-']).to_owned(),
                        secret.clone(),
                    )
                });
        let (around, end) = (
            dice.one(&["", "x ", "(", "\"", "user: ", "\u{200b}"]),
            dice.one(&["", " y", ")", "\"", ",", "\n"]),
        );
        let text = format!("{around}{}{end}", secret.1);
        let cleaned = clean(&text);
        assert!(
            !cleaned.contains(&secret.0),
            "round {round}: {text:?} became {cleaned:?}"
        );
    }
}

/// What users need of an error stays.
#[test]
fn keep_text_that_is_not_secret() {
    for text in [
        "The client '00000000-0000-0000-0000-000000000001' with object id '00000000-0000-0000-0000-000000000001' does not have \
         authorization to perform action 'Microsoft.Network/connections/sharedKey/action' over scope \
         '/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/RgHub1/providers/Microsoft.Network/connections/c1'",
        "User: arn:aws:sts::111122223333:assumed-role/Admin/i-0abc is not authorized to perform: secretsmanager:CreateSecret on \
         resource: arn:aws:secretsmanager:eu-west-1:111122223333:secret:vpn-a1B2c3",
        "You are not authorized to perform this operation. Encoded authorization failure message: 2fNH-aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0\
         uV1wX2yZ3aB4cD5eF6gH7iJ8kL9mN0oP1qR2sT3uV4wX5yZ6_x",
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not \
         the client secret ID, for a secret added to app '00000000-0000-0000-0000-000000000001'.",
        "The security token included in the request is expired",
        "Bearer authentication failed; a bearer token is missing",
        "The vpnConnection ID 'vpn-0123456789abcdef0' does not exist",
        "W/\"0b7e0a50-3a1e-4b5a-9a6d-0123456789ab\" is not the current ETag",
        "Use VpnGw2AZ, or a key of 8 to 64 characters: letters, digits, '.' and '_'.",
        "Prefix 10.1.0.0/16 overlaps; 2026-11-27T12:00:00Z; 0123456789abcdef0123456789abcdef01234567",
    ] {
        let text = text.replace("         ", " ").replace("  ", " ");
        assert_eq!(clean(&text), text);
    }
}

#[test]
fn drop_control_sequences_and_invisible_characters() {
    for (text, left) in [
        ("a\u{1b}[31;1mred\u{1b}[0m b", "ared b"),
        (
            "\u{9b}2Ja\u{1b}]0;title\u{7}b\u{1b}]8;;http://x\u{1b}\\c",
            "abc",
        ),
        ("a\u{1b}(Bb\u{1b}cc\u{1b}", "abc"),
        (
            "one\r\n\n\ttwo\u{2028}three\u{85}four",
            "one two three four",
        ),
        ("\u{202e}evil\u{2066}\u{200b}\u{feff}\u{e0041}", "evil"),
        ("a\u{0}\u{8}\u{7f}\u{9f}b", "ab"),
        ("a\u{1b}]open", "aopen"),
        ("shared\u{200b}Key=Ab.cd_12", "sharedKey=[hidden]"),
        (
            "proxy http://user:pa55@proxy:3128 refused",
            "proxy http://[hidden]@proxy:3128 refused",
        ),
        (
            "k: -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- end",
            "k: [hidden] end",
        ),
    ] {
        assert_eq!(clean(text), left, "{text:?}");
    }
}

/// For any input: one line, of bounded length, without control characters, and clean once is clean
/// for ever.
#[test]
fn clean_any_text_in_one_pass() {
    let mut dice = Dice(3);
    let parts = [
        "\u{1b}",
        "[",
        "]",
        "\u{9b}",
        "0m",
        "\n",
        "\u{202e}",
        "sharedKey",
        "=",
        ":",
        "\"",
        "'",
        "\\",
        "<",
        ">",
        "/",
        "(",
        ")",
        " for ",
        "parameter ",
        "Value ",
        "Bearer ",
        "eyJ",
        ".",
        "AKIA",
        "ABCDEFGHIJKLMNOP",
        "aB3",
        "@",
        "://",
        "-----BEGIN PRIVATE KEY-----",
        HIDDEN,
        " ",
        "&quot;",
        "%3D",
        "é",
        "…",
        "key",
        "shared ",
        "secret",
        "token ",
        "12345678",
        "\u{0}",
    ];
    for round in 0..20_000 {
        let count = dice.below(30);
        let text: String = (0..count).map(|_| dice.one(&parts)).collect();
        let cleaned = clean(&text);
        assert!(
            !cleaned.contains(|c: char| c.is_control() || c == '\u{202e}'),
            "round {round}: {cleaned:?}"
        );
        assert_eq!(clean(&cleaned), cleaned, "round {round}: {text:?}");
    }
    let long = clean(&"word ".repeat(1_000_000));
    assert!(long.chars().count() <= 4097);
    let begun = std::time::Instant::now();
    drop(clean(&"\u{1b}]".repeat(1_000_000)));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
}
