//! Clusters: whose turn it is, and who may have the kubeconfig.

use thirdboot_store::AccessRole;

use crate::testing::{TestApp, form_token};

#[tokio::test]
async fn a_cluster_shows_whose_turn_it_is_and_why() {
    let site = TestApp::new().await;
    let viewer = site.signed_in(AccessRole::Viewer).await;
    assert!(viewer.get("/clusters").await.text().contains("No cluster yet"));
    site.cluster("prod").await;
    assert!(
        viewer
            .get("/clusters/prod")
            .await
            .text()
            .contains("No host names this cluster")
    );
    site.server("s1", 1, "192.0.2.11").await;
    site.server("s2", 2, "192.0.2.12").await;
    site.joins("s1").await;
    site.waits("s2", "s1").await;
    let list = viewer.get("/clusters").await.text();
    assert!(list.contains("s1 begins it") && list.contains("0 of 2 ready"), "{list}");
    let page = viewer.get("/clusters/prod").await.text();
    let why = site.api_get("/api/v1/clusters/prod").await.json()["members"][1]["waits_for"].clone();
    let why = why.as_str().unwrap();
    assert!(
        page.contains("joins now") && page.contains(">waits</span>") && page.contains(why),
        "{why}: {page}"
    );
    assert_eq!(viewer.get("/clusters/none").await.status, 404);
}

#[tokio::test]
async fn a_kubeconfig_is_for_admins_alone() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    let admin = site.signed_in(AccessRole::Admin).await;
    let page = admin.get("/clusters/prod").await.text();
    assert!(page.contains("the server that begins the cluster sends it"), "{page}");
    let operator = site.signed_in(AccessRole::Operator).await;
    assert!(!operator.get("/clusters/prod").await.text().contains("Kubeconfig"));
    let token = form_token(&operator.get("/").await.text());
    let refused = operator
        .post("/clusters/prod/kubeconfig", &format!("form={token}"), &[])
        .await;
    assert_eq!(refused.status, 403);
}
