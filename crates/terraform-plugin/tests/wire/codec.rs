//! The MessagePack dialect, byte for byte where Terraform's own encoder is known, and against bytes
//! of bad will.

use terraform_plugin::msgpack::{Problem, decode, encode};
use terraform_plugin::{AttributePath, Number, Type, Typed, Value};

fn both_ways(ty: &Type, value: &Value) -> Vec<u8> {
    let bytes = encode(ty, value).unwrap();
    assert_eq!(decode(ty, &bytes).as_ref(), Ok(value));
    bytes
}

#[test]
fn values_of_every_type_round_trip() {
    let part = Type::object([("slot", Type::Number), ("on", Type::Bool)]);
    let ty = Type::object([
        ("map", Type::map(part.clone())),
        ("list", Type::list(Type::String)),
        ("set", Type::set(part)),
        ("tuple", Type::Tuple(vec![Type::Bool, Type::String])),
        ("any", Type::Dynamic),
        ("anything", Type::list(Type::Dynamic)),
    ]);
    let part = |slot: Value| Value::object([("slot", slot), ("on", true.into())]);
    let typed = |ty, value: Value| Value::Dynamic(Box::new(Typed { ty, value }));
    both_ways(
        &ty,
        &Value::object([
            (
                "map",
                Value::map([("a", part(1_u8.into())), ("b", part(Value::unknown()))]),
            ),
            (
                "list",
                Value::list(["x".repeat(40), "y".repeat(300), "z".repeat(70_000)]),
            ),
            ("set", Value::set_of([part(3_u8.into()), Value::Null])),
            ("tuple", Value::Tuple(vec![false.into(), Value::unknown()])),
            (
                "any",
                typed(Type::list(Type::Number), Value::list([1_u8, 2])),
            ),
            (
                "anything",
                Value::list([
                    typed(Type::Bool, true.into()),
                    Value::Null,
                    Value::unknown(),
                ]),
            ),
        ]),
    );
    both_ways(&ty, &Value::Null);
    both_ways(
        &Type::list(Type::Number),
        &Value::list((0_u32..70_000).collect::<Vec<_>>()),
    );
}

#[test]
fn numbers_round_trip_exactly_in_cty_forms() {
    let number =
        |text: &str| both_ways(&Type::Number, &Value::Number(Number::parse(text).unwrap()));
    for text in [
        "0",
        "127",
        "128",
        "-1",
        "-33",
        "65535",
        "4294967295",
        "-9223372036854775808",
        "18446744073709551615",
    ] {
        number(text);
    }
    assert_eq!(number("65515"), [0xcd, 0xff, 0xeb]);
    assert_eq!(number("0.5"), [0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(number("0.1"), b"\xa30.1");
    assert_eq!(
        &number("1208925819614629174706177")[1..],
        b"1208925819614629174706177"
    );
    let float = decode(&Type::Number, &[0xcb, 0x40, 0x45, 0, 0, 0, 0, 0, 0]).unwrap();
    assert_eq!(
        float,
        Value::from(42_u8),
        "a float without a fraction is an integer"
    );
    assert_eq!(
        decode(&Type::Number, b"\xa3ten").unwrap_err().problem,
        Problem::BadNumber
    );
    let nan = [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        decode(&Type::Number, &nan).unwrap_err().problem,
        Problem::BadNumber
    );
}

#[test]
fn unknown_values_keep_refinements() {
    assert_eq!(
        both_ways(&Type::String, &Value::unknown()),
        [0xd4, 0x00, 0x00]
    );
    // Extension 12 with {1: false}: not null. As Terraform sends it for a reference to a required
    // attribute.
    let refined = [0xc7, 0x03, 0x0c, 0x81, 0x01, 0xc2];
    let value = decode(&Type::String, &refined).unwrap();
    assert!(!value.is_known() && value != Value::unknown());
    assert_eq!(encode(&Type::String, &value).unwrap(), refined);
    let value = decode(&Type::Dynamic, &[0xd4, 0x00, 0x00]).unwrap();
    assert_eq!(value, Value::unknown());
}

#[test]
fn decode_error_names_path_without_value() {
    let ty = Type::object([("parts", Type::map(Type::object([("key", Type::String)])))]);
    let other = Type::object([("parts", Type::map(Type::object([("key", Type::Number)])))]);
    let value =
        |key: Value| Value::object([("parts", Value::map([("x", Value::object([("key", key)]))]))]);
    let path = AttributePath::root("parts").key("x").attr("key");
    let error = decode(&ty, &encode(&other, &value(81_539.into())).unwrap()).unwrap_err();
    assert_eq!(error.path(), path);
    assert_eq!(error.to_string(), r#"parts["x"].key: a string is required"#);
    let error = encode(&other, &value("hunter2".into())).unwrap_err();
    assert_eq!(error.path(), path);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let missing = decode(&ty, &[0x80]).unwrap_err();
    assert_eq!(
        (missing.path(), missing.problem),
        (AttributePath::root("parts"), Problem::Missing)
    );
    assert_eq!(
        encode(&ty, &Value::object([("surplus", 1_u8)]))
            .unwrap_err()
            .problem,
        Problem::Unexpected
    );
}

/// Malicious input causes no panic, no overflow and no large allocation.
#[test]
fn reject_malicious_bytes_without_panic() {
    let list = Type::list(Type::String);
    assert_eq!(
        decode(&list, &[0xdd, 0xff, 0xff, 0xff, 0xff])
            .unwrap_err()
            .problem,
        Problem::Truncated
    );
    assert_eq!(
        decode(&Type::String, &[0xdb, 0xff, 0xff, 0xff, 0xff])
            .unwrap_err()
            .problem,
        Problem::Truncated
    );
    assert_eq!(
        decode(&Type::String, &[]).unwrap_err().problem,
        Problem::Truncated
    );
    assert_eq!(
        decode(&Type::String, &[0xc0, 0xc0]).unwrap_err().problem,
        Problem::Trailing
    );
    assert_eq!(
        decode(&Type::String, &[0xa1, 0xff]).unwrap_err().problem,
        Problem::NotUtf8
    );
    let twice = [0x82, 0xa1, b'a', 0xc0, 0xa1, b'a', 0xc0];
    assert_eq!(
        decode(&Type::map(Type::String), &twice)
            .unwrap_err()
            .problem,
        Problem::Twice
    );
    // Dynamic within dynamic within dynamic: each level brings its own type.
    let bottomless = b"\x92\xc4\x09\"dynamic\"".repeat(50_000);
    assert_eq!(
        decode(&Type::Dynamic, &bottomless).unwrap_err().problem,
        Problem::TooDeep
    );
}

#[test]
fn decoder_never_panics() {
    let ty = Type::object([
        ("a", Type::Dynamic),
        ("b", Type::map(Type::list(Type::Number))),
        ("c", Type::set(Type::Bool)),
    ]);
    let good = encode(
        &ty,
        &Value::object([
            (
                "a",
                Value::Dynamic(Box::new(Typed {
                    ty: Type::list(Type::String),
                    value: Value::list(["x", "y"]),
                })),
            ),
            ("b", Value::map([("k", Value::list([1_u32, 70_000]))])),
            ("c", Value::set_of([Value::Bool(true), Value::unknown()])),
        ]),
    )
    .unwrap();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut decoded = 0;
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..=random() % 3 {
            let position = usize::try_from(random()).unwrap() % bytes.len();
            bytes[position] = random().to_le_bytes()[0];
        }
        bytes.truncate(bytes.len() - usize::try_from(random() % 4).unwrap());
        if let Ok(value) = decode(&ty, &bytes) {
            both_ways(&ty, &value);
            decoded += 1;
        }
    }
    assert!(
        decoded > 100,
        "the mutations should leave some values readable, not {decoded}"
    );
}
