//! The order of stages.

use thirdboot_api::StageName;

/// Whether a run in this stage is where it is waited for, or beyond. One that failed or was cancelled is not.
pub(super) fn is_reached(stage: &StageName, wanted: &str) -> bool {
    let place = |stage: &StageName| StageName::KNOWN.iter().position(|known| known == stage);
    if matches!(stage, StageName::Failed | StageName::Cancelled) {
        return false;
    }
    match (place(stage), place(&wanted.into())) {
        (Some(here), Some(there)) => here >= there,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_is_there_and_a_failure_is_not() {
        for (stage, wanted, is_there) in [
            ("ready", "ready", true),
            ("ready", "armed", true),
            ("installing", "ready", false),
            ("failed", "armed", false),
            ("thawing", "armed", false),
        ] {
            assert_eq!(is_reached(&stage.into(), wanted), is_there, "{stage} {wanted}");
        }
    }
}
