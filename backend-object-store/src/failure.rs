//! What is wrong, in words that name the cure.

use object_store::Error;

use crate::trace::{Answer, End, Notes};

/// How a request to the store failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The object is not there.
    Missing,
    /// The condition of a write does not hold: nothing was stored.
    Changed,
    /// The copy that is known here is the present one.
    NotModified,
    /// Several writes at the same time; the store refused this one and asks for another try.
    Busy,
    /// Anything else.
    Trouble(Trouble),
}

/// A failure that says nothing about the object.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) what: String,
    /// A write may have been stored all the same.
    pub(crate) doubtful: bool,
    /// Trying again soon may help.
    pub(crate) passing: bool,
    pub(crate) source: Option<Error>,
}

impl Trouble {
    pub(crate) fn certain(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            doubtful: false,
            passing: false,
            source: None,
        }
    }
}

/// What a request was that found no end within its time.
pub(crate) fn timed_out(notes: &Notes, seconds: f64) -> Failure {
    let what = if notes.sent {
        format!("no whole answer within {seconds} s")
    } else {
        format!(
            "no credentials within {seconds} s; set them in the environment, or run where the cloud's metadata \
             service answers"
        )
    };
    Failure::Trouble(Trouble {
        what,
        doubtful: notes.sent,
        passing: true,
        source: None,
    })
}

/// What the client's error means.
pub(crate) fn explain(error: Error, notes: &Notes) -> Failure {
    match &notes.end {
        Some(End::Answered(answer)) if answer.status >= 300 => answered(error, answer),
        // A good head, and a body that did not come whole.
        Some(End::Answered(_)) => lost("the answer was cut off", error),
        Some(End::Lost(why)) => lost(
            &format!("the connection was lost before an answer came ({why})"),
            error,
        ),
        Some(End::NoConnection(why)) => Failure::Trouble(Trouble {
            what: format!(
                "cannot be reached ({why}); check `endpoint`, `region` and the network's way there"
            ),
            doubtful: false,
            passing: true,
            source: Some(error),
        }),
        None => by_kind(error),
    }
}

fn lost(what: &str, error: Error) -> Failure {
    Failure::Trouble(Trouble {
        what: what.to_owned(),
        doubtful: true,
        passing: true,
        source: Some(error),
    })
}

/// Without an answer of a server: a store in memory or in a folder, or no credentials.
fn by_kind(error: Error) -> Failure {
    match error {
        Error::NotFound { .. } => Failure::Missing,
        Error::NotModified { .. } => Failure::NotModified,
        Error::Precondition { .. } | Error::AlreadyExists { .. } => Failure::Changed,
        Error::NotImplemented { operation, .. } => Failure::Trouble(Trouble::certain(format!(
            "cannot do {operation}; a store that can write under a condition is needed"
        ))),
        error => {
            let text = error.to_string();
            let credentials = ["169.254.", "metadata", "credential", "token"];
            let what = if credentials.iter().any(|word| text.contains(word)) {
                "there are no credentials; set them in the environment as the cloud's own tools read them, or give \
                 this machine a role"
                    .to_owned()
            } else {
                format!("the store failed: {text}")
            };
            Failure::Trouble(Trouble {
                what,
                doubtful: false,
                passing: false,
                source: Some(error),
            })
        }
    }
}

/// What the answer of a server means. Status and code stand in S3's "Error responses", in Google's XML API
/// reference and in Azure's "Blob service error codes".
fn answered(error: Error, answer: &Answer) -> Failure {
    let code = answer.code.as_deref().unwrap_or_default();
    match (answer.status, code) {
        (304, _) => return Failure::NotModified,
        (412, _) | (409, "BlobAlreadyExists") | (404, "NoSuchKey" | "BlobNotFound") => {
            return if answer.status == 404 {
                Failure::Missing
            } else {
                Failure::Changed
            };
        }
        (409, "ConditionalRequestConflict" | "OperationAborted" | "") => return Failure::Busy,
        _ => {}
    }
    let passing = answer.status >= 500 || matches!(answer.status, 408 | 429);
    Failure::Trouble(Trouble {
        what: sentence(answer, code),
        // 501 is a refusal; behind the other 5xx the store or a proxy may have gone on.
        doubtful: (answer.status >= 500 && answer.status != 501) || answer.status == 408,
        passing,
        source: Some(error),
    })
}

fn sentence(answer: &Answer, code: &str) -> String {
    let said = match (code, &answer.message) {
        ("", None) => format!("status {}", answer.status),
        ("", Some(message)) => format!("status {}: {message}", answer.status),
        (code, None) => code.to_owned(),
        (code, Some(message)) => format!("{code}: {message}"),
    };
    let cure = cure(answer, code);
    if cure.is_empty() {
        format!("the store answers {said}")
    } else {
        format!("{cure} (the store answers {said})")
    }
}

fn cure(answer: &Answer, code: &str) -> String {
    match (code, answer.status) {
        ("NoSuchBucket" | "ContainerNotFound", _) => {
            "the bucket does not exist; create it, or correct the URL".to_owned()
        }
        ("RequestTimeTooSkewed" | "RequestExpired", _) => format!(
            "this machine's clock is wrong{}; set it, best by NTP",
            answer
                .date
                .as_ref()
                .map_or(String::new(), |date| format!(", the store's says {date}"))
        ),
        (
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "InvalidToken"
            | "AuthenticationFailed"
            | "InvalidSecurity"
            | "NoAuthenticationInformation",
            _,
        )
        | (_, 401) => "the credentials are not accepted; correct them in the environment".to_owned(),
        ("PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", _)
        | (_, 301 | 302 | 307 | 308) => match &answer.region {
            Some(region) => format!("the bucket is in another region; write `region={region}`"),
            None => "the bucket is elsewhere; correct `region` and `endpoint`".to_owned(),
        },
        ("AccountIsDisabled" | "AllAccessDisabled", _) => "the account is disabled".to_owned(),
        (_, 403) => "access is denied; the credentials need to read and write the key and the keys that begin with \
                     it, and, on S3, s3:ListBucket, without which a key that does not exist is answered so too"
            .to_owned(),
        (_, 404) => "this is no object store's answer; correct `endpoint`".to_owned(),
        ("SlowDown" | "ServerBusy", _) | (_, 429 | 503) => {
            "the store is too busy; try again".to_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(status: u16, code: &str, region: Option<&str>) -> Failure {
        let answer = Answer {
            status,
            code: Some(code.to_owned()).filter(|code| !code.is_empty()),
            region: region.map(str::to_owned),
            ..Answer::default()
        };
        let error = Error::Generic {
            store: "test",
            source: "x".into(),
        };
        let notes = Notes {
            sent: true,
            end: Some(End::Answered(answer)),
        };
        explain(error, &notes)
    }

    #[test]
    fn a_missing_object_is_not_a_missing_bucket_nor_a_strangers_404() {
        assert!(matches!(what(404, "NoSuchKey", None), Failure::Missing));
        assert!(matches!(what(404, "BlobNotFound", None), Failure::Missing));
        for (code, says) in [
            ("NoSuchBucket", "create it"),
            ("ContainerNotFound", "create it"),
            ("", "`endpoint`"),
        ] {
            match what(404, code, None) {
                Failure::Trouble(trouble) => {
                    assert!(trouble.what.contains(says), "{}", trouble.what);
                    assert!(!trouble.doubtful);
                }
                other => panic!("{code}: {other:?}"),
            }
        }
    }

    #[test]
    fn each_trouble_names_its_cure_and_its_doubt() {
        for (status, code, region, says, doubtful) in [
            (403, "AccessDenied", None, "s3:ListBucket", false),
            (403, "RequestTimeTooSkewed", None, "clock is wrong", false),
            (
                403,
                "SignatureDoesNotMatch",
                None,
                "credentials are not accepted",
                false,
            ),
            (401, "", None, "credentials are not accepted", false),
            (301, "", Some("eu-west-1"), "region=eu-west-1", false),
            (
                400,
                "AuthorizationHeaderMalformed",
                Some("eu-west-1"),
                "region=eu-west-1",
                false,
            ),
            (307, "", None, "`region`", false),
            (503, "SlowDown", None, "too busy", true),
            (500, "InternalError", None, "InternalError", true),
            (501, "NotImplemented", None, "NotImplemented", false),
        ] {
            match what(status, code, region) {
                Failure::Trouble(trouble) => {
                    assert!(trouble.what.contains(says), "{code}: {}", trouble.what);
                    assert_eq!(trouble.doubtful, doubtful, "{code}");
                }
                other => panic!("{code}: {other:?}"),
            }
        }
    }

    #[test]
    fn refused_conditions_and_busy_stores() {
        assert!(matches!(
            what(412, "PreconditionFailed", None),
            Failure::Changed
        ));
        assert!(matches!(
            what(409, "BlobAlreadyExists", None),
            Failure::Changed
        ));
        assert!(matches!(
            what(409, "ConditionalRequestConflict", None),
            Failure::Busy
        ));
        assert!(matches!(what(304, "", None), Failure::NotModified));
    }
}
