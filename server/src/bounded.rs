//! Answers of others, read no further than they may be long.

use reqwest::Response;

/// The body; none where it is longer than `most` bytes. Never more than that and one chunk is held.
pub(crate) async fn body(mut answer: Response, most: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let said = answer.content_length().and_then(|length| usize::try_from(length).ok());
    if said.is_some_and(|length| length > most) {
        return Ok(None);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::body::Body;
    use axum::routing::get;
    use futures_util::StreamExt as _;

    use super::*;

    /// Somebody who sends without end, and counts what was taken; or as much as fits.
    async fn endless() -> (String, Arc<AtomicUsize>) {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let chunks = move || {
            let counted = Arc::clone(&counted);
            futures_util::stream::repeat_with(move || {
                counted.fetch_add(1 << 16, Ordering::Relaxed);
                Ok::<_, std::io::Error>(vec![0_u8; 1 << 16])
            })
        };
        let router = axum::Router::new()
            .route("/endless", get(async move || Body::from_stream(chunks())))
            .route("/ten", get(async || "0123456789"))
            .route(
                "/chunks",
                get(async || {
                    Body::from_stream(futures_util::stream::iter(["01234", "56789"]).map(Ok::<_, std::io::Error>))
                }),
            );
        tokio::spawn(async move { axum::serve(socket, router).await });
        (url, sent)
    }

    #[tokio::test]
    async fn what_is_longer_is_not_read_to_its_end() {
        let (url, sent) = endless().await;
        let get = async |path: &str, most| {
            body(reqwest::get(format!("{url}/{path}")).await.unwrap(), most)
                .await
                .unwrap()
        };
        for path in ["ten", "chunks"] {
            assert_eq!(get(path, 10).await.as_deref(), Some(&b"0123456789"[..]), "{path}");
            assert_eq!(get(path, 9).await, None, "{path}");
        }
        assert_eq!(get("endless", 1 << 20).await, None);
        // The rest is what lay in buffers on the way.
        assert!(sent.load(Ordering::Relaxed) < 64 << 20);
    }
}
