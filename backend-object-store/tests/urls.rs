//! Opening by URL, which connects to nobody.
#![cfg(all(feature = "aws", feature = "azure", feature = "gcp"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use maintenance_mode::backend::{BackendRegistry, BackendUrl, StateBackend, open_builtin};
use maintenance_mode_object_store::{open_with, register};

/// What `describe` or the error says.
fn opened(url: &str, variables: &[(&str, &str)]) -> Result<String, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let backend = open_with(&url.parse().unwrap(), variables);
    backend
        .map(|backend| backend.describe())
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn each_cloud_is_opened_with_the_variables_of_its_tools() {
    for (url, variables) in [
        (
            "s3://b/k?region=eu-west-1",
            vec![("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")],
        ),
        ("s3://b/k?virtual_hosted=true", vec![]),
        ("gs://b/k", vec![]),
        (
            "gs://b/k?endpoint=http://127.0.0.1:1&allow_http=true",
            vec![],
        ),
        (
            "az://b/k",
            vec![
                ("AZURE_STORAGE_ACCOUNT_NAME", "a"),
                ("AZURE_STORAGE_ACCOUNT_KEY", "YQ=="),
            ],
        ),
        (
            "az://b/k?account=a",
            vec![("AZURE_STORAGE_ACCOUNT_KEY", "YQ==")],
        ),
    ] {
        assert_eq!(opened(url, &variables), Ok(url.to_owned()));
    }
}

#[test]
fn what_is_missing_is_named() {
    let error = opened("az://b/k", &[]).unwrap_err();
    assert!(error.to_lowercase().contains("account"), "{error}");
    let error = opened(
        "gs://b/k",
        &[("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/x")],
    );
    assert!(
        error.as_ref().unwrap_err().contains("/nowhere/x"),
        "{error:?}"
    );
    let error = opened("gs://b/k?region=x", &[]).unwrap_err();
    assert!(
        error.contains("`region` is not a parameter of `gs:`"),
        "{error}"
    );
    let error = opened("redis://h", &[]).unwrap_err();
    assert!(error.contains("knows s3, az, gs"), "{error}");
}

#[tokio::test]
async fn the_schemes_that_the_engine_points_here_for_are_those_that_are_registered() {
    let mut registry = BackendRegistry::empty();
    register(&mut registry);
    assert_eq!(registry.schemes().collect::<Vec<_>>(), ["az", "gs", "s3"]);
    for scheme in ["s3", "gs", "az"] {
        let url: BackendUrl = format!("{scheme}://b/k").parse().unwrap();
        let error = open_builtin(&url, Path::new(".")).unwrap_err().to_string();
        assert!(error.contains("maintenance-mode-object-store"), "{error}");
    }
}
