//! Who may do what, in one table. A route without a row fails, a row without a route, too.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Method;
use thirdboot_store::AccessRole::{self, Admin, Operator, Viewer};

use super::openapi;
use crate::testing::TestApp;

/// Every operation and the least role that may do it; none: anybody.
const TABLE: &[(&str, &str, Option<AccessRole>)] = &[
    ("GET", "/healthz", None),
    ("GET", "/readyz", None),
    ("GET", "/api/v1/openapi.json", None),
    ("GET", "/api/v1/whoami", Some(Viewer)),
    ("GET", "/api/v1/hosts", Some(Viewer)),
    ("POST", "/api/v1/hosts", Some(Operator)),
    ("GET", "/api/v1/host-counts", Some(Viewer)),
    ("GET", "/api/v1/hosts/{name}", Some(Viewer)),
    ("PUT", "/api/v1/hosts/{name}", Some(Operator)),
    ("PATCH", "/api/v1/hosts/{name}", Some(Operator)),
    ("DELETE", "/api/v1/hosts/{name}", Some(Operator)),
    ("POST", "/api/v1/hosts/{name}/arm", Some(Operator)),
    ("POST", "/api/v1/hosts/{name}/cancel", Some(Operator)),
    ("POST", "/api/v1/hosts/{name}/hold", Some(Operator)),
    ("POST", "/api/v1/hosts/{name}/release", Some(Operator)),
    ("POST", "/api/v1/hosts/{name}/retire", Some(Operator)),
    ("POST", "/api/v1/hosts/{name}/unretire", Some(Operator)),
    ("POST", "/api/v1/hosts/{name}/rotate-key", Some(Operator)),
    ("GET", "/api/v1/hosts/{name}/boot-url", Some(Operator)),
    ("GET", "/api/v1/hosts/{name}/events", Some(Viewer)),
    ("GET", "/api/v1/hosts/{name}/diff", Some(Viewer)),
    ("GET", "/api/v1/hosts/{name}/preview/{document}", Some(Viewer)),
    ("POST", "/api/v1/hosts/{name}/preview/{document}", Some(Operator)),
    ("GET", "/api/v1/unknown-machines", Some(Viewer)),
    ("GET", "/api/v1/clusters", Some(Viewer)),
    ("POST", "/api/v1/clusters", Some(Admin)),
    ("GET", "/api/v1/clusters/{name}", Some(Viewer)),
    ("PUT", "/api/v1/clusters/{name}", Some(Admin)),
    ("DELETE", "/api/v1/clusters/{name}", Some(Admin)),
    ("GET", "/api/v1/clusters/{name}/kubeconfig", Some(Admin)),
    ("PUT", "/api/v1/clusters/{name}/kubeconfig", Some(Admin)),
    ("POST", "/api/v1/clusters/{name}/move-init", Some(Admin)),
    ("POST", "/api/v1/clusters/{name}/rotate-token", Some(Admin)),
    ("GET", "/api/v1/repositories", Some(Viewer)),
    ("GET", "/api/v1/repositories/{name}", Some(Viewer)),
    ("PUT", "/api/v1/repositories/{name}", Some(Admin)),
    ("DELETE", "/api/v1/repositories/{name}", Some(Admin)),
    ("GET", "/api/v1/roles", Some(Viewer)),
    ("GET", "/api/v1/roles/{role}", Some(Viewer)),
    ("PUT", "/api/v1/roles/{role}", Some(Admin)),
    ("GET", "/api/v1/templates", Some(Viewer)),
    ("GET", "/api/v1/templates/{name}", Some(Viewer)),
    ("PUT", "/api/v1/templates/{name}", Some(Admin)),
    ("DELETE", "/api/v1/templates/{name}", Some(Admin)),
    ("POST", "/api/v1/templates/{name}/validate", Some(Operator)),
    ("GET", "/api/v1/templates/{name}/versions", Some(Viewer)),
    ("GET", "/api/v1/templates/{name}/versions/{version}", Some(Viewer)),
    ("GET", "/api/v1/templates/{name}/diff", Some(Viewer)),
    ("GET", "/api/v1/tokens", Some(Admin)),
    ("POST", "/api/v1/tokens", Some(Admin)),
    ("DELETE", "/api/v1/tokens/{name}", Some(Admin)),
    ("GET", "/api/v1/audit", Some(Admin)),
    ("GET", "/api/v1/users", Some(Admin)),
    ("POST", "/api/v1/users", Some(Admin)),
    ("DELETE", "/api/v1/users/{name}", Some(Admin)),
    ("PUT", "/api/v1/users/{name}/password", Some(Admin)),
    ("PUT", "/api/v1/users/{name}/role", Some(Admin)),
    ("POST", "/api/v1/users/{name}/link", Some(Admin)),
    ("GET", "/api/v1/locks", Some(Viewer)),
    ("GET", "/api/v1/locks/{group}", Some(Viewer)),
    ("PUT", "/api/v1/locks/{group}", Some(Admin)),
    ("DELETE", "/api/v1/locks/{group}", Some(Admin)),
    ("POST", "/api/v1/hosts/{name}/release-lock", Some(Operator)),
    ("GET", "/api/v1/alerts", Some(Viewer)),
    ("GET", "/api/v1/events", Some(Viewer)),
    ("GET", "/api/v1/events/stream", Some(Viewer)),
    ("GET", "/api/v1/hosts/{name}/boots", Some(Viewer)),
    ("GET", "/api/v1/hosts/{name}/events/stream", Some(Viewer)),
    ("GET", "/api/v1/hosts/{name}/observed", Some(Viewer)),
    ("GET", "/api/v1/hosts/{name}/runs", Some(Viewer)),
    ("GET", "/api/v1/hosts/{name}/runs/{number}", Some(Viewer)),
    ("GET", "/api/v1/hosts/{name}/wait", Some(Viewer)),
    ("POST", "/api/v1/import", Some(Operator)),
    ("GET", "/api/v1/settings/deadlines", Some(Viewer)),
    ("PATCH", "/api/v1/settings/deadlines", Some(Admin)),
    ("POST", "/api/v1/unknown-machines/{id}/adopt", Some(Operator)),
    ("DELETE", "/api/v1/unknown-machines/{id}", Some(Operator)),
    ("GET", "/metrics", None),
    ("GET", "/api/v1/assets", Some(Viewer)),
    ("GET", "/api/v1/assets/pulls", Some(Viewer)),
    ("POST", "/api/v1/assets/pulls", Some(Operator)),
    ("GET", "/api/v1/assets/pulls/{id}", Some(Viewer)),
    ("DELETE", "/api/v1/assets/pulls/{id}", Some(Operator)),
    ("POST", "/api/v1/assets/files", Some(Operator)),
    ("PUT", "/api/v1/assets/files/{name}", Some(Operator)),
    ("DELETE", "/api/v1/assets/files/{name}", Some(Operator)),
    ("DELETE", "/api/v1/assets/versions/{arch}/{version}", Some(Operator)),
];

#[test]
fn every_operation_has_its_row_and_says_the_same() {
    let documented: BTreeMap<(String, String), Option<String>> = openapi::operations(&openapi::document())
        .into_iter()
        .map(|(at, operation)| {
            let role = operation["security"][0]["token"][0].as_str();
            (at, role.map(ToOwned::to_owned))
        })
        .collect();
    let table: BTreeMap<_, _> = TABLE
        .iter()
        .map(|(method, path, role)| {
            let at = ((*method).to_owned(), (*path).to_owned());
            (at, role.map(|role| role.as_str().to_owned()))
        })
        .collect();
    assert_eq!(documented, table);
}

/// The path with a word in place of every parameter.
fn filled(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| if part.starts_with('{') { "none" } else { part });
    let filled = parts.collect::<Vec<_>>().join("/");
    // A stream that is opened does not end; one that is asked for wrongly does.
    if path.ends_with("/stream") {
        filled + "?none=none"
    } else {
        filled
    }
}

#[tokio::test]
async fn each_role_may_do_what_the_table_says_and_no_more() {
    let site = TestApp::new().await;
    let mut tokens = Vec::new();
    for role in [Viewer, Operator, Admin] {
        tokens.push((role, site.token_of(&format!("some-{}", role.as_str()), role).await));
    }
    for (method, path, needed) in TABLE {
        let path = filled(path);
        let status = async |token: &str| {
            let method: Method = method.parse().unwrap();
            site.api_as(token, method, &path, Body::from("[]"))
                .await
                .status
                .as_u16()
        };
        let strangers = ["", "tb_api_wrong", &site.token[1..]];
        let Some(needed) = needed else {
            assert_eq!(status("").await, 200, "{method} {path} for anybody");
            continue;
        };
        for stranger in strangers {
            assert_eq!(status(stranger).await, 401, "{method} {path} for {stranger:?}");
        }
        for (role, token) in &tokens {
            let is_forbidden = status(token).await == 403;
            assert_eq!(is_forbidden, role < needed, "{method} {path} as {}", role.as_str());
        }
    }
}
