//! Files of the mirror over real listeners, where the kernel sends them.

use std::fs::File;
use std::num::NonZeroU64;
use std::path::PathBuf;

use axum::{Extension, Router};
use data_encoding::HEXLOWER;
use reqwest::{Certificate, Client};
use rustix::fs::{Advice, fadvise, fsync};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{Running, ServeOptions, listener, start};
use crate::assets::Promises;

/// More than sockets hold while nobody reads, and no multiple of anything.
const LARGE: usize = (24 << 20) + 4711;

struct Story {
    running: Running,
    folder: tempfile::TempDir,
}

impl Story {
    /// A server whose mirror has a large file, a small one and an empty one.
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, assets) = (folder.path().join("data"), folder.path().join("assets"));
        std::fs::create_dir_all(assets.join("files")).unwrap();
        let mut index = serde_json::Map::new();
        for name in ["large", "small", "empty"] {
            let bytes = bytes(name);
            std::fs::write(assets.join("files").join(name), &bytes).unwrap();
            index.insert(
                name.to_owned(),
                json!({
                    "name": name,
                    "sha256": HEXLOWER.encode(&Sha256::digest(&bytes)),
                    "size": bytes.len(),
                    "source": "a test",
                    "added_at": "2026-01-01T00:00:00Z",
                }),
            );
        }
        std::fs::write(assets.join("files/index.json"), serde_json::to_vec(&index).unwrap()).unwrap();
        let mut options = ServeOptions::on_loopback(data, assets);
        options.tls.boot_tls_listen = Some(([127, 0, 0, 1], 0).into());
        let running = start(options).await.unwrap();
        Self { running, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("assets/files").join(name)
    }

    /// Somebody who trusts this server's CA.
    fn trusting(&self) -> Client {
        let pem = std::fs::read(self.folder.path().join("data/tls/ca.pem")).unwrap();
        let trusted = Certificate::from_pem_bundle(&pem).unwrap();
        Client::builder().tls_certs_only(trusted).build().unwrap()
    }

    async fn connect(&self) -> Wired {
        let address = self.running.boot_url().strip_prefix("http://").unwrap();
        Wired(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }
}

fn bytes(name: &str) -> Vec<u8> {
    let length = match name {
        "large" => LARGE,
        "small" => 1000,
        _ => 0,
    };
    (0..251_u8).cycle().take(length).collect()
}

/// A client that keeps its connection, and sees every byte of it.
struct Wired(BufReader<TcpStream>);

impl Wired {
    async fn ask(&mut self, method: &str, path: &str, more: &str) {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: mirror\r\n{more}\r\n");
        self.0.write_all(head.as_bytes()).await.unwrap();
    }

    /// Status and length as the next head says.
    async fn head(&mut self) -> (u16, usize) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.split("content-length: ").nth(1).unwrap();
        (status, length.split("\r\n").next().unwrap().parse().unwrap())
    }

    async fn answer(&mut self) -> (u16, Vec<u8>) {
        let (status, length) = self.head().await;
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        (status, body)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_gets_file_after_file_and_other_answers_between() {
    let story = Story::begin().await;
    let (large, small) = (bytes("large"), bytes("small"));
    let mut wired = story.connect().await;
    for _ in 0..2 {
        wired.ask("GET", "/files/large", "").await;
        assert!(wired.answer().await == (200, large.clone()));
        wired.ask("GET", "/files/none", "").await;
        assert_eq!(wired.answer().await.0, 404);
        wired.ask("HEAD", "/files/large", "").await;
        assert_eq!(wired.head().await, (200, LARGE));
        wired.ask("GET", "/files/small", "").await;
        assert!(wired.answer().await == (200, small.clone()));
        wired.ask("GET", "/files/empty", "").await;
        assert!(wired.answer().await == (200, Vec::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_file_is_that_part() {
    let story = Story::begin().await;
    let large = bytes("large");
    let mut wired = story.connect().await;
    let mebibyte = 1 << 20;
    for (first, last) in [
        (0, 0),
        (5, 5 * mebibyte),
        (mebibyte - 1, mebibyte),
        (3 * mebibyte, LARGE - 1),
        (LARGE - 1, LARGE - 1),
    ] {
        let range = format!("range: bytes={first}-{last}\r\n");
        wired.ask("GET", "/files/large", &range).await;
        assert!(
            wired.answer().await == (206, large[first..=last].to_vec()),
            "{first} to {last}"
        );
    }
    wired.ask("GET", "/files/small", "range: bytes=1000-\r\n").await;
    assert_eq!(wired.head().await.0, 416);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_ahead_is_answered_in_order() {
    let story = Story::begin().await;
    let (large, small) = (bytes("large"), bytes("small"));
    let mut wired = story.connect().await;
    wired.ask("GET", "/files/large", "").await;
    wired.ask("GET", "/files/small", "").await;
    wired.ask("GET", "/nothing", "").await;
    wired.ask("GET", "/files/small", "range: bytes=10-19\r\n").await;
    wired.ask("GET", "/files/large", "").await;
    assert!(wired.answer().await == (200, large.clone()));
    assert!(wired.answer().await == (200, small.clone()));
    assert_eq!(wired.answer().await.0, 404);
    assert!(wired.answer().await == (206, small[10..20].to_vec()));
    assert!(wired.answer().await == (200, large));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_page_cache_comes_as_well() {
    let story = Story::begin().await;
    let mut wired = story.connect().await;
    wired.ask("HEAD", "/files/large", "").await;
    assert_eq!(wired.head().await, (200, LARGE), "checked");
    let file = File::open(story.path("large")).unwrap();
    fsync(&file).unwrap();
    for (offset, length) in [
        (0, None),
        (7 << 20, NonZeroU64::new(3 << 20)),
        (300_000, NonZeroU64::new(1 << 20)),
    ] {
        fadvise(&file, offset, length, Advice::DontNeed).unwrap();
        wired.ask("GET", "/files/large", "").await;
        assert!(
            wired.answer().await == (200, bytes("large")),
            "without {length:?} from {offset}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_cut_while_it_is_sent_breaks_off_and_is_not_filled_up() {
    let story = Story::begin().await;
    let mut wired = story.connect().await;
    wired.ask("GET", "/files/large", "").await;
    assert_eq!(wired.head().await, (200, LARGE));
    let file = File::options().write(true).open(story.path("large")).unwrap();
    file.set_len(4096).unwrap();
    let mut got = Vec::new();
    // Broken off by an end or a reset, as the kernel likes.
    let _ = wired.0.read_to_end(&mut got).await;
    assert!(got.len() < LARGE);
    // What was cut off while it was on its way may have become zeros; blanks it never is.
    let fits = |(got, held): (&u8, u8)| *got == held || *got == 0;
    assert!(got.iter().zip(bytes("large")).all(fits));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_in_the_middle_bothers_nobody() {
    let story = Story::begin().await;
    for _ in 0..20 {
        let mut gone = story.connect().await;
        gone.ask("GET", "/files/large", "").await;
        assert_eq!(gone.head().await, (200, LARGE));
    }
    let mut wired = story.connect().await;
    wired.ask("GET", "/files/large", "").await;
    assert!(wired.answer().await == (200, bytes("large")));
    story.running.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_reads_slowly_has_a_file_wait_in_memory() {
    let story = Story::begin().await;
    let handed_over = || story.running.app().metrics.asset_sent_bytes.get();
    let mut plain = story.connect().await;
    plain.ask("GET", "/files/large", "").await;
    assert_eq!(plain.head().await, (200, LARGE));
    assert!(handed_over() < LARGE as u64, "all of it");
    let story = Story::begin().await;
    let url = format!("{}/files/large", story.running.boot_tls_url().unwrap());
    let begun = story.trusting().get(&url).send().await.unwrap();
    assert_eq!(begun.status(), 200);
    let handed_over = story.running.app().metrics.asset_sent_bytes.get();
    assert!(handed_over < LARGE as u64, "all of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_connection_can_be_promised_files() {
    let socket = listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = socket.local_addr().unwrap();
    let told = |promises: Option<Extension<Promises>>| async move { promises.is_some().to_string() };
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(listener::serve(socket, Router::new().fallback(told), None, stopped));
    let answer = Client::new().get(format!("http://{address}/")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "true");
    stop.send_replace(true);
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_no_file_goes_past_the_cipher() {
    let story = Story::begin().await;
    let client = story.trusting();
    let url = format!("{}/files/large", story.running.boot_tls_url().unwrap());
    for _ in 0..2 {
        let whole = client.get(&url).send().await.unwrap().bytes().await.unwrap();
        assert!(whole == bytes("large"));
    }
    let part = client.get(&url).header("range", "bytes=1048570-1048580").send();
    let part = part.await.unwrap().bytes().await.unwrap();
    assert!(part == bytes("large")[1_048_570..=1_048_580]);
}
