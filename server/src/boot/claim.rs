//! `POST /v1/claim`: "may I write this disk?"

use axum::Json as Answered;
use axum::extract::State;
use axum::http::HeaderMap;
use thirdboot_api::boot::{ClaimBody, DiskBody, GrantAnswer};
use thirdboot_lifecycle::{Claim, Disk, Previous, RunNumber, SecretKind};
use thirdboot_store::{Answer as Stored, Submission, SubmitError};

use super::Json;
use super::bearer::Speaker;
use super::facts;
use crate::App;
use crate::problem::{Answer, Failure};

pub(super) async fn claim(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Json<ClaimBody>, Failure>,
) -> Answer<Answered<GrantAnswer>> {
    let speaker = Speaker::of(&app, &headers, &[SecretKind::Live]).await?;
    let Json(body) = body?;
    speaker.speaks_of(body.run)?;
    let claim = read(body)?;
    let disk = claim.disk.label();
    let host = &speaker.state.host.name;
    match app.store.submit(speaker.state.id, Submission::Claim(Box::new(claim))).await {
        Ok(Stored::Granted(grant)) => {
            tracing::info!(%host, run = %speaker.run, %disk, attempt = grant.attempt, of = grant.of, "claim granted");
            Ok(Answered(GrantAnswer {
                granted: true,
                attempt: grant.attempt,
                of: grant.of,
            }))
        }
        Ok(other) => Err(Failure::internal(format!("a claim was answered with {other:?}"))),
        Err(error) => {
            if let SubmitError::ClaimRefused(why) = &error {
                tracing::warn!(%host, run = %speaker.run, %disk, %why, "claim refused");
            }
            Err(error.into())
        }
    }
}

fn read(body: ClaimBody) -> Result<Claim, Failure> {
    let disks = body
        .disks
        .into_iter()
        .enumerate()
        .map(|(at, disk)| read_disk(disk, &format!("disks[{at}]")))
        .collect::<Result<_, _>>()?;
    Ok(Claim {
        run: RunNumber(body.run),
        boot_id: facts::boot_id(&body.boot_id)?,
        identity: facts::identity(&body.macs, body.dmi.serial.as_deref(), body.dmi.uuid.as_deref(), "macs")?,
        disk: read_disk(body.disk, "disk")?,
        disks,
    })
}

fn read_disk(body: DiskBody, field: &str) -> Result<Disk, Failure> {
    if body.path.is_empty() {
        return Err(Failure::field(format!("{field}.path"), "expected the disk's path"));
    }
    let previous = body
        .previous
        .map(|previous| {
            let host = previous.host.parse();
            let host = host.map_err(|error| facts::field(&format!("{field}.previous.host"), &error))?;
            Ok::<_, Failure>(Previous {
                host,
                run: RunNumber(previous.run),
            })
        })
        .transpose()?;
    Ok(Disk {
        path: body.path,
        links: body.links,
        serial: stated(body.serial),
        wwn: stated(body.wwn),
        model: stated(body.model),
        size_bytes: body.size_bytes,
        holds: body.holds,
        previous,
        removable: body.removable,
        read_only: body.read_only,
    })
}

/// Tools print an empty string for what a disk does not have; two such disks are not the same disk.
fn stated(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
