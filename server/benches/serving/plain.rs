//! The same bytes from memory: what axum gives on this machine without any work.

use axum::Router;
use axum::routing::get;
use bytes::Bytes;

/// Serves `bytes` at `/plain`, and gives the address.
pub(crate) async fn serve(bytes: Bytes) -> anyhow::Result<String> {
    let router = Router::new().route("/plain", get(move || std::future::ready(bytes.clone())));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = socket.local_addr()?.to_string();
    // In a runtime of its own, as the server has a process of its own.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let socket = socket.into_std()?;
        runtime.block_on(async move { axum::serve(tokio::net::TcpListener::from_std(socket)?, router).await })
    });
    Ok(address)
}
