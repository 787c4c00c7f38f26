//! A stand-in for the API server of k3s: the few endpoints that are in use, over TLS, and strict. It knows one admin by
//! a client certificate, answers 401 to everybody else, and 404 to whatever else is asked.

mod pods;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use data_encoding::BASE64;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Whether the client showed a certificate of the cluster's.
#[derive(Debug, Clone, Copy)]
struct IsAdmin(bool);

#[derive(Debug, Default)]
struct Kept {
    nodes: BTreeMap<String, Value>,
    secrets: Vec<String>,
    pods: BTreeMap<String, Value>,
    /// Pods whose budget allows no eviction.
    guarded: BTreeSet<String>,
    calls: Vec<String>,
    /// Objects that a finalizer holds for so many further questions.
    held: BTreeMap<String, u32>,
}

/// A cluster of one address.
pub(crate) struct FakeCluster {
    pub(crate) address: SocketAddr,
    pub(crate) kubeconfig: String,
    pub(crate) ca_sha256: String,
    kept: Arc<Mutex<Kept>>,
    serving: tokio::task::JoinHandle<()>,
}

/// A CA, and a certificate of it for these names.
struct Pki {
    ca: String,
    certificate: String,
    key: String,
    client: String,
    client_key: String,
}

fn pki(name: &str) -> Pki {
    let ca_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, format!("{name}-ca"));
    let ca = params.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(params, ca_key);
    let signed = |names: Vec<String>| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    };
    let (certificate, key) = signed(vec!["127.0.0.1".into()]);
    let (client, client_key) = signed(vec!["system-admin".into()]);
    Pki {
        ca,
        certificate,
        key,
        client,
        client_key,
    }
}

/// As k3s writes it, for the API server's own loopback.
fn kubeconfig(pki: &Pki) -> String {
    let data = |text: &str| BASE64.encode(text.as_bytes());
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "default", "preferences": {},
        "clusters": [{"name": "default", "cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": data(&pki.ca)}}],
        "users": [{"name": "default", "user": {"client-certificate-data": data(&pki.client), "client-key-data": data(&pki.client_key)}}],
        "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
    })
    .to_string()
}

/// A kubeconfig and its CA's hash, of a cluster that nothing serves.
pub(crate) fn handed_in(name: &str) -> (String, String) {
    let pki = pki(name);
    (kubeconfig(&pki), sha256(&pki.ca))
}

fn sha256(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&<sha2::Sha256 as sha2::Digest>::digest(text.as_bytes()))
}

impl FakeCluster {
    pub(crate) async fn start(name: &str) -> Self {
        let pki = pki(name);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let app = router(Arc::clone(&kept), pki.ca.clone());
        let acceptor = TlsAcceptor::from(Arc::new(tls(&pki)));
        let serving = tokio::spawn(serve(listener, acceptor, app));
        Self {
            address,
            kubeconfig: kubeconfig(&pki),
            ca_sha256: sha256(&pki.ca),
            kept,
            serving,
        }
    }

    /// A node whose kubelet runs in this boot.
    pub(crate) fn node(&self, name: &str, boot_id: &str, ready: &str) {
        let condition = json!({"type": "Ready", "status": ready, "reason": "KubeletReady", "message": format!("kubelet says {ready}"),
            "lastHeartbeatTime": null, "lastTransitionTime": null});
        let info = json!({"bootID": boot_id, "architecture": "amd64", "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "",
            "kubeletVersion": "v1.34.1+k3s1", "machineID": "", "operatingSystem": "linux", "osImage": "", "systemUUID": ""});
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "annotations": {}}, "spec": {}, "status": {"conditions": [condition], "nodeInfo": info}});
        self.kept.lock().unwrap().nodes.insert(name.to_owned(), node);
    }

    /// The password of a node.
    pub(crate) fn password(&self, node: &str) {
        self.kept
            .lock()
            .unwrap()
            .secrets
            .push(format!("{node}.node-password.k3s"));
    }

    /// A finalizer holds the node for so many questions, as k3s does until its etcd member is out.
    pub(crate) fn hold(&self, node: &str, questions: u32) {
        self.kept.lock().unwrap().held.insert(node.to_owned(), questions);
    }

    pub(crate) fn has_node(&self, name: &str) -> bool {
        self.kept.lock().unwrap().nodes.contains_key(name)
    }

    pub(crate) fn has_password(&self, node: &str) -> bool {
        self.kept
            .lock()
            .unwrap()
            .secrets
            .contains(&format!("{node}.node-password.k3s"))
    }

    /// What was asked, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.kept.lock().unwrap().calls.clone()
    }

    /// Nothing answers any more.
    pub(crate) async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }
}

fn tls(pki: &Pki) -> rustls::ServerConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(pki.ca.as_bytes()).unwrap())
        .unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .unwrap();
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(pki.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(pki.key.as_bytes()).unwrap(),
        )
        .unwrap()
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, app: Router) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, app) = (acceptor.clone(), app.clone());
        connections.spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let is_admin = stream.get_ref().1.peer_certificates().is_some();
            let app = app.layer(axum::Extension(IsAdmin(is_admin)));
            let service = TowerToHyperService::new(app);
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Shared = Arc<Mutex<Kept>>;

fn router(kept: Shared, ca: String) -> Router {
    let api = Router::new()
        .route("/api/v1/nodes", get(list))
        .route("/api/v1/nodes/{name}", get(show).delete(remove))
        .route(
            "/api/v1/namespaces/kube-system/secrets/{name}",
            get(show_secret).delete(remove_secret),
        )
        .merge(pods::routes())
        .fallback(|| async { status(StatusCode::NOT_FOUND, "NotFound", "no such path") })
        .layer(from_fn(admins_only))
        .with_state(kept);
    Router::new()
        .route("/cacerts", get(move || std::future::ready(ca.clone())))
        .merge(api)
}

async fn admins_only(request: Request, next: Next) -> Response {
    match request.extensions().get::<IsAdmin>() {
        Some(IsAdmin(true)) => next.run(request).await,
        _ => status(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized"),
    }
}

fn status(code: StatusCode, reason: &str, message: &str) -> Response {
    let body = json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code.as_u16()});
    (code, json_body(&body)).into_response()
}

fn json_body(body: &Value) -> Response {
    Response::builder()
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

fn not_found(name: &str) -> Response {
    status(StatusCode::NOT_FOUND, "NotFound", &format!("{name} not found"))
}

async fn list(State(kept): State<Shared>) -> Response {
    let mut kept = kept.lock().unwrap();
    kept.calls.push("list nodes".to_owned());
    let items: Vec<&Value> = kept.nodes.values().collect();
    json_body(&json!({"apiVersion": "v1", "kind": "NodeList", "metadata": {"resourceVersion": "1"}, "items": items}))
}

async fn show(State(kept): State<Shared>, Path(name): Path<String>) -> Response {
    let mut kept = kept.lock().unwrap();
    let is_held = match kept.held.get_mut(&name) {
        Some(0) | None => false,
        Some(questions) => {
            *questions -= 1;
            true
        }
    };
    if !is_held && kept.held.remove(&name).is_some() {
        kept.nodes.remove(&name);
    }
    kept.nodes.get(&name).map_or_else(|| not_found(&name), json_body)
}

async fn remove(State(kept): State<Shared>, Path(name): Path<String>) -> Response {
    let mut kept = kept.lock().unwrap();
    kept.calls.push(format!("delete node {name}"));
    if kept.held.contains_key(&name) {
        return kept.nodes.get(&name).map_or_else(|| not_found(&name), json_body);
    }
    kept.nodes
        .remove(&name)
        .map_or_else(|| not_found(&name), |node| json_body(&node))
}

async fn show_secret(State(kept): State<Shared>, Path(name): Path<String>) -> Response {
    let kept = kept.lock().unwrap();
    if !kept.secrets.contains(&name) {
        return not_found(&name);
    }
    json_body(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "kube-system"}}))
}

async fn remove_secret(State(kept): State<Shared>, Path(name): Path<String>) -> Response {
    let mut kept = kept.lock().unwrap();
    kept.calls.push(format!("delete secret {name}"));
    if !kept.secrets.contains(&name) {
        return not_found(&name);
    }
    kept.secrets.retain(|known| *known != name);
    json_body(&json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success"}))
}
