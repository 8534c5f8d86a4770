//! Hosts: what is a name stays the same name however it is spelt.

use maintenance_mode::host::{Host, HostBuffer};

use crate::Target;

/// Of [`maintenance_mode::host`].
pub const TARGET: Target = Target {
    name: "host",
    run,
    words: &[
        "shop.example.com",
        "localhost",
        ":80",
        ":",
        ".",
        "[::1]",
        "[",
        "]",
        "@",
        "xn--",
        "..",
        "127.0.0.1",
        ":99999",
        "%",
        "_",
        "-",
    ],
};

/// A `Host` value.
pub fn run(data: &[u8]) {
    let mut room = HostBuffer::default();
    let Host::Name(name) = Host::parse(data, &mut room) else {
        return;
    };
    assert!((1..=253).contains(&name.len()), "{} bytes", name.len());
    assert!(
        !name
            .bytes()
            .any(|b| b.is_ascii_uppercase() || b == b':' || b == b'@')
    );
    assert!(!name.ends_with('.') && !name.contains(".."));

    let same = |spelt: &[u8]| {
        let mut room = HostBuffer::default();
        assert_eq!(
            Host::parse(spelt, &mut room),
            Host::Name(name),
            "{:?} is another host than {:?}",
            String::from_utf8_lossy(spelt),
            String::from_utf8_lossy(data)
        );
    };
    same(name.as_bytes());
    same(&data.to_ascii_uppercase());
    same(format!("{name}.").as_bytes());
    same(format!("{name}:8080").as_bytes());
}
