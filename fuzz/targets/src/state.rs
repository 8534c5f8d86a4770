//! Stored states: whatever a file holds, reading it says so, and what was read can be written again.

use std::sync::Arc;

use maintenance_mode::state::codec::{self, EncodeError};
use maintenance_mode::{Facts, Policy, Snapshot, State, Timestamp};

use crate::Target;

/// Of [`maintenance_mode::state::codec`].
pub const TARGET: Target = Target {
    name: "state",
    run,
    words: &[
        "maintenance-mode-state 1 len=",
        " crc32c=",
        "\n",
        "\"schema\":1",
        "\"epoch\":",
        "\"revision\":",
        "\"sites\":",
        "\"default\":",
        "\"mode\":",
        "\"offline\"",
        "\"pending\"",
        "\"windows\":",
        "\"start\":",
        "\"end\":",
        "\"message\":",
        "\"activation\":",
        "\"log\":",
        "\"exemptions\":",
        "\"paths\":",
        "\"addresses\":",
        "\"2030-01-01T00:00:00Z\"",
        "null",
        "18446744073709551615",
        "\"retry_after\":",
        "\"redirect\":",
    ],
};

/// A record; and the same bytes as the text of a record whose header is right.
pub fn run(data: &[u8]) {
    [
        codec::decode(data),
        codec::decode_lenient(data),
        codec::decode(&with_header(data)),
    ]
    .into_iter()
    .flatten()
    .for_each(comes_back);
}

fn comes_back(state: State) {
    match codec::encode(&state) {
        Ok(bytes) => assert_eq!(codec::decode(&bytes).as_ref(), Ok(&state)),
        Err(EncodeError::TooLarge(_)) => {}
        Err(error) => panic!("read and not writable: {error}"),
    }
    let Ok(policy) = Policy::compile(maintenance_mode::Config::new()) else {
        panic!("the default configuration is refused");
    };
    let snapshot = Snapshot::new(Arc::new(policy), Some(Arc::new(state)));
    for now in [i64::MIN, 0, 1_900_000_000_000, i64::MAX] {
        let now = Timestamp::from_millis(now);
        let facts = Facts::new("GET", "/");
        let decision = snapshot.decide(&facts, now);
        if snapshot.stays_online(now) {
            assert!(decision.is_allowed());
        }
        if let maintenance_mode::Decision::Block(block) = decision {
            crate::fields::can_be_sent(&block.answer(&facts));
        }
    }
}

/// The header line as the format's description has it.
fn with_header(body: &[u8]) -> Vec<u8> {
    let header = format!(
        "maintenance-mode-state 1 len={} crc32c={:08x}\n",
        body.len(),
        crc32c(body)
    );
    [header.as_bytes(), body].concat()
}

/// CRC-32C (RFC 3720, appendix B.4), bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 }
        })
    })
}
