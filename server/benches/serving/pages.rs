//! People at the pages: what a first page weighs and takes, and what open pages cost those who boot.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::{Client, Response, redirect};
use serde_json::json;
use tokio::task::JoinSet;

/// Pages that are open meanwhile.
pub(crate) const OPEN: usize = 200;
/// As the script on the page does it: no page is asked for sooner again.
const PACE: Duration = Duration::from_secs(1);
const PASSWORD: &str = "a password of a bench";

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Person {
    client: Client,
    base: String,
    cookie: String,
}

impl Person {
    /// Adds a viewer over the API, and signs in as a browser does.
    pub(crate) async fn sign_in(control: &str, data_dir: &Path) -> anyhow::Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build()?;
        let base = format!("http://{control}");
        let token = std::fs::read_to_string(data_dir.join("admin-token"))?;
        let user = json!({"name": "bench", "role": "viewer", "password": PASSWORD});
        let added = client
            .post(format!("{base}/api/v1/users"))
            .bearer_auth(token.trim())
            .json(&user)
            .send()
            .await?;
        ensure!(added.status() == 201, "a user: {}", added.status());
        let door = client.get(format!("{base}/sign-in")).send().await?;
        let bound = cookie(&door)?;
        let page = door.text().await?;
        let token = page
            .split("name=\"form\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let fields = [
            ("form", token.context("no form")?),
            ("name", "bench"),
            ("password", PASSWORD),
        ];
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let entered = client
            .post(format!("{base}/sign-in"))
            .header("cookie", bound)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await?;
        ensure!(entered.status() == 303, "a sign-in: {}", entered.status());
        let cookie = cookie(&entered)?;
        Ok(Self { client, base, cookie })
    }

    async fn get(&self, path: &str) -> anyhow::Result<Response> {
        self.look(path, None).await
    }

    /// A page, or what its script asks for again after it was told of this line of the log.
    async fn look(&self, path: &str, told: Option<&str>) -> anyhow::Result<Response> {
        let mut request = self
            .client
            .get(format!("{}{path}", self.base))
            .header("cookie", &self.cookie);
        if let Some(told) = told {
            request = request.header("x-thirdboot-look", told);
        }
        let answer = request.send().await?;
        ensure!(answer.status() == 200, "{path}: {}", answer.status());
        Ok(answer)
    }

    /// The request for a page, as it goes over the wire.
    pub(crate) fn request(&self, path: &str) -> Vec<u8> {
        format!("GET {path} HTTP/1.1\r\nHost: bench\r\nCookie: {}\r\n\r\n", self.cookie).into_bytes()
    }

    /// Bytes of the first page, and of everything that it names.
    pub(crate) async fn first_page(&self) -> anyhow::Result<usize> {
        let page = self.get("/").await?.text().await?;
        let mut bytes = page.len();
        for named in page.split("=\"/static/").skip(1) {
            let name = named.split('"').next().unwrap_or_default();
            bytes += self.get(&format!("/static/{name}")).await?.bytes().await?.len();
        }
        Ok(bytes)
    }

    /// Opens pages: each is told of what happens, and asked for again. Every tenth is that of one of these hosts, the
    /// others are the fleet's.
    pub(crate) async fn open(&self, count: usize, hosts: &[String]) -> anyhow::Result<Pages> {
        let looks = Arc::new(AtomicU32::new(0));
        let mut pages = JoinSet::new();
        for (page, host) in (0..count).zip(hosts.iter().cycle()) {
            let (path, live) = match page % 10 {
                9 => (format!("/hosts/{host}"), format!("/live?host={host}")),
                _ => ("/".to_owned(), "/live".to_owned()),
            };
            let told = self.get(&live).await?;
            pages.spawn(look(self.clone(), path, told, Arc::clone(&looks)));
        }
        Ok(Pages { pages, looks })
    }
}

/// Open pages. Dropping them closes them.
pub(crate) struct Pages {
    pages: JoinSet<anyhow::Result<()>>,
    looks: Arc<AtomicU32>,
}

impl Pages {
    /// How many are still open: one that was let go measures nothing.
    pub(crate) fn count_open(&mut self) -> usize {
        while self.pages.try_join_next().is_some() {}
        self.pages.len()
    }

    /// How often one of them was asked for again.
    pub(crate) fn looks(&self) -> u32 {
        self.looks.load(Ordering::Relaxed)
    }
}

async fn look(person: Person, path: String, mut told: Response, looks: Arc<AtomicU32>) -> anyhow::Result<()> {
    let mut heard = String::new();
    while let Some(chunk) = told.chunk().await? {
        heard.push_str(std::str::from_utf8(&chunk)?);
        // An event is whole where a blank line ends it, however it was cut on its way. The last one tells all.
        let Some((whole, begun)) = heard.rsplit_once("\n\n") else {
            continue;
        };
        let last = whole.lines().rev().find_map(|line| line.strip_prefix("data: "));
        let (last, begun) = (last.map(ToOwned::to_owned), begun.to_owned());
        heard = begun;
        let Some(seen) = last else {
            continue;
        };
        person.look(&path, Some(seen.trim())).await?.bytes().await?;
        looks.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PACE).await;
    }
    Ok(())
}

fn cookie(answer: &Response) -> anyhow::Result<String> {
    let set = answer.headers().get("set-cookie").context("no cookie")?;
    let pair = set.to_str()?.split(';').next().context("no cookie")?;
    Ok(pair.to_owned())
}
