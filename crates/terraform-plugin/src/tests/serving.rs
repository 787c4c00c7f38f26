//! The process as Terraform talks to it: TLS, gRPC, large messages, the end.

use serde_json::json;

use crate::testing::{Client, object, received, sent, served};
use crate::wire;

/// A line for each attribute as Terraform reads it.
fn table(attributes: &[wire::Attribute], before: &str) -> Vec<String> {
    let line = |attribute: &wire::Attribute| {
        let flags = [
            (attribute.required, "required"),
            (attribute.optional, "optional"),
            (attribute.computed, "computed"),
            (attribute.sensitive, "sensitive"),
            (attribute.write_only, "write-only"),
        ];
        let flags: Vec<&str> = flags
            .iter()
            .filter(|(is_set, _)| *is_set)
            .map(|(_, word)| *word)
            .collect();
        let name = format!("{before}{}", attribute.name);
        let nested = attribute.nested_type.as_ref();
        let ty = nested.map_or_else(
            || String::from_utf8_lossy(&attribute.r#type).into_owned(),
            |nested| format!("{:?} of objects", nested.nesting()),
        );
        let inner = nested.map(|nested| table(&nested.attributes, &format!("{name}.")));
        let mut lines = vec![format!("{name}: {ty} {}", flags.join(" "))];
        lines.extend(inner.into_iter().flatten());
        lines
    };
    attributes.iter().flat_map(line).collect()
}

#[tokio::test]
async fn terraform_is_let_in_and_its_wish_to_shut_down_ends_it() {
    let client = Client::new();
    let (line, ended) = served(&client).await;
    let mut core = client.connect(&line).await.unwrap();
    let schema: wire::ProviderSchema = core
        .call("/tfplugin6.Provider/GetProviderSchema", &wire::Nothing {})
        .await
        .unwrap();
    let block = schema.resource_schemas["cloud_server"].block.as_ref().unwrap();
    insta::assert_snapshot!(table(&block.attributes, "").join("\n"));
    let gone: wire::Nothing = core
        .call("/plugin.GRPCController/Shutdown", &wire::Nothing {})
        .await
        .unwrap();
    assert_eq!(gone, wire::Nothing {});
    ended.await.unwrap();
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let (line, _served) = served(&Client::new()).await;
    let stranger = Client::new();
    let refused = async {
        // With TLS 1.3 a client learns that it was refused when it reads.
        let mut core = stranger.connect(&line).await.map_err(|error| error.to_string())?;
        core.call::<_, wire::ProviderSchema>("/tfplugin6.Provider/GetProviderSchema", &wire::Nothing {})
            .await
    };
    assert!(refused.await.is_err());
}

#[tokio::test]
async fn a_message_larger_than_grpc_usually_takes_goes_both_ways() {
    let client = Client::new();
    let (line, _served) = served(&client).await;
    let mut core = client.connect(&line).await.unwrap();
    let large = "x".repeat(9 << 20);
    let request = wire::Read {
        type_name: "cloud_server".into(),
        current_state: sent(Some(object(&json!({"name": "a", "labels": {"text": large}})))),
        private: Vec::new(),
    };
    let done: wire::ReadDone = core.call("/tfplugin6.Provider/ReadResource", &request).await.unwrap();
    assert_eq!(received(done.new_state.as_ref())["labels"]["text"], large.as_str());
}

#[tokio::test]
async fn what_is_not_served_is_said_so() {
    let client = Client::new();
    let (line, _served) = served(&client).await;
    let mut core = client.connect(&line).await.unwrap();
    let refused = core
        .call::<_, wire::Nothing>("/tfplugin6.Provider/CallFunction", &wire::Nothing {})
        .await;
    assert_eq!(refused.unwrap_err(), "grpc-status 12");
}
