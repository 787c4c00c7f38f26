//! `thirdboot host edit`: a description in an editor.

use std::path::Path;
use std::process::Command;

use thirdboot_api::control::HostSpec;

use super::changed;
use crate::cli::{Connection, Failure};

/// Opens the description in an editor, and takes what comes back.
pub(super) async fn edit(connection: &Connection, name: &str) -> Result<(), Failure> {
    let client = connection.client()?;
    let before = client.host(name).await?;
    let text = serde_saphyr::to_string(&changed::described(&before)?).map_err(anyhow::Error::from)?;
    let mut file = tempfile::Builder::new()
        .prefix("thirdboot-")
        .suffix(".yaml")
        .tempfile()
        .map_err(anyhow::Error::from)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(anyhow::Error::from)?;
    open(file.path())?;
    let edited = std::fs::read_to_string(file.path()).map_err(anyhow::Error::from)?;
    let taken = async {
        let spec: HostSpec = serde_saphyr::from_str(&edited).map_err(|error| Failure::Usage(error.to_string()))?;
        if spec.name != name {
            return Err(Failure::Usage(format!("name: a host keeps its name, expected {name}")));
        }
        match client.replace_host(name, &spec, &before.etag).await {
            Ok(after) => changed::print(connection, &before, &after),
            Err(error) => Err(changed::refused(&client, &before, &before.etag, error).await),
        }
    };
    taken.await.inspect_err(|_| {
        // What somebody typed is not lost with the mistake in it.
        if let Ok((_, path)) = file.keep() {
            eprintln!(
                "thirdboot: nothing was changed; what you wrote is in {}",
                path.display()
            );
        }
    })
}

/// As git does it: the variable may hold arguments.
fn open(file: &Path) -> Result<(), Failure> {
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(crate::cli::connection::variable);
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "thirdboot"])
        .arg(file)
        .status()
        .map_err(|error| Failure::Usage(format!("{editor} cannot be started: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{editor} ended with {status}: nothing was changed"
    )))
}
