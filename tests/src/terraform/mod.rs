//! The real `terraform` with the provider under test: no network, no installed plugins, a folder for each story.

mod fleet;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub use fleet::{Simulated, all_ready, simulated, switched_on};

use crate::Site;
use crate::server::binary;

/// Names the provider, where it is not beside the server.
const PROVIDER_VARIABLE: &str = "THIRDBOOT_PROVIDER_BIN";
/// Names terraform, where it is not in PATH.
const TERRAFORM_VARIABLE: &str = "THIRDBOOT_TERRAFORM";
/// The provider's file name, which Terraform looks for.
const PROVIDER: &str = "terraform-provider-thirdboot";

/// A folder with a configuration and its state.
#[derive(Debug)]
pub struct Folder {
    dir: TempDir,
    environment: Vec<(&'static str, OsString)>,
    terraform: PathBuf,
}

/// What a command said.
#[derive(Debug)]
pub struct Done {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Both of its outputs.
    pub text: String,
}

impl Folder {
    /// A folder whose provider is told of the site's server by its environment.
    ///
    /// # Errors
    /// When terraform or the provider is not here.
    pub async fn of(site: &Site) -> Result<Self> {
        let mut folder = Self::new().await?;
        folder.set("THIRDBOOT_ENDPOINT", &site.server.endpoints.control);
        folder.set("THIRDBOOT_TOKEN", &site.server.admin_token()?);
        Ok(folder)
    }

    /// A folder whose provider is told of no server.
    ///
    /// # Errors
    /// When terraform or the provider is not here.
    pub async fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("thirdboot-terraform-").tempdir()?;
        let overrides = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"thirdboot/thirdboot\" = \"{}\"\n  }}\n  direct {{}}\n}}\n",
            provider().await?.display()
        );
        let settings = folder.path().join("terraformrc");
        fs::write(&settings, overrides)?;
        fs::write(folder.path().join("versions.tf"), VERSIONS)?;
        Ok(Self {
            environment: vec![
                ("TF_CLI_CONFIG_FILE", settings.into()),
                ("CHECKPOINT_DISABLE", "1".into()),
                ("TF_IN_AUTOMATION", "1".into()),
                ("TF_INPUT", "0".into()),
            ],
            terraform: terraform()?,
            dir: folder,
        })
    }

    /// Sets a variable of every command from now on.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.environment.retain(|(set, _)| *set != name);
        self.environment.push((name, value.into()));
    }

    /// Writes the configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, text: &str) -> Result<()> {
        self.write_file("main.tf", text)
    }

    /// Writes a file of the configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_file(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.path().join(name), text)?)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn run(&self, arguments: &[&str]) -> Result<Done> {
        let done = self.command(arguments).output().await.context("terraform")?;
        let text = [&done.stdout[..], &done.stderr[..]].concat();
        Ok(Done {
            code: done.status.code(),
            text: plain(&String::from_utf8_lossy(&text)),
        })
    }

    /// Applies, which must go well. The answer is what was said.
    ///
    /// # Errors
    /// When it does not.
    pub async fn apply(&self) -> Result<String> {
        self.run(&["apply", "-auto-approve", "-no-color"]).await?.succeeded()
    }

    /// Applies, which must go wrong. The answer is what was said.
    ///
    /// # Errors
    /// When it goes well.
    pub async fn apply_fails(&self) -> Result<String> {
        self.run(&["apply", "-auto-approve", "-no-color"]).await?.failed()
    }

    /// Plans, which must go well. The answer is what was said.
    ///
    /// # Errors
    /// When it does not.
    pub async fn plan(&self) -> Result<String> {
        self.run(&["plan", "-no-color"]).await?.succeeded()
    }

    /// Plans, which must go wrong. The answer is what was said.
    ///
    /// # Errors
    /// When it goes well.
    pub async fn plan_fails(&self) -> Result<String> {
        self.run(&["plan", "-no-color"]).await?.failed()
    }

    /// Nothing is left to be done.
    ///
    /// # Errors
    /// When something is.
    pub async fn plan_is_empty(&self) -> Result<()> {
        let done = self.run(&["plan", "-no-color", "-detailed-exitcode"]).await?;
        ensure!(done.code == Some(0), "the plan is not empty: {}", done.text);
        Ok(())
    }

    /// Destroys everything.
    ///
    /// # Errors
    /// When something cannot be destroyed.
    pub async fn destroy(&self) -> Result<String> {
        self.run(&["destroy", "-auto-approve", "-no-color"]).await?.succeeded()
    }

    /// The addresses in the state.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub async fn state(&self) -> Result<Vec<String>> {
        let listed = self.run(&["state", "list"]).await?.succeeded()?;
        let addresses = listed.lines().filter(|line| line.starts_with("thirdboot_"));
        Ok(addresses.map(str::to_owned).collect())
    }

    /// The attributes of a resource in the state, secrets and all.
    ///
    /// # Errors
    /// When there is none of this address.
    pub async fn shown(&self, address: &str) -> Result<Value> {
        let shown = self.run(&["show", "-json"]).await?.succeeded()?;
        let line = shown.lines().find(|line| line.starts_with('{')).context("no state")?;
        let state: Value = serde_json::from_str(line)?;
        let resources = state["values"]["root_module"]["resources"]
            .as_array()
            .context("no resources")?;
        let found = resources.iter().find(|one| one["address"] == address);
        Ok(found.with_context(|| format!("{address} is not in {state}"))?["values"].clone())
    }

    /// Starts an apply in a process group of its own, as a terminal does.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_apply(&self) -> Result<Running> {
        let mut command = self.command(&["apply", "-auto-approve", "-no-color"]);
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Running(command.spawn()?))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.terraform);
        command
            .args(arguments)
            .current_dir(self.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// The head of every configuration.
const VERSIONS: &str =
    "terraform {\n  required_providers {\n    thirdboot = {\n      source = \"thirdboot/thirdboot\"\n    }\n  }\n}\n";

impl Done {
    /// What was said, if it went well.
    ///
    /// # Errors
    /// When it did not.
    pub fn succeeded(self) -> Result<String> {
        ensure!(self.code == Some(0), "it ended with {:?}: {}", self.code, self.text);
        Ok(self.text)
    }

    /// What was said, if it went wrong.
    ///
    /// # Errors
    /// When it went well.
    pub fn failed(self) -> Result<String> {
        ensure!(self.code == Some(1), "it ended with {:?}: {}", self.code, self.text);
        Ok(self.text)
    }
}

/// An apply under way.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Presses Ctrl-C in its terminal: everybody in the process group hears it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn interrupt(&self) -> Result<()> {
        let id = self.0.id().context("it has ended")?;
        let group = Pid::from_raw(i32::try_from(id)?).context("no process")?;
        Ok(kill_process_group(group, Signal::INT)?)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn ended(self) -> Result<Done> {
        let done = self.0.wait_with_output().await?;
        let text = [&done.stdout[..], &done.stderr[..]].concat();
        Ok(Done {
            code: done.status.code(),
            text: plain(&String::from_utf8_lossy(&text)),
        })
    }
}

/// Without the frame that Terraform draws around errors, and with lines that it broke made whole, so that a sentence can
/// be looked for.
fn plain(text: &str) -> String {
    let framed = |line: &str| line.trim_start_matches(['│', '╷', '╵', ' ']).to_owned();
    text.lines()
        .map(|line| {
            if line.starts_with(['│', '╷', '╵']) {
                framed(line)
            } else {
                line.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn terraform() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(TERRAFORM_VARIABLE) {
        return Ok(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("terraform"));
    match found.into_iter().find(|file| file.is_file()) {
        Some(found) => Ok(found),
        None => bail!(
            "no terraform in PATH: these tests run the real one. Get 1.11 or newer from HashiCorp (a single binary), put it \
             into PATH, or name it in {TERRAFORM_VARIABLE}"
        ),
    }
}

/// The folder that the provider is in.
async fn provider() -> Result<PathBuf> {
    let file = match std::env::var_os(PROVIDER_VARIABLE) {
        Some(named) => PathBuf::from(named),
        None => binary::path().await?.with_file_name(PROVIDER),
    };
    ensure!(
        file.is_file(),
        "{} is not there: `cargo build -p thirdboot-terraform-provider` makes it, `tests/run terraform` does that by itself",
        file.display()
    );
    Ok(fs::canonicalize(file.parent().context("no folder")?)?)
}
