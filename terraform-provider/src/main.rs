//! `terraform-provider-thirdboot`: started by Terraform, not by people.

use std::process::ExitCode;

use thirdboot_terraform_plugin::serve;
use thirdboot_terraform_provider::Thirdboot;

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Thirdboot::default()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("terraform-provider-thirdboot: {error}");
            ExitCode::FAILURE
        }
    }
}
