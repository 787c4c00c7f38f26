//! The form of verification hashes.

/// What is wrong with `hash`, if anything. Only the form counts: Ignition compares with the content when it fetches.
pub(super) fn check(hash: &str, minor: u8) -> Option<&'static str> {
    let Some((function, sum)) = hash.split_once('-') else {
        return Some("a hash has the form sha512-<hexadecimal digits>");
    };
    let digits = match function {
        "sha512" => 128,
        "sha256" if minor >= 1 => 64,
        _ if minor == 0 => return Some("the hash function must be sha512"),
        _ => return Some("the hash function must be sha512 or sha256"),
    };
    (sum.len() != digits).then_some("the sum of this hash has the wrong length")
}
