//! A machine at its provider, from arming to installed, and everything that goes wrong on the way.

mod asking;
mod between;
mod power;
mod trouble;
mod vlans;
mod way;

use std::collections::HashMap;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdboot_fake_equinix::{Change, Device, FakeEquinix, Fault};
use thirdboot_lifecycle::{RunNumber, TroubleKind};

use super::job::pass;
use super::look::Came;
use super::look_at;
use crate::secrets::{Purpose, write_private};
use crate::testing::{Reply, TestApp};

const TOKEN: &str = "equinix-3f9c71d2";

/// A server with a token, and its provider.
struct Rented {
    site: TestApp,
    provider: FakeEquinix,
    folder: TempDir,
}

fn device(n: u8) -> String {
    format!("7a8b0000-0000-4000-8000-0000000000{n:02x}")
}

impl Rented {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let provider = FakeEquinix::start(TOKEN).await.unwrap();
        let file = folder.path().join("token");
        write_private(&file, format!("{TOKEN}\n").as_bytes()).unwrap();
        let site = TestApp::with(|options| {
            provider.url().clone_into(&mut options.platforms.equinix_url);
            options.platforms.equinix_token_file = Some(file);
        })
        .await;
        Self { site, provider, folder }
    }

    /// The server ends and starts again; the provider stays.
    async fn restarted(self) -> Self {
        let Self { site, provider, folder } = self;
        Self {
            site: site.restarted().await,
            provider,
            folder,
        }
    }

    fn described(n: u8, vlans: &[u16]) -> Value {
        let vlan = |(at, id): (usize, &u16)| json!({"id": id, "addresses": [format!("10.{n}.{at}.9/24")]});
        let vlans: Vec<_> = vlans.iter().enumerate().map(vlan).collect();
        let network = json!({"bond": {}, "vlans": vlans});
        json!({"platform": "equinix-metal", "provider": {"device": device(n)}, "network": network})
    }

    /// Host `a<n>`, rented, with these VLANs to carry.
    async fn host(&self, n: u8, vlans: &[u16]) {
        self.provider.add(&device(n), "http://old.example/script", vlans);
        self.site
            .host_with(&format!("a{n}"), n, Self::described(n, vlans))
            .await;
    }

    async fn arm(&self, n: u8, more: Value) -> Reply {
        let name = format!("a{n}");
        let mut body = json!({"confirm": name});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        self.site.api_post(&format!("/api/v1/hosts/{name}/arm"), &body).await
    }

    /// Host `a<n>`, rented and armed.
    async fn armed(&self, n: u8, vlans: &[u16], more: Value) {
        self.host(n, vlans).await;
        let reply = self.arm(n, more).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    async fn look(&self, n: u8) -> Came {
        let id = self.site.state(&format!("a{n}")).await.id;
        look_at(&self.site.app, id).await
    }

    /// Looks as often as each look leads to the next.
    async fn settle(&self, n: u8) -> Came {
        loop {
            let came = self.look(n).await;
            if came != Came::Step {
                return came;
            }
        }
    }

    /// The machine at its provider.
    fn machine(&self, n: u8) -> Device {
        self.provider.device(&device(n)).unwrap()
    }

    /// What the provider is said to say.
    async fn told(&self, n: u8) -> Value {
        let path = format!("/api/v1/hosts/a{n}/observed");
        self.site.api_get(&path).await.json()["provider"].clone()
    }

    /// What the log has of the provider.
    async fn logged(&self, n: u8) -> Vec<String> {
        let path = format!("/api/v1/hosts/a{n}/events?limit=500");
        let page = self.site.api_get(&path).await.json();
        let lines = page["items"].as_array().unwrap().iter();
        let lines = lines.filter(|line| line["event"] == "provider");
        lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    /// What is wrong, in a word, with the same in the host's alert and diagnosis.
    async fn trouble(&self, n: u8) -> Option<String> {
        let told = self.told(n).await;
        let shown = self.site.api_get(&format!("/api/v1/hosts/a{n}")).await.json();
        let Some(kind) = told["trouble"]["kind"].as_str() else {
            assert_eq!(shown["alerts"], json!([]));
            return None;
        };
        let advice = &told["trouble"]["advice"];
        assert!(advice.as_str().is_some_and(|advice| !advice.is_empty()));
        assert_eq!(
            (&shown["alerts"][0]["kind"], &shown["alerts"][0]["advice"]),
            (&json!("at-provider"), advice)
        );
        assert_eq!(
            (&shown["diagnosis"]["cause"], &shown["diagnosis"]["advice"]),
            (&json!("at-provider"), advice)
        );
        Some(kind.to_owned())
    }

    fn is_well_behaved(&self) {
        assert_eq!(self.provider.violations(), Vec::<String>::new());
    }
}
