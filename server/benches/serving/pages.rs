//! People at the pages: what a first page weighs and takes, and what open pages cost those who boot.

use std::path::Path;
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
        let request = self
            .client
            .get(format!("{}{path}", self.base))
            .header("cookie", &self.cookie);
        let answer = request.send().await?;
        ensure!(answer.status() == 200, "{path}: {}", answer.status());
        Ok(answer)
    }

    /// The request for the first page, as it goes over the wire.
    pub(crate) fn request(&self) -> Vec<u8> {
        format!("GET / HTTP/1.1\r\nHost: bench\r\nCookie: {}\r\n\r\n", self.cookie).into_bytes()
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

    /// Opens pages of the fleet: each is told of what happens, and asked for again.
    pub(crate) async fn open(&self, count: usize) -> anyhow::Result<Pages> {
        let mut pages = JoinSet::new();
        for _ in 0..count {
            let told = self.get("/live").await?;
            pages.spawn(look(self.clone(), told));
        }
        Ok(Pages(pages))
    }
}

/// Open pages. Dropping them closes them.
pub(crate) struct Pages(JoinSet<anyhow::Result<()>>);

impl Pages {
    /// How many are still open: one that was let go measures nothing.
    pub(crate) fn count_open(&mut self) -> usize {
        while self.0.try_join_next().is_some() {}
        self.0.len()
    }
}

async fn look(person: Person, mut told: Response) -> anyhow::Result<()> {
    while let Some(chunk) = told.chunk().await? {
        if chunk.starts_with(b"event: changed") {
            person.get("/").await?.bytes().await?;
            tokio::time::sleep(PACE).await;
        }
    }
    Ok(())
}

fn cookie(answer: &Response) -> anyhow::Result<String> {
    let set = answer.headers().get("set-cookie").context("no cookie")?;
    let pair = set.to_str()?.split(';').next().context("no cookie")?;
    Ok(pair.to_owned())
}
