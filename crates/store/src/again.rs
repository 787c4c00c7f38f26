//! The same report again is answered as the first time.

use thirdboot_lifecycle::{EventKind, Refused};

use crate::{Answer, ReportAnswer, Submission, SubmitError};

impl ReportAnswer {
    /// The kept answer, for the same report again.
    ///
    /// # Errors
    /// The refusal, if it was refused.
    pub fn again(&self, submission: &Submission) -> Result<Answer, SubmitError> {
        match self {
            Self::Recorded { stage } => Ok(Answer::Recorded(*stage)),
            Self::Refused {
                stage,
                why,
                expected,
                over,
            } => Err(Refused {
                event: match submission {
                    Submission::Report { report, .. } => report.said.kind().as_str(),
                    _ => "report",
                },
                stage: *stage,
                why: why.clone(),
                // A name that this version has no more is nothing to wait for.
                expected: EventKind::ALL
                    .into_iter()
                    .map(EventKind::as_str)
                    .filter(|name| expected.iter().any(|kept| kept == name))
                    .collect(),
                over: *over,
            }
            .into()),
        }
    }
}
