//! What a machine says of itself when it asks for a script. Firmware says all kinds of things: what cannot be read is
//! no identifier and no error, but it is noted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use thirdboot_lifecycle::{Identity, Mac, Serial, SmbiosUuid};

use crate::App;
use crate::problem::Failure;
use crate::secrets::redact;

/// Parameters that are looked at; an honest script sends seven.
const MAX_PARAMETERS: usize = 24;
/// MACs that are looked at; an honest script sends one.
const MAX_MACS: usize = 8;
/// What is kept of anything that a stranger says.
const MAX_WORDS_CHARS: usize = 120;
/// What is noted of a machine beside its identifiers.
const NOTED: [&str; 4] = ["manufacturer", "product", "arch", "platform"];

/// What a machine says of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Asking {
    /// What identifies it.
    pub(super) identity: Identity,
    /// What else it says, cut to a sane length.
    pub(super) said: Vec<(String, String)>,
}

impl Asking {
    /// Reads a query string.
    pub(super) fn read(query: &str) -> Self {
        let mut asking = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            match &*name {
                "mac" => match value.parse::<Mac>() {
                    Ok(mac) if asking.identity.macs.contains(&mac) => {}
                    Ok(mac) if asking.identity.macs.len() < MAX_MACS => asking.identity.macs.push(mac),
                    _ => asking.note("mac", value),
                },
                "serial" => match Serial::stated(value) {
                    Some(serial) => asking.identity.serial = Some(serial),
                    None => asking.note("serial", value),
                },
                "uuid" => match SmbiosUuid::stated(value) {
                    Some(uuid) => asking.identity.uuid = Some(uuid),
                    None => asking.note("uuid", value),
                },
                name if NOTED.contains(&name) => asking.note(name, value),
                _ => {}
            }
        }
        asking
    }

    fn note(&mut self, name: &str, value: &str) {
        if self.said.iter().any(|(known, _)| known == name) {
            return;
        }
        let clean: String = redact(value)
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_WORDS_CHARS)
            .collect();
        self.said.push((name.to_owned(), clean));
    }
}

/// Where a connection comes from. Set by the listener; a test without one speaks from loopback.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Where a request comes from: the peer, or whom a configured proxy speaks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source(pub(crate) IpAddr);

impl FromRequestParts<App> for Source {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let peer = parts.extensions.get::<Peer>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip().to_canonical());
        Ok(Self(forwarded(app, &parts.headers, peer)))
    }
}

/// The last address that no trusted proxy stands for. Whatever is further to the left anybody can write.
fn forwarded(app: &App, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    let mut source = peer;
    let hops = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).collect();
    for hop in hops.into_iter().rev() {
        if !app.settings.is_trusted_proxy(source) {
            break;
        }
        let Ok(address) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        source = address.to_canonical();
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_identifies_is_read_in_any_notation() {
        let asking =
            Asking::read("mac=52-54-00-AA-bb-01&uuid=3F2A0000-0000-4000-8000-000000000001&serial=S%2F1&arch=x86_64");
        assert_eq!(asking.identity.macs[0].to_string(), "52:54:00:aa:bb:01");
        assert_eq!(asking.identity.serial.unwrap().as_str(), "S/1");
        assert!(asking.identity.uuid.is_some());
        assert_eq!(asking.said, [("arch".to_owned(), "x86_64".to_owned())]);
    }

    #[test]
    fn what_cannot_be_read_is_noted_and_identifies_nobody() {
        let asking = Asking::read("mac=zz&mac=&serial=To+be+filled+by+O.E.M.&uuid=%FF%00&x=1&=&product=a%0Ab&&&");
        assert!(asking.identity.is_empty());
        let names: Vec<&str> = asking.said.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["mac", "serial", "uuid", "product"]);
        assert_eq!(asking.said[3].1, "ab");
    }

    #[test]
    fn a_stranger_cannot_say_much() {
        let query = format!("product={}&{}", "x".repeat(5000), "mac=52:54:00:00:00:01&".repeat(500));
        let asking = Asking::read(&query);
        assert_eq!(asking.said[0].1.len(), MAX_WORDS_CHARS);
        assert_eq!(asking.identity.macs.len(), 1);
    }
}
