//! VLANs that a host no longer has: what this server put there goes, and nothing else.

use axum::body::Body;
use axum::http::Method;

use super::*;

impl Rented {
    /// The host is described anew, with these VLANs.
    async fn has_vlans(&self, n: u8, vlans: &[u16]) {
        let described = Self::described(n, vlans);
        self.is_now(n, &json!({"network": described["network"]})).await;
    }

    /// The host's description changes, whatever it was.
    pub(super) async fn is_now(&self, n: u8, change: &Value) {
        let path = format!("/api/v1/hosts/a{n}");
        let body = Body::from(change.to_string());
        let reply = self.site.api_if_match(Method::PATCH, &path, "*", body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Run `run` comes until its disk is written.
    async fn installed(&self, n: u8, run: u32) {
        let host = self.site.state(&format!("a{n}")).await.id;
        self.site.script(n).await;
        let secret = self.site.secret(Purpose::Live, host, run);
        let report = TestApp::report(1, "live", &json!({"run": run}));
        let reply = self.site.post("/v1/report", &secret, &report).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let granted = self.site.post("/v1/claim", &secret, &TestApp::claim(n, run)).await;
        assert_eq!(granted.status, 200, "{}", granted.text());
        let report = TestApp::report(2, "installed", &json!({"run": run}));
        let reply = self.site.post("/v1/report", &secret, &report).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    fn carried(&self, n: u8) -> Vec<u16> {
        self.machine(n).port.vlans.into_iter().collect()
    }
}

#[tokio::test]
async fn a_vlan_that_the_host_lost_goes_once_it_is_installed_and_no_others() {
    let rented = Rented::new().await;
    rented.host(1, &[1000, 1001]).await;
    rented
        .provider
        .add(&device(2), "http://old.example/script", &[1002, 2000]);
    // Two were put there by people; the host has one of them as well.
    rented
        .provider
        .change(&device(1), |machine| machine.port.vlans.extend([1001, 2000]));
    rented.arm(1, json!({})).await;
    rented.settle(1).await;
    assert_eq!(rented.carried(1), [1000, 1001, 2000]);
    rented.site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
    rented.has_vlans(1, &[1002]).await;
    rented.settle(1).await;
    assert_eq!(rented.carried(1), [1000, 1001, 2000], "no run is under way");

    rented.arm(1, json!({})).await;
    rented.settle(1).await;
    assert_eq!(
        rented.carried(1),
        [1000, 1001, 1002, 2000],
        "the old system may come back as long as nothing is installed"
    );
    let rented = rented.restarted().await;
    rented.installed(1, 2).await;
    rented.settle(1).await;
    assert_eq!(rented.carried(1), [1001, 1002, 2000]);
    assert_eq!(rented.told(1).await["vlans"], json!([1001, 1002, 2000]));
    assert_eq!(rented.trouble(1).await, None);
    rented.is_well_behaved();
}

#[tokio::test]
async fn what_was_taken_off_and_put_back_by_hand_is_theirs_and_another_machine_is_another() {
    let rented = Rented::new().await;
    rented.host(1, &[1000, 1001]).await;
    rented.arm(1, json!({})).await;
    rented.settle(1).await;
    let taken_off: Change = |machine| {
        machine.port.vlans.remove(&1000);
    };
    rented.site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
    rented.provider.change(&device(1), taken_off);
    rented.settle(1).await;
    let put_back: Change = |machine| {
        machine.port.vlans.insert(1000);
    };
    rented.provider.change(&device(1), put_back);
    rented.has_vlans(1, &[]).await;
    rented.arm(1, json!({})).await;
    rented.installed(1, 2).await;
    rented.settle(1).await;
    assert_eq!(rented.carried(1), [1000], "somebody wants it there");

    // The host moves to another machine, which carries the same VLAN for its own reasons.
    rented.host(2, &[1001]).await;
    rented.arm(2, json!({})).await;
    rented.settle(2).await;
    assert_eq!(rented.carried(2), [1001]);
    rented.site.api_post("/api/v1/hosts/a2/cancel", &json!({})).await;
    rented.provider.add(&device(3), "http://old.example/script", &[]);
    rented
        .provider
        .change(&device(3), |machine| machine.port.vlans.extend([1001]));
    let body = json!({"provider": {"device": device(3)}, "network": {"bond": {}, "vlans": []}});
    rented.is_now(2, &body).await;
    rented.arm(2, json!({})).await;
    rented.installed(2, 2).await;
    rented.settle(2).await;
    assert_eq!(rented.carried(3), [1001]);
    rented.is_well_behaved();
}

/// A batch that is begun and answered to nobody, of VLAN 1000 on `a1`'s machine.
async fn begun_and_answered_to_nobody() -> Rented {
    let rented = Rented::new().await;
    rented.armed(1, &[1000], json!({})).await;
    let begins = format!("POST /ports/{}/vlan-assignments/batches", rented.machine(1).port.id);
    rented.provider.fail_at(&begins, Some(Fault::Lost));
    assert_eq!(rented.settle(1).await, Came::Trouble);
    rented.provider.fail_at("", None);
    assert_eq!(rented.provider.count(&begins), 1);
    rented.restarted().await
}

#[tokio::test]
async fn a_vlan_whose_batch_was_answered_to_nobody_goes_as_well() {
    let rented = begun_and_answered_to_nobody().await;
    rented.settle(1).await;
    rented.settle(1).await;
    assert_eq!(rented.carried(1), [1000]);
    assert_eq!(rented.provider.count("POST /ports"), 1);
    rented.site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
    rented.has_vlans(1, &[]).await;
    rented.arm(1, json!({})).await;
    rented.installed(1, 2).await;
    rented.settle(1).await;
    assert_eq!(rented.carried(1), [0_u16; 0]);
    rented.is_well_behaved();
}

#[tokio::test]
async fn a_vlan_that_comes_after_nobody_wants_it_any_more_goes_as_well() {
    let rented = begun_and_answered_to_nobody().await;
    rented.site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
    rented.has_vlans(1, &[]).await;
    rented.settle(1).await;
    assert_eq!(rented.carried(1), [0_u16; 0], "it is still on its way");
    rented.provider.end_batches();
    assert_eq!(rented.carried(1), [1000]);
    rented.arm(1, json!({})).await;
    rented.installed(1, 2).await;
    rented.settle(1).await;
    assert_eq!(rented.carried(1), [0_u16; 0]);
    rented.is_well_behaved();
}
