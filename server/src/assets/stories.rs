//! Pulls from somebody whose line is bad, and what is served meanwhile.

use std::path::PathBuf;

use axum::body::Body;
use axum::http::Method;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::testing::{Reply, TestApp, Upstream, VERSION, sample_bytes};

const NEW: &str = "43.20261101.3.0";

struct Story {
    site: TestApp,
    upstream: Upstream,
}

impl Story {
    async fn begin() -> Self {
        Self::with(None, 2).await
    }

    async fn with(keyring: Option<&str>, keep: usize) -> Self {
        let upstream = Upstream::start(NEW).await;
        let site = TestApp::with(|options| {
            options.streams_url = format!("{}/streams", upstream.url);
            options.assets_keyring = keyring.map(testdata);
            options.assets_keep = keep;
        })
        .await;
        Self { site, upstream }
    }

    /// Pulls and waits for the end.
    async fn pull(&self, more: Value) -> Value {
        let mut body = json!({"stream": "stable"});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let begun = self.site.api_post("/api/v1/assets/pulls", &body).await;
        assert_eq!(begun.status, 202, "{}", begun.text());
        self.ended(&begun.json()).await
    }

    async fn ended(&self, begun: &Value) -> Value {
        let outer_bound = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let pull = self
                .site
                .api_get(&format!("/api/v1/assets/pulls/{}", begun["id"]))
                .await
                .json();
            if !["waiting", "running"].contains(&pull["state"].as_str().unwrap()) {
                return pull;
            }
            assert!(std::time::Instant::now() < outer_bound, "{pull}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    async fn delete(&self, path: &str) -> Reply {
        let token = self.site.token.clone();
        self.site.api_as(&token, Method::DELETE, path, Body::empty()).await
    }

    fn current(&self) -> String {
        let link = std::fs::read_link(self.site.path("assets/x86_64/current")).unwrap();
        link.to_str().unwrap().to_owned()
    }
}

fn testdata(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("src/assets/testdata")
        .join(name)
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[tokio::test]
async fn a_pull_fills_the_mirror_and_hosts_are_armed_with_it() {
    let story = Story::begin().await;
    let pull = story.pull(json!({"image": true})).await;
    assert_eq!(
        (&pull["state"], &pull["version"]),
        (&json!("done"), &json!(NEW)),
        "{pull}"
    );
    assert!(
        pull["files"]
            .as_array()
            .unwrap()
            .iter()
            .all(|file| file["done"] == true),
        "{pull}"
    );
    assert_eq!(story.current(), NEW);
    let host = story.site.armed("a1", 1).await.id;
    let base = format!("/assets/{}", story.site.secret(crate::secrets::Purpose::Conf, host, 1));
    assert_eq!(
        story.site.get(&format!("{base}/kernel")).await.body,
        sample_bytes("kernel")
    );
    assert_eq!(
        story.site.get(&format!("{base}/disk.raw.xz.sig")).await.body,
        b"no signature"
    );
    let listed = story.site.api_get("/api/v1/assets").await.json();
    let version = &listed["versions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|v| v["version"] == NEW)
        .unwrap();
    assert_eq!(version["links"], json!(["current", "stream.stable"]));
    assert_eq!(version["needed_by"], json!(["run 1 of a1 is served it"]));
}

#[tokio::test]
async fn the_mirror_hands_on_what_it_pulled_under_its_own_address() {
    let story = Story::begin().await;
    assert_eq!(story.site.get("/streams/stable.json").await.status, 404);
    story.pull(json!({})).await;
    let document = story.site.get("/streams/stable.json").await.json();
    let metal = &document["architectures"]["x86_64"]["artifacts"]["metal"];
    assert_eq!(metal["release"], NEW);
    let kernel = &metal["formats"]["pxe"]["kernel"];
    assert_eq!(kernel["sha256"], sha256(&sample_bytes("kernel")));
    for (field, bytes) in [
        ("location", sample_bytes("kernel")),
        ("signature", b"no signature".to_vec()),
    ] {
        let url = kernel[field].as_str().unwrap();
        let path = url.strip_prefix("http://config.test").unwrap();
        assert_eq!(story.site.get(path).await.body, bytes, "{url}");
        let head = story.site.head(path).await;
        assert_eq!(head.header("content-length"), bytes.len().to_string());
        let part = story.site.get_with(path, &[("range", "bytes=3-5")]).await;
        assert_eq!((part.status.as_u16(), part.body.as_slice()), (206, &bytes[3..6]));
    }
    for path in [
        "/streams/stable",
        "/streams/testing.json",
        "/streams/..%2f..%2fcurrent.json",
        &format!("/mirror/x86_64/{NEW}/manifest.json"),
        "/mirror/x86_64/current%2f../kernel",
        "/mirror/..%2f..%2fdata/x/master.key",
    ] {
        assert_eq!(story.site.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_download_that_breaks_off_is_resumed_where_it_was() {
    let story = Story::begin().await;
    story.upstream.cut("rootfs.img", &[4000, 3000]);
    let pull = story.pull(json!({})).await;
    assert_eq!(pull["state"], "done", "{pull}");
    assert_eq!(story.upstream.ranges("rootfs.img"), ["bytes=4000-", "bytes=7000-"]);
    let served = story.site.get(&format!("/mirror/x86_64/{NEW}/rootfs.img")).await;
    assert_eq!(served.body, sample_bytes("rootfs.img"));
}

#[tokio::test]
async fn a_line_that_stays_bad_changes_nothing_and_the_next_pull_goes_on() {
    let story = Story::begin().await;
    story.upstream.cut("rootfs.img", &[4000, 0, 0, 0, 0, 0]);
    let pull = story.pull(json!({})).await;
    assert_eq!(pull["state"], "failed", "{pull}");
    assert!(pull["failed"].as_str().unwrap().starts_with("rootfs.img: "), "{pull}");
    assert_eq!(story.current(), VERSION);
    for path in [
        "/streams/stable.json".to_owned(),
        format!("/mirror/x86_64/{NEW}/kernel"),
        format!("/mirror/x86_64/{NEW}/.rootfs.img.part"),
    ] {
        assert_eq!(story.site.get(&path).await.status, 404, "{path}");
    }
    story.upstream.cut("rootfs.img", &[]);
    assert_eq!(story.pull(json!({})).await["state"], "done");
    assert_eq!(story.upstream.ranges("rootfs.img").last().unwrap(), "bytes=4000-");
    assert_eq!(story.upstream.ranges("kernel"), Vec::<String>::new(), "it was whole");
    assert_eq!(story.current(), NEW);
}

#[tokio::test]
async fn a_file_with_another_hash_is_refused_and_downloaded_anew_next_time() {
    let story = Story::begin().await;
    let mut wrong = sample_bytes("kernel");
    wrong[17] ^= 1;
    story.upstream.put("kernel", &wrong);
    let pull = story.pull(json!({})).await;
    assert_eq!(pull["state"], "failed", "{pull}");
    assert!(pull["failed"].as_str().unwrap().contains("its sha256 is"), "{pull}");
    assert_eq!(story.current(), VERSION);
    story.upstream.put("kernel", &sample_bytes("kernel"));
    assert_eq!(story.pull(json!({})).await["state"], "done");
}

#[tokio::test]
async fn a_part_of_another_file_is_not_continued() {
    let story = Story::begin().await;
    let mut other = sample_bytes("kernel");
    other[17] ^= 1;
    story.upstream.put("kernel", &other);
    story.upstream.cut("kernel", &[3000, 0, 0, 0, 0, 0]);
    assert_eq!(story.pull(json!({})).await["state"], "failed");
    // The same address holds the right file now: its validator is another one.
    story.upstream.put("kernel", &sample_bytes("kernel"));
    story.upstream.cut("kernel", &[]);
    let pull = story.pull(json!({})).await;
    assert_eq!(pull["state"], "done", "{pull}");
}

#[tokio::test]
async fn with_a_keyring_only_what_is_signed_by_it_comes_in() {
    let signed = async |keyring: &str| {
        let story = Story::with(Some(keyring), 2).await;
        for name in ["kernel", "initramfs.img", "rootfs.img"] {
            let signature = std::fs::read(testdata(&format!("{name}.sig"))).unwrap();
            story.upstream.put(&format!("{name}.sig"), &signature);
        }
        let pull = story.pull(json!({})).await;
        (story, pull)
    };
    let (story, pull) = signed("signer.asc").await;
    assert_eq!(pull["state"], "done", "{pull}");
    let release = std::fs::read_to_string(story.site.path("assets/x86_64").join(NEW).join("release.json")).unwrap();
    assert_eq!(release.matches("signed_by").count(), 3, "{release}");

    let (story, pull) = signed("stranger.asc").await;
    assert!(
        pull["failed"]
            .as_str()
            .unwrap()
            .contains("no key of the keyring has signed it"),
        "{pull}"
    );
    assert_eq!(story.current(), VERSION);

    let story = Story::with(Some("signer.asc"), 2).await;
    let pull = story.pull(json!({})).await;
    assert!(
        pull["failed"].as_str().unwrap().contains("no OpenPGP signature"),
        "{pull}"
    );
    // One without end is not read to it.
    story.upstream.put("kernel.sig", &vec![b'x'; 100 << 10]);
    let pull = story.pull(json!({})).await;
    assert!(
        pull["failed"].as_str().unwrap().contains("is longer than 65536 bytes"),
        "{pull}"
    );
    // A signature of another file.
    let signature = std::fs::read(testdata("rootfs.img.sig")).unwrap();
    story.upstream.put("kernel.sig", &signature);
    let pull = story.pull(json!({})).await;
    assert!(
        pull["failed"].as_str().unwrap().contains("no key of the keyring"),
        "{pull}"
    );
}

#[tokio::test]
async fn old_versions_go_but_none_that_somebody_needs() {
    let story = Story::with(None, 0).await;
    // The sample version is pinned by one host and served to another one's run.
    story.site.armed("a1", 1).await;
    for version in ["43.1", "43.2", "43.10"] {
        story.upstream.publish(version);
        let pull = story.pull(json!({})).await;
        assert_eq!(pull["state"], "done", "{pull}");
    }
    let there = |story: &Story| -> Vec<String> {
        let listed = std::fs::read_dir(story.site.path("assets/x86_64")).unwrap();
        let folders = listed
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_dir());
        let mut names: Vec<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(there(&story), ["43.10", VERSION]);
    let refused = story.delete(&format!("/api/v1/assets/versions/x86_64/{VERSION}")).await;
    assert!(
        refused.text().contains("run 1 of a1 is served it"),
        "{}",
        refused.text()
    );
    let refused = story.delete("/api/v1/assets/versions/x86_64/43.10").await;
    assert!(
        refused.status == 409 && refused.text().contains("current points to it"),
        "{}",
        refused.text()
    );
    story
        .site
        .host_with("a2", 2, json!({"install": {"version": "43.10"}}))
        .await;
    story.site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
    story.upstream.publish("43.11");
    let pull = story.pull(json!({})).await;
    assert_eq!(pull["pruned"], json!([format!("x86_64/{VERSION}")]), "{pull}");
    assert_eq!(there(&story), ["43.10", "43.11"]);
    assert_eq!(
        story.site.arm("a2").await.status,
        200,
        "it pins a version that is there"
    );
}

#[tokio::test]
async fn any_file_with_a_hash_is_added_served_and_removed() {
    let story = Story::begin().await;
    let bytes = sample_bytes("kernel");
    let by_url =
        json!({"url": format!("{}/files/kernel", story.upstream.url), "sha256": sha256(&bytes), "name": "k3s"});
    let begun = story.site.api_post("/api/v1/assets/files", &by_url).await;
    assert_eq!(begun.status, 202, "{}", begun.text());
    assert_eq!(story.ended(&begun.json()).await["state"], "done");
    assert_eq!(story.site.get("/files/k3s").await.body, bytes);
    let token = story.site.token.clone();
    let put = async |name: &str, sha256: &str, body: &'static [u8]| {
        let path = format!("/api/v1/assets/files/{name}?sha256={sha256}");
        story.site.api_as(&token, Method::PUT, &path, Body::from(body)).await
    };
    assert_eq!(put("notes", &sha256(b"firmware"), b"firmware").await.status, 200);
    assert_eq!(story.site.get("/files/notes").await.body, b"firmware");
    assert_eq!(
        put("notes", &sha256(b"firmware"), b"firmware").await.status,
        200,
        "the same again"
    );
    assert_eq!(put("notes", &sha256(b"other"), b"other").await.status, 409);
    let wrong = put("wrong", &sha256(b"other"), b"firmware").await;
    assert_eq!(wrong.problem(), (422, "malformed".into(), "sha256".into()));
    assert_eq!(story.site.get("/files/wrong").await.status, 404);
    for (name, hash, field) in [
        ("..%2fx", "", "name"),
        ("index.json", "", "name"),
        ("x", "12", "sha256"),
    ] {
        assert_eq!(put(name, hash, b"").await.problem().2, field, "{name}");
    }
    assert_eq!(story.delete("/api/v1/assets/files/notes").await.status, 200);
    assert_eq!(story.delete("/api/v1/assets/files/notes").await.status, 404);
    assert_eq!(story.site.get("/files/notes").await.status, 404);
    assert_eq!(story.site.get("/files/index.json").await.status, 404);
}

#[tokio::test]
async fn the_same_pull_is_joined_and_can_be_ended() {
    let story = Story::begin().await;
    // Nobody answers there: the pull waits for its turn behind one that is held.
    let turn = story.site.app.assets.jobs().turn().lock_owned().await;
    let body = json!({"stream": "stable"});
    let begin = || story.site.api_post("/api/v1/assets/pulls", &body);
    let (first, second) = (begin().await.json(), begin().await.json());
    assert_eq!((&first["id"], &first["state"]), (&second["id"], &json!("waiting")));
    let ended = story
        .delete(&format!("/api/v1/assets/pulls/{}", first["id"]))
        .await
        .json();
    assert_eq!(ended["state"], "cancelled", "{ended}");
    drop(turn);
    let third = begin().await.json();
    assert_ne!(third["id"], first["id"]);
    assert_eq!(story.ended(&third).await["state"], "done");
    let all = story.site.api_get("/api/v1/assets/pulls").await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all}");
}
