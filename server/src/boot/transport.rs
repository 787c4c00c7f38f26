//! How a request arrived.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use thirdboot_api::ProblemType;

use super::Peer;
use crate::App;
use crate::problem::Failure;

/// How a request arrived. Set by the listener; a test without one speaks plainly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// In the open: whoever is on the way can read it and change the answer.
    Plain,
    /// Over TLS.
    Tls,
}

impl Transport {
    /// Over TLS to this server, or to a trusted proxy that says so.
    pub(crate) fn of(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Self {
        if extensions.get() == Some(&Self::Tls) {
            return Self::Tls;
        }
        let is_trusted = |peer: &Peer| app.settings.is_trusted_proxy(peer.0.ip());
        let is_forwarded = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
        if is_forwarded && extensions.get::<Peer>().is_some_and(is_trusted) {
            return Self::Tls;
        }
        Self::Plain
    }

    /// Refuses what holds a run's secrets where hosts are told to fetch it over HTTPS. Ignition takes the 403 as final and
    /// the machine starts over; the pointer that it then gets names the right address.
    pub(super) fn may_fetch_secrets(self, app: &App) -> Result<(), Failure> {
        if self == Self::Plain && app.settings.config_url.is_https() {
            let detail = format!("configs are served at {} only", app.settings.config_url);
            return Err(Failure::new(ProblemType::Forbidden, detail));
        }
        Ok(())
    }

    /// Turns hosts away that speak in the open where the settings forbid it. They keep what they have to say.
    pub(crate) fn may_speak(self, app: &App) -> Result<(), Failure> {
        if self == Self::Plain && app.settings.require_tls {
            let detail = format!(
                "claims, reports and joins are taken at {} only",
                app.settings.config_url
            );
            return Err(Failure::unavailable(
                &detail,
                "a host speaks over plain HTTP, and require_tls is set",
            ));
        }
        Ok(())
    }
}

impl FromRequestParts<App> for Transport {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Ok(Self::of(app, &parts.extensions, &parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;
    use serde_json::json;
    use thirdboot_render::BaseUrl;

    use crate::secrets::Purpose;
    use crate::serve::ServeOptions;
    use crate::testing::TestApp;

    fn behind_a_proxy(options: &mut ServeOptions) {
        options.config_url = BaseUrl::parse("https://config.test").ok();
        options.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    }

    #[tokio::test]
    async fn configs_are_not_served_in_the_open_where_they_go_over_https() {
        let site = TestApp::with(behind_a_proxy).await;
        let host = site.armed("a1", 1).await.id;
        let conf = site.secret(Purpose::Conf, host, 1);
        let live = format!("/ignition/{conf}/live.ign");
        assert_eq!(site.get(&live).await.problem().0, 403);
        assert_eq!(
            site.get_with(&live, &[("x-forwarded-proto", "http")]).await.problem().0,
            403
        );
        assert_eq!(
            site.get_with(&live, &[("x-forwarded-proto", "https")]).await.status,
            200
        );
        let stranger = site
            .boot_request(
                Method::GET,
                &live,
                &[("x-forwarded-proto", "https")],
                "10.0.0.9",
                Body::empty(),
            )
            .await;
        assert_eq!(stranger.problem().0, 403, "anybody can write a header");
        let pointer = site.get(&format!("/ignition/{conf}/pointer.cpio")).await;
        assert_eq!(pointer.status, 200, "iPXE has no HTTPS");
    }

    #[tokio::test]
    async fn who_reports_in_the_open_is_heard_unless_that_is_forbidden() {
        let report = TestApp::report(1, "live", &json!({}));
        let site = TestApp::with(behind_a_proxy).await;
        let host = site.armed("a1", 1).await.id;
        let live = site.secret(Purpose::Live, host, 1);
        assert_eq!(site.post("/v1/report", &live, &report).await.status, 200);

        let site = TestApp::with(|options| {
            behind_a_proxy(options);
            options.tls.require_tls = true;
            options.tls.boot_tls_listen = Some(([127, 0, 0, 1], 0).into());
        });
        let site = site.await;
        let host = site.armed("a1", 1).await.id;
        let live = site.secret(Purpose::Live, host, 1);
        for path in ["/v1/report", "/v1/claim", "/v1/join", "/v1/cluster"] {
            assert_eq!(site.post(path, &live, &report).await.problem().0, 503, "{path}");
        }
        let bearer = format!("Bearer {live}");
        let headers = [("authorization", bearer.as_str()), ("x-forwarded-proto", "https")];
        let body = Body::from(report.to_string());
        let heard = site
            .boot_request(Method::POST, "/v1/report", &headers, "127.0.0.1", body)
            .await;
        assert_eq!(heard.status, 200);
    }
}
