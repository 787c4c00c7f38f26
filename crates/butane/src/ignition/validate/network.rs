//! Resources, certificate authorities and proxies.

use super::Check;
use crate::ignition::{Ignition, Proxy, Resource};
use crate::ignition::{hash, url};

impl Check {
    pub(super) fn network(&mut self, ignition: &Ignition) {
        self.at("config", |check| {
            check.each("merge", &ignition.config.merge, Self::required_resource);
            check.at("replace", |check| check.resource(&ignition.config.replace));
        });
        self.at("proxy", |check| check.proxies(&ignition.proxy));
        self.at("security", |check| {
            check.at("tls", |check| {
                let authorities = &ignition.security.tls.certificate_authorities;
                check.each("certificateAuthorities", authorities, |check, authority| {
                    if check.minor == 0 && authority.source.is_none() {
                        check.error("source", "a certificate authority needs a source");
                        check.hash(authority);
                    } else {
                        check.required_resource(authority);
                    }
                });
            });
        });
    }

    /// A resource that needs a source.
    fn required_resource(&mut self, resource: &Resource) {
        // Version 3.0 lets a config without source be.
        if self.minor > 0 {
            match &resource.source {
                Some(source) if !source.is_empty() => {
                    if let Some(message) = url::check(source, self.minor) {
                        self.error_here(message);
                    }
                }
                _ => self.error_here("a source is missing"),
            }
        }
        self.resource(resource);
    }

    pub(super) fn resource(&mut self, resource: &Resource) {
        if !matches!(resource.compression.as_deref(), None | Some("" | "gzip")) {
            self.error("compression", "the compression must be gzip or nothing");
        }
        if let Some(source) = &resource.source
            && !source.is_empty()
        {
            self.error_if("source", url::check(source, self.minor));
        }
        self.headers(resource);
        self.hash(resource);
    }

    fn hash(&mut self, resource: &Resource) {
        let Some(sum) = &resource.verification.hash else { return };
        self.at("verification", |check| {
            if resource.source.is_none() && check.minor > 0 {
                check.error("hash", "a hash needs a source to check");
            }
            // Found at the verification, as in Ignition's own reports.
            if let Some(message) = hash::check(sum, check.minor) {
                check.error("hash", message);
            }
        });
    }

    fn headers(&mut self, resource: &Resource) {
        if resource.http_headers.is_empty() {
            return;
        }
        let scheme = resource
            .source
            .as_deref()
            .filter(|source| !source.is_empty())
            .and_then(url::parse)
            .map(|url| url.scheme);
        match scheme.as_deref() {
            Some("http" | "https") => {}
            Some(_) => self.error("httpHeaders", "only http and https take headers"),
            None => self.error("httpHeaders", "headers need a source that is a URL"),
        }
        self.each("httpHeaders", &resource.http_headers, |check, header| {
            if header.name.is_empty() {
                check.error("name", "a header needs a name");
            }
        });
    }

    fn proxies(&mut self, proxy: &Proxy) {
        self.proxy("httpProxy", proxy.http_proxy.as_deref(), true);
        self.proxy("httpsProxy", proxy.https_proxy.as_deref(), false);
    }

    fn proxy(&mut self, key: &'static str, proxy: Option<&str>, plain_is_fine: bool) {
        let Some(proxy) = proxy else { return };
        match url::parse(proxy).map(|url| url.scheme).as_deref() {
            None => self.error(key, "this is not a URL"),
            Some("https") => {}
            Some("http") if plain_is_fine => {}
            Some("http") => self.warning(
                key,
                "requests over TLS go through a proxy that is spoken to in plain text",
            ),
            Some(_) => self.error(key, "a proxy's URL begins with http or https"),
        }
    }
}
