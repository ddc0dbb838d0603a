//! The kept inputs once more, and for a minute what comes of mutating them. `FUZZ_SECONDS=600`
//! mutates longer.
//!
//! An input that breaks something is written into `artifacts/`; once fixed, it moves into
//! `corpus/`.

use awsazure_fuzz::TARGETS;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn folder(name: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(name)
        .join(target)
}

fn kept(target: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder("corpus", target))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no inputs are kept for {target}");
    paths
        .into_iter()
        .map(|path| fs::read(path).unwrap())
        .collect()
}

#[test]
fn replay_corpus_without_panics() {
    for (name, target) in TARGETS {
        kept(name).iter().for_each(|input| target(input));
    }
}

/// Mutates the corpus for `FUZZ_SECONDS`, by default one minute.
#[test]
fn survive_mutated_inputs() {
    let seconds = std::env::var("FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(60_u64);
    let each = Duration::from_secs(seconds) / TARGETS.len() as u32;
    // Thousands of panics would be thousands of backtraces.
    std::panic::set_hook(Box::new(|_| {}));
    let mut broken = Vec::new();
    for (name, target) in TARGETS {
        let (inputs, mut dice, mut count) = (kept(name), Dice(0x5DEE_CE66), 0_u64);
        let until = Instant::now() + each;
        while Instant::now() < until && broken.len() < 3 {
            let input = mutated(&inputs, &mut dice);
            count += 1;
            if catch_unwind(|| target(&input)).is_err() {
                let path = folder("artifacts", name).join(format!("{count}"));
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, &input).unwrap();
                broken.push(path);
            }
        }
        println!("{name}: {count} inputs");
    }
    let _ = std::panic::take_hook();
    assert!(broken.is_empty(), "{broken:?}");
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % sides.max(1) as u64) as usize
    }
}

/// Bytes that mean something to one of the readers.
const TELLING: [&[u8]; 16] = [
    b"\xc0",
    b"\xd4\x00\x00",
    b"\xc7\x03\x0c\x81\x01\xc2",
    b"\xdf\xff\xff\xff\xff",
    b"\xdd\xff\xff\xff\xff",
    b"\xa0",
    b"\xcb\x7f\xf8\0\0\0\0\0\0",
    b"\xdb\xff\xff\xff\xff",
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"-1e309",
    b",",
    b"@",
    b"/30",
];

/// One of the kept inputs after one to eight small accidents.
fn mutated(inputs: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = inputs[dice.roll(inputs.len())].clone();
    for _ in 0..=dice.roll(8) {
        let at = dice.roll(bytes.len() + 1);
        match dice.roll(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
            1 if at < bytes.len() => bytes[at] = dice.roll(256) as u8,
            2 => bytes.insert(at, dice.roll(256) as u8),
            3 => drop(bytes.drain(at..(at + dice.roll(9)).min(bytes.len()))),
            4 => drop(bytes.splice(at..at, TELLING[dice.roll(TELLING.len())].iter().copied())),
            5 => {
                let other = &inputs[dice.roll(inputs.len())];
                let from = dice.roll(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                let piece = bytes[at..(at + dice.roll(32)).min(bytes.len())].to_vec();
                drop(bytes.splice(at..at, piece));
            }
        }
        bytes.truncate(1 << 16);
    }
    bytes
}

/// Writes values of the resource's type as inputs to start from: `cargo test --test replay
/// write_seed_corpus -- --ignored`.
#[test]
#[ignore = "writes corpus/msgpack"]
fn write_seed_corpus() {
    use terraform_plugin::{Value, json, msgpack};
    let ty = &*awsazure_fuzz::RESOURCE_TYPE;
    let bare = json::decode(ty, b"{\"name\":\"prod\",\"azure\":{\"resource_group_name\":\"g\"},\"aws\":{\"vpc_id\":\"vpc-1\"},\
        \"slot\":3,\"tags\":{\"a\":\"b\"},\"drift\":[\"x\"],\"managed\":{\"aws_vpc\":[\"vpc-1\"]},\"tunnels\":{\"instance0_tunnel1\":{\"aws_tunnel\":1}}}")
    .unwrap();
    let mut unknown = bare.clone();
    for name in ["slot", "tags", "azure", "managed", "tunnels"] {
        unknown.set(name, Value::unknown());
    }
    for (name, value) in [("bare", bare), ("unknown", unknown), ("null", Value::Null)] {
        fs::write(
            folder("corpus", "msgpack").join(name),
            msgpack::encode(ty, &value).unwrap(),
        )
        .unwrap();
    }
}
