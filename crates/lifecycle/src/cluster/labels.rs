//! Labels and taints as a kubelet takes them at its registration.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name or value.
const MAX_NAME: usize = 63;
/// The longest prefix of a key.
const MAX_PREFIX: usize = 253;
/// Keys below these that a kubelet may set on its own node; it does not start with others of `kubernetes.io` and
/// `k8s.io`.
const KUBELETS_OWN: [&str; 2] = ["kubelet.kubernetes.io", "node.kubernetes.io"];
/// And these single keys.
const KUBELETS_KEYS: [&str; 8] = [
    "kubernetes.io/hostname",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "beta.kubernetes.io/instance-type",
];

/// A label that a kubelet would not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a label that a node can register with: expected {expected}")]
pub struct InvalidLabel {
    given: String,
    expected: &'static str,
}

/// Labels of a Node object, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct NodeLabels(BTreeMap<String, String>);

impl NodeLabels {
    /// Key and value of each, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl TryFrom<BTreeMap<String, String>> for NodeLabels {
    type Error = InvalidLabel;

    fn try_from(labels: BTreeMap<String, String>) -> Result<Self, InvalidLabel> {
        for (key, value) in &labels {
            let refuse = |expected| {
                Err(InvalidLabel {
                    given: cut(&format!("{key}={value}")),
                    expected,
                })
            };
            if !is_key(key) {
                return refuse("a key of at most 63 characters, with a DNS prefix and a slash before it if any");
            }
            if !may_register(key) {
                return refuse(
                    "a key outside of kubernetes.io and k8s.io: a kubelet does not start with one of theirs (node-role labels are set with kubectl)",
                );
            }
            if !value.is_empty() && !is_name(value) {
                return refuse(
                    "a value of at most 63 of A-Z a-z 0-9 . _ -, beginning and ending with a letter or digit",
                );
            }
        }
        Ok(Self(labels))
    }
}

impl From<NodeLabels> for BTreeMap<String, String> {
    fn from(labels: NodeLabels) -> Self {
        labels.0
    }
}

/// What a taint does to pods that do not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// They are not scheduled there.
    NoSchedule,
    /// They are scheduled elsewhere if possible.
    PreferNoSchedule,
    /// They are not scheduled there, and evicted.
    NoExecute,
}

impl Effect {
    fn as_str(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

/// A taint, written `key=value:Effect` or `key:Effect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Taint {
    key: String,
    value: Option<String>,
    effect: Effect,
}

/// A text that is no taint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a taint: expected key=value:Effect or key:Effect, Effect being NoSchedule, PreferNoSchedule or NoExecute"
)]
pub struct InvalidTaint(String);

impl FromStr for Taint {
    type Err = InvalidTaint;

    fn from_str(text: &str) -> Result<Self, InvalidTaint> {
        let parse = || {
            let (name, effect) = text.rsplit_once(':')?;
            let effect = [Effect::NoSchedule, Effect::PreferNoSchedule, Effect::NoExecute]
                .into_iter()
                .find(|known| known.as_str() == effect)?;
            let (key, value) = match name.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (name, None),
            };
            let value_is_fine = value.is_none_or(|value| value.is_empty() || is_name(value));
            (is_key(key) && value_is_fine).then(|| Self {
                key: key.to_owned(),
                value: value.map(str::to_owned),
                effect,
            })
        };
        parse().ok_or_else(|| InvalidTaint(cut(text)))
    }
}

impl TryFrom<String> for Taint {
    type Error = InvalidTaint;

    fn try_from(text: String) -> Result<Self, InvalidTaint> {
        text.parse()
    }
}

impl From<Taint> for String {
    fn from(taint: Taint) -> Self {
        taint.to_string()
    }
}

impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(value) = &self.value {
            write!(f, "={value}")?;
        }
        write!(f, ":{}", self.effect.as_str())
    }
}

fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}

fn is_name(text: &str) -> bool {
    let ends_well = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= MAX_NAME
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && bytes
            .iter()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-'))
}

fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => prefix.len() <= MAX_PREFIX && super::check::is_dns_name(prefix) && is_name(name),
        None => is_name(key),
    }
}

/// Whether a kubelet may register with this key.
fn may_register(key: &str) -> bool {
    let Some((prefix, _)) = key.split_once('/') else {
        return true;
    };
    let is_below = |domain: &str| prefix == domain || prefix.ends_with(&format!(".{domain}"));
    let is_theirs = is_below("kubernetes.io") || is_below("k8s.io");
    !is_theirs || KUBELETS_KEYS.contains(&key) || KUBELETS_OWN.iter().any(|own| is_below(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(key: &str, value: &str) -> Result<NodeLabels, InvalidLabel> {
        BTreeMap::from([(key.to_owned(), value.to_owned())]).try_into()
    }

    #[test]
    fn a_label_is_one_that_a_kubelet_may_set() {
        for (key, value) in [
            ("rack", "7"),
            ("example.net/rack", "a.b_c-d"),
            ("empty", ""),
            ("topology.kubernetes.io/zone", "am6"),
            ("node.kubernetes.io/kind", "bare"),
        ] {
            assert!(label(key, value).is_ok(), "{key}={value}");
        }
        for (key, value) in [
            ("", "x"),
            ("a b", "x"),
            ("-a", "x"),
            ("a/b/c", "x"),
            ("rack", "a b"),
            ("rack", "-a"),
            ("rack", &"x".repeat(64)),
            ("node-role.kubernetes.io/worker", "true"),
            ("x.k8s.io/a", "b"),
            ("rack", "a\"\nb"),
        ] {
            assert!(label(key, value).is_err(), "{key}={value}");
        }
    }

    #[test]
    fn a_taint_reads_as_it_is_written() {
        for text in [
            "dedicated=db:NoSchedule",
            "gpu:NoExecute",
            "example.net/a=:PreferNoSchedule",
        ] {
            assert_eq!(text.parse::<Taint>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "a",
            "a=b",
            "a=b:Never",
            ":NoSchedule",
            "a b:NoSchedule",
            "a=b=c:NoSchedule",
        ] {
            assert!(text.parse::<Taint>().is_err(), "{text}");
        }
    }
}
