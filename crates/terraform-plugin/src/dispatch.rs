//! From the path of a gRPC request to what answers it.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use prost::Message;
use tokio::sync::watch;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::service::Service;
use crate::wire::Nothing;

/// A state of many resources is larger than gRPC's usual 4 MiB; Terraform itself takes 64 MiB and sends what it has.
const MAX_MESSAGE_BYTES: usize = 256 << 20;

/// Answers a request of Terraform, or of go-plugin's own controller. Setting `down` ends the process.
pub(crate) async fn answer(
    service: Arc<Service>,
    down: watch::Sender<bool>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let s = &*service;
    let answer = match path.as_str() {
        "/tfplugin6.Provider/GetMetadata" => unary(request, |Nothing {}| ready(s.metadata())).await,
        "/tfplugin6.Provider/GetProviderSchema" => unary(request, |Nothing {}| ready(s.provider_schema())).await,
        "/tfplugin6.Provider/ValidateProviderConfig" => unary(request, |q| ready(s.validate_provider(&q))).await,
        "/tfplugin6.Provider/ValidateResourceConfig" => unary(request, |q| ready(s.validate_resource(&q))).await,
        "/tfplugin6.Provider/ValidateDataResourceConfig" => unary(request, |q| ready(s.validate_data_source(&q))).await,
        "/tfplugin6.Provider/UpgradeResourceState" => unary(request, |q| ready(s.upgrade(&q))).await,
        "/tfplugin6.Provider/ConfigureProvider" => unary(request, |q| s.configure(q)).await,
        "/tfplugin6.Provider/ReadResource" => unary(request, |q| s.read(q)).await,
        "/tfplugin6.Provider/PlanResourceChange" => unary(request, |q| s.plan(q)).await,
        "/tfplugin6.Provider/ApplyResourceChange" => unary(request, |q| s.apply(q)).await,
        "/tfplugin6.Provider/ImportResourceState" => unary(request, |q| s.import(q)).await,
        "/tfplugin6.Provider/ReadDataSource" => unary(request, |q| s.read_source(q)).await,
        "/tfplugin6.Provider/StopProvider" => unary(request, |Nothing {}| ready(s.stop_provider())).await,
        "/plugin.GRPCController/Shutdown" => {
            let answer = unary(request, |Nothing {}| ready(Nothing {})).await;
            down.send_replace(true);
            answer
        }
        // Functions, ephemeral resources and go-plugin's broker are not served.
        _ => tonic::Status::unimplemented(path).into_http(),
    };
    Ok(answer)
}

async fn unary<Q, A, F>(request: Request<Incoming>, mut answered: impl FnMut(Q) -> F) -> Response<Body>
where
    Q: Message + Default + 'static,
    A: Message + Default + 'static,
    F: Future<Output = A>,
{
    let service = service_fn(move |request: tonic::Request<Q>| {
        let answer = answered(request.into_inner());
        async { Ok(tonic::Response::new(answer.await)) }
    });
    Grpc::new(ProstCodec::<A, Q>::default())
        .apply_max_message_size_config(Some(MAX_MESSAGE_BYTES), Some(MAX_MESSAGE_BYTES))
        .unary(service, request)
        .await
}
