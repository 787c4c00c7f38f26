//! A small provider, and the side of Terraform: its merge of configuration and prior state, and its connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use data_encoding::BASE64_NOPAD;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::handshake::Handshake;
use crate::serve::Serving;
use crate::service::Service;
use crate::wire::{self, DynamicValue};
use crate::{
    Attribute, Call, Change, DataSource, Diagnostics, Object, Path, Provider, Resource, Schema, Type, Value, between,
    settle,
};

/// A cloud with servers.
pub(crate) struct Cloud;

/// A server of that cloud. What it does is in its name.
struct Server;

pub(crate) fn server_schema() -> Schema {
    let disk = vec![
        Attribute::required("size", Type::Number, "GiB").checked(between(1, 1000)),
        Attribute::optional("kind", Type::String, "Of which kind").default("ssd"),
        Attribute::optional_computed("serial", Type::String, "Its serial").keeps(),
    ];
    Schema::new(
        "A server",
        vec![
            Attribute::computed("id", Type::String, "Its number").keeps(),
            Attribute::required("name", Type::String, "Its name").replaces(),
            Attribute::optional("size", Type::String, "How large")
                .default("small")
                .one_of(["small", "large"]),
            Attribute::computed("revision", Type::Number, "Counts changes"),
            Attribute::optional("mac", Type::String, "Its card").same(str::eq_ignore_ascii_case),
            Attribute::optional("zones", Type::String.set(), "Where it may be"),
            Attribute::optional("labels", Type::String.map(), "For people"),
            Attribute::optional("disks", Type::Object(disk).list(), "Its disks"),
            Attribute::optional("password_wo", Type::String, "For the console")
                .sensitive()
                .write_only(),
        ],
    )
}

#[async_trait]
impl Resource for Server {
    fn schema(&self) -> Schema {
        server_schema()
    }

    fn validate(&self, config: &Object, found: &mut Diagnostics) {
        assert!(
            config["name"].as_str() != Some("panics-early"),
            "a fault while validating"
        );
        if config["labels"].get("forbidden").as_str().is_some() {
            found.add_error(
                Path::attribute("labels").key("forbidden"),
                "Not this one",
                "It is forbidden.",
            );
        }
    }

    async fn create(&self, call: &mut Call, change: &Change) -> Result<Object, Diagnostics> {
        let mut seen = self.schema().ty.empty_object();
        seen.insert("id".into(), "i-1".into());
        seen.insert("revision".into(), 1_u64.into());
        let made = settle(&change.planned, &seen);
        match change.planned["name"].as_str() {
            Some("half-made") => {
                call.keep(made);
                panic!("it fell from the rack");
            }
            Some("refused") => Err(Diagnostics::error(
                Path::attribute("size"),
                "Too large",
                "There is no room.",
            )),
            Some("waits") => {
                call.keep(made);
                call.stop.wait().await;
                Err(Diagnostics::error(Path::root(), "Stopped", "It is still being made."))
            }
            Some("tells") => {
                call.private = change.config["password_wo"].as_str().unwrap_or("-").as_bytes().to_vec();
                call.warn(Path::root(), "Hm", "It is warm in there.");
                Ok(made)
            }
            _ => Ok(made),
        }
    }

    async fn read(&self, _: &mut Call, state: &Object) -> Result<Option<Object>, Diagnostics> {
        match state["name"].as_str() {
            Some("gone") => Ok(None),
            Some("unreachable") => Err(Diagnostics::error(Path::root(), "Unreachable", "Nobody answers.")),
            Some("panics") => panic!("a fault while reading"),
            _ => Ok(Some(state.clone())),
        }
    }

    async fn update(&self, _: &mut Call, _: &Object, change: &Change) -> Result<Object, Diagnostics> {
        Ok(change.planned.clone())
    }

    async fn delete(&self, _: &mut Call, state: &Object) -> Result<(), Diagnostics> {
        match state["name"].as_str() {
            Some("stays") => Err(Diagnostics::error(Path::root(), "It stays", "It is nailed down.")),
            _ => Ok(()),
        }
    }

    async fn import(&self, _: &mut Call, id: &str) -> Result<Object, Diagnostics> {
        Ok(Object::from([("name".to_owned(), id.into())]))
    }
}

#[async_trait]
impl Provider for Cloud {
    fn schema(&self) -> Schema {
        Schema::new(
            "A cloud",
            vec![Attribute::optional("token", Type::String, "Who asks").sensitive()],
        )
    }

    fn resources(&self) -> BTreeMap<&'static str, Box<dyn Resource>> {
        BTreeMap::from([("cloud_server", Box::new(Server) as Box<dyn Resource>)])
    }

    fn data_sources(&self) -> BTreeMap<&'static str, Box<dyn DataSource>> {
        BTreeMap::new()
    }

    async fn configure(&self, _: &mut Call, _: Object) -> Result<(), Diagnostics> {
        Ok(())
    }
}

/// A server's object from JSON; `"?"` stands for what is not known yet.
pub(crate) fn object(json: &Json) -> Object {
    let value = Value::from_json(json, &server_schema().ty).unwrap();
    let mut object = value.as_object().unwrap().clone();
    object.values_mut().for_each(mark_unknown);
    object
}

fn mark_unknown(value: &mut Value) {
    match value {
        Value::String(text) if text == "?" => *value = Value::Unknown,
        Value::List(items) => items.iter_mut().for_each(mark_unknown),
        Value::Object(fields) => fields.values_mut().for_each(mark_unknown),
        _ => {}
    }
}

/// A value as JSON, with nulls left out and `"?"` for what is not known yet.
pub(crate) fn shown(value: &Value) -> Json {
    match value {
        Value::Unknown => "?".into(),
        Value::List(items) => items.iter().map(shown).collect(),
        Value::Object(fields) => {
            let set = fields.iter().filter(|(_, value)| !value.is_null());
            set.map(|(name, value)| (name.clone(), shown(value))).collect()
        }
        value => value.to_json(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "messages have their values as options")]
pub(crate) fn sent(object: Option<Object>) -> Option<DynamicValue> {
    let value = object.map_or(Value::Null, Value::Object);
    Some(DynamicValue {
        msgpack: value.to_msgpack(&server_schema().ty),
        json: Vec::new(),
    })
}

pub(crate) fn received(value: Option<&DynamicValue>) -> Json {
    let value = value.unwrap();
    shown(&Value::from_msgpack(&value.msgpack, &server_schema().ty).unwrap())
}

/// Terraform's own merge: what the user did not set and may be computed is what it was.
fn proposed(attributes: &[Attribute], config: &Object, prior: Option<&Object>) -> Object {
    let merged = attributes.iter().map(|attribute| {
        let said = &config[attribute.name];
        let before = prior.map_or(&Value::Null, |prior| &prior[attribute.name]);
        let is_computed = matches!(
            attribute.presence,
            crate::Presence::Computed | crate::Presence::OptionalComputed
        );
        let value = match (said, &attribute.ty) {
            (Value::Null, _) if is_computed => before.clone(),
            (Value::List(items), Type::List(of)) if of.objects().is_some() => {
                let inner = of.objects().unwrap();
                let items = items.iter().enumerate().map(|(at, item)| {
                    let before = before.as_list().and_then(|before| before.get(at));
                    let before = before.and_then(Value::as_object);
                    Value::Object(proposed(inner, item.as_object().unwrap(), before))
                });
                Value::List(items.collect())
            }
            (said, _) => said.clone(),
        };
        (attribute.name.to_owned(), value)
    });
    merged.collect()
}

/// Plans a server from what it is to what the user wrote.
pub(crate) async fn plan(prior: Option<&Json>, config: &Json) -> wire::Planned {
    let (prior, config) = (prior.map(object), object(config));
    let request = wire::Plan {
        type_name: "cloud_server".into(),
        proposed_new_state: sent(Some(proposed(server_schema().attributes(), &config, prior.as_ref()))),
        prior_state: sent(prior),
        config: sent(Some(config)),
        prior_private: Vec::new(),
    };
    Service::new(Cloud).plan(request).await
}

/// Plans and applies.
pub(crate) async fn apply(prior: Option<&Json>, config: &Json) -> wire::Applied {
    let planned = plan(prior, config).await;
    let request = wire::Apply {
        type_name: "cloud_server".into(),
        prior_state: sent(prior.map(object)),
        planned_state: planned.state,
        config: sent(Some(object(config))),
        planned_private: planned.private,
    };
    Service::new(Cloud).apply(request).await
}

/// Diagnostics as lines.
pub(crate) fn lines(diagnostics: &[wire::Diagnostic]) -> Vec<String> {
    let line = |diagnostic: &wire::Diagnostic| {
        let steps = diagnostic.attribute.iter().flat_map(|path| &path.steps);
        let at: Vec<String> = steps.map(|step| format!("{:?}", step.selector)).collect();
        format!(
            "{} {}: {} {}",
            diagnostic.severity,
            diagnostic.summary,
            diagnostic.detail,
            at.join(" ")
        )
    };
    diagnostics.iter().map(line).collect()
}

/// A client as Terraform makes one: a self-signed certificate marked as a CA, with a P-521 key.
pub(crate) struct Client {
    pub(crate) certificate: CertificateDer<'static>,
    key: rcgen::KeyPair,
}

impl Client {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, key }
    }

    /// Connects to a provider by the line that it wrote.
    pub(crate) async fn connect(&self, line: &str) -> std::io::Result<Core> {
        let parts: Vec<&str> = line.split('|').collect();
        let server = CertificateDer::from(BASE64_NOPAD.decode(parts[5].as_bytes()).unwrap());
        let mut roots = RootCertStore::empty();
        roots.add(server).unwrap();
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![self.certificate.clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(parts[3]).await?;
        let name = "localhost".try_into().unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let made = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = made.map_err(std::io::Error::other)?;
        tokio::spawn(connection);
        Ok(Core(sender))
    }
}

/// Terraform's end of a connection.
pub(crate) struct Core(SendRequest<Full<Bytes>>);

impl Core {
    /// Calls a method: the answer, or the gRPC status.
    pub(crate) async fn call<Q: Message, A: Message + Default>(
        &mut self,
        path: &str,
        request: &Q,
    ) -> Result<A, String> {
        const FRAME_HEAD_LEN: usize = 5;
        let message = request.encode_to_vec();
        let mut body = vec![0];
        body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        body.extend(message);
        let request = Request::post(format!("https://localhost{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let answer = self.0.send_request(request).await.map_err(|error| error.to_string())?;
        let in_head = answer.headers().get("grpc-status").cloned();
        let collected = answer.into_body().collect().await.map_err(|error| error.to_string())?;
        let status = in_head.or_else(|| collected.trailers()?.get("grpc-status").cloned());
        let status = status.ok_or("no grpc-status")?;
        if status != "0" {
            return Err(format!("grpc-status {}", status.to_str().unwrap()));
        }
        let bytes = collected.to_bytes();
        A::decode(&bytes[FRAME_HEAD_LEN..]).map_err(|error| error.to_string())
    }
}

/// A served cloud that lets this client in: the line it wrote, and its end.
pub(crate) async fn served(client: &Client) -> (String, tokio::task::JoinHandle<()>) {
    let handshake = Handshake {
        client: client.certificate.clone(),
    };
    let serving = Serving::new(handshake, Cloud).await.unwrap();
    (serving.line.clone(), tokio::spawn(serving.run()))
}

/// A server that is there, as its state has it.
pub(crate) fn standing(name: &str) -> Json {
    json!({"id": "i-1", "name": name, "size": "small", "revision": 1})
}
