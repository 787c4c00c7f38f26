//! Debian's chromium by its chromium-driver, with what a person does as verbs.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdboot_tests::{bound, wait};
use thirtyfour::prelude::*;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

/// Outer bound of everything that a page is waited for.
const LIMIT: Duration = Duration::from_secs(60);
/// Nothing on a page is further away by keyboard.
const MAX_TABS: usize = 60;
/// For a machine without network, and a browser that phones nobody.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// Whether pages may run their script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    On,
    Off,
}

/// A browser with an empty profile.
pub(crate) struct Browser {
    driver: WebDriver,
    base: String,
    // Ended when it is dropped.
    _chromedriver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Opens one for the pages at `base`.
    pub(crate) async fn open(base: &str, script: Script) -> Result<Self> {
        let (chromedriver, url) = chromedriver().await?;
        let profile = tempfile::Builder::new().prefix("thirdboot-chromium-").tempdir()?;
        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_binary("/usr/bin/chromium")?;
        for flag in FLAGS {
            capabilities.add_arg(flag)?;
        }
        capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        capabilities.add_arg("--window-size=1280,900")?;
        if script == Script::Off {
            let blocked = json!({"profile.managed_default_content_settings.javascript": 2});
            capabilities.add_experimental_option("prefs", blocked)?;
        }
        let driver = WebDriver::new(url, capabilities).await.context("chromium")?;
        Ok(Self {
            driver,
            base: base.to_owned(),
            _chromedriver: chromedriver,
            _profile: profile,
        })
    }

    pub(crate) async fn go(&self, path: &str) -> Result<()> {
        self.driver.goto(format!("{}{path}", self.base)).await?;
        Ok(())
    }

    /// The path of the page that is shown.
    pub(crate) async fn path(&self) -> Result<String> {
        let url = self.driver.current_url().await?;
        let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
        Ok(format!("{}{query}", url.path()))
    }

    pub(crate) async fn text(&self, css: &str) -> Result<String> {
        let element = self.driver.find(By::Css(css)).await;
        Ok(element.with_context(|| css.to_owned())?.text().await?)
    }

    pub(crate) async fn value(&self, css: &str) -> Result<String> {
        let element = self.driver.find(By::Css(css)).await?;
        Ok(element.value().await?.unwrap_or_default())
    }

    pub(crate) async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let element = self.driver.find(By::Css(css)).await.with_context(|| css.to_owned())?;
        element.clear().await?;
        element.send_keys(text).await?;
        Ok(())
    }

    pub(crate) async fn click(&self, css: &str) -> Result<()> {
        let element = self.driver.find(By::Css(css)).await.with_context(|| css.to_owned())?;
        element.scroll_into_view().await.ok();
        element.click().await.with_context(|| css.to_owned())?;
        Ok(())
    }

    /// Text of what has the focus.
    pub(crate) async fn focused(&self) -> Result<String> {
        Ok(self.driver.active_element().await?.text().await?)
    }

    /// Goes from one thing to the next by the tab key until the focus is on this text.
    pub(crate) async fn tab_to(&self, wanted: &str) -> Result<()> {
        for _ in 0..MAX_TABS {
            self.press("\t").await?;
            if self.focused().await? == wanted {
                return Ok(());
            }
        }
        bail!("{wanted:?} cannot be reached by keyboard")
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) -> Result<()> {
        self.driver.active_element().await?.send_keys(keys).await?;
        Ok(())
    }

    /// Waits until the text of an element has `wanted` in it. The page may be put together anew meanwhile.
    pub(crate) async fn until(&self, css: &str, wanted: &str) -> Result<String> {
        let mut last = String::new();
        let found = wait::until(wanted, LIMIT, async || {
            last = self.text(css).await.unwrap_or_default();
            Ok(last.contains(wanted).then(|| last.clone()))
        });
        match found.await {
            Ok(text) => Ok(text),
            Err(error) => bail!("{error}; {css} says {last:?}"),
        }
    }

    /// Runs a test's own script in the page.
    pub(crate) async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.driver.execute(script, Vec::new()).await?.json().clone())
    }

    /// The same for a script that calls its last argument when it is done.
    pub(crate) async fn run_to_end(&self, script: &str) -> Result<Value> {
        Ok(self.driver.execute_async(script, Vec::new()).await?.json().clone())
    }

    /// A command to the browser's developer tools.
    pub(crate) async fn tools(&self, command: &str, parameters: Value) -> Result<Value> {
        Ok(self.driver.cdp().send_raw(command, parameters).await?)
    }

    pub(crate) async fn close(self) -> Result<()> {
        self.driver.quit().await?;
        Ok(())
    }
}

/// A chromium-driver on a port that it chose itself.
async fn chromedriver() -> Result<(Child, String)> {
    let mut child = bound::command("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("chromedriver: install chromium-driver")?;
    let mut lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, port)) = line.rsplit_once("successfully on port ") {
            let port = port.trim_end_matches('.');
            // It must never wait for a reader.
            let url = format!("http://127.0.0.1:{port}");
            tokio::spawn(async move { while matches!(lines.next_line().await, Ok(Some(_))) {} });
            return Ok((child, url));
        }
    }
    bail!("chromedriver did not say where it listens")
}
