//! Logging in, and what the server refuses: each said with its cure.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::Command;

use maintenance_mode::backend::BackendError;
use maintenance_mode::presence::LeaseKind;
use maintenance_mode_conformance::backend_suite::records::{advance, create, expect};
use maintenance_mode_conformance::backend_suite::{Broken, broken};
use maintenance_mode_conformance::server::free_port;
use support::Nats;

/// What is said about a URL that cannot be used, by reading, writing and watching.
async fn refused(nats: &Nats, url: &str) -> String {
    let backend = nats.open_url(url).unwrap();
    let read = backend.load().await.unwrap_err();
    assert!(matches!(read, BackendError::Unavailable { .. }), "{read:?}");
    let write = create(&*backend).await.unwrap_err();
    assert!(
        matches!(write, BackendError::Unavailable { .. }),
        "{write:?}"
    );
    assert!(backend.subscribe().await.is_err());
    assert!(
        backend
            .presence()
            .unwrap()
            .count(LeaseKind::Task, None)
            .await
            .is_err()
    );
    read.to_string()
}

#[tokio::test]
async fn names_and_passwords_are_checked() -> Result<(), Broken> {
    let nats = Nats::configured("authorization { user: app, password: \"s3cr/t@\" }\n");
    let at = format!("127.0.0.1:{}", nats.port());
    let backend = nats.open_url(&format!("nats://app:s3cr%2Ft%40@{at}"))?;
    let state = create(&*backend).await?;
    expect(
        &*nats.open_url(&format!("nats://app:s3cr%2Ft%40@{at},127.0.0.1:1"))?,
        &state,
    )
    .await?;
    assert!(!format!("{backend:?} {}", backend.describe()).contains("s3cr"));
    for user in ["", "app:wrong@", "s3cr3t@"] {
        let said = refused(&nats, &format!("nats://{user}{at}")).await;
        assert!(said.contains("does not let us in"), "{said}");
        assert!(
            !said.contains("wrong") && !said.contains("s3cr3t"),
            "{said}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn tokens_are_checked() -> Result<(), Broken> {
    let nats = Nats::configured("authorization { token: s3cr3t }\n");
    let at = format!("127.0.0.1:{}", nats.port());
    create(&*nats.open_url(&format!("nats://s3cr3t@{at}"))?).await?;
    let said = refused(&nats, &format!("nats://other@{at}")).await;
    assert!(said.contains("the token or `creds` right?"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_missing_credentials_file_is_named() {
    let nats = Nats::new();
    let said = refused(&nats, &nats.url("creds=app.creds")).await;
    assert!(said.contains("app.creds cannot be used"), "{said}");
    assert!(said.contains("nsc generate creds"), "{said}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_missing() {
    let nats = Nats::new();
    let nowhere = format!("nats://127.0.0.1:{}", free_port().unwrap());
    let said = refused(&nats, &nowhere).await;
    assert!(
        said.starts_with(&nowhere) && said.contains("does the server run"),
        "{said}"
    );
    let said = refused(&nats, "nats://no-such-host.invalid:4222").await;
    assert!(said.contains("is the server's name right?"), "{said}");
}

#[tokio::test]
async fn a_server_without_jetstream_is_told_how_to_get_it() {
    let nats = Nats::bare("");
    let said = refused(&nats, &nats.url("")).await;
    assert!(
        said.contains("give the server a `jetstream` block"),
        "{said}"
    );
}

#[tokio::test]
async fn an_account_without_jetstream_is_told_how_to_get_it() -> Result<(), Broken> {
    let nats = Nats::configured(
        "accounts {
            WITH: { jetstream: enabled, users: [{ user: with, password: x }] }
            WITHOUT: { users: [{ user: without, password: x }] }
        }\n",
    );
    let url = |user: &str| format!("nats://{user}:x@127.0.0.1:{}", nats.port());
    create(&*nats.open_url(&url("with"))?).await?;
    let said = refused(&nats, &url("without")).await;
    assert!(said.contains("the account `jetstream: enabled`"), "{said}");
    Ok(())
}

#[tokio::test]
async fn too_many_replicas_are_refused_with_the_cure() {
    let nats = Nats::new();
    let error = create(&*nats.open("replicas=3"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("use `replicas=1`"), "{error}");
}

/// The rights that the crate's page names are enough, and each missing one is named.
#[tokio::test]
async fn missing_rights_are_named() -> Result<(), Broken> {
    let needed =
        "\"$JS.API.STREAM.*.*\", \"$JS.API.STREAM.MSG.*.*\", \"$JS.API.CONSUMER.>\", \"$KV.>\"";
    let nats = Nats::configured(&format!(
        "authorization {{ users: [
            {{ user: whole, password: x, permissions: {{ publish: [{needed}], subscribe: \"_INBOX.>\" }} }}
            {{ user: maker, password: x,
               permissions: {{ publish: {{ deny: \"$JS.API.STREAM.CREATE.>\" }} }} }}
            {{ user: reader, password: x, permissions: {{ publish: {{ deny: \"$KV.>\" }} }} }}
            {{ user: blind, password: x, permissions: {{ publish: {{ deny: \"$JS.API.STREAM.MSG.GET.>\" }} }} }}
            {{ user: deaf, password: x, permissions: {{ subscribe: {{ deny: \"_INBOX.>\" }} }} }}
            {{ user: still, password: x,
               permissions: {{ publish: {{ deny: \"$JS.API.CONSUMER.CREATE.>\" }} }} }}
        ] }}\n"
    ));
    let open = |user: &str| nats.open_url(&format!("nats://{user}:x@127.0.0.1:{}", nats.port()));
    let says = |error: BackendError, text: &str| {
        let said = error.to_string();
        assert!(matches!(error, BackendError::Unavailable { .. }), "{said}");
        assert!(said.contains(text), "{said}");
    };
    let created = create(&*open("maker")?).await.unwrap_err();
    says(
        created,
        "allow this user to publish to `$JS.API.STREAM.CREATE.KV_maintenance-mode`",
    );

    let whole = open("whole")?;
    let state = create(&*whole).await?;
    let mut hints = whole.subscribe().await?;
    let state = advance(&*whole, &state).await?;
    assert_eq!(hints.next().await, Some(()));
    let presence = whole.presence()?;
    assert_eq!(presence.count(LeaseKind::Task, None).await?, 0);

    // Whoever may not make a bucket may use one.
    let state = advance(&*open("maker")?, &state).await?;
    let reader = open("reader")?;
    expect(&*reader, &state).await?;
    let written = advance(&*reader, &state).await.unwrap_err();
    says(
        written,
        "allow this user to publish to `$KV.maintenance-mode.state`",
    );
    let began = std::time::Instant::now();
    let read = open("blind")?.load().await.unwrap_err();
    says(
        read,
        "allow this user to publish to `$JS.API.STREAM.MSG.GET.KV_maintenance-mode`",
    );
    let read = open("deaf")?.load().await.unwrap_err();
    says(read, "allow this user to subscribe to `_INBOX.>`");
    let Err(watch) = open("still")?.subscribe().await else {
        return Err(broken("a watch without the right to it"));
    };
    says(
        watch,
        "allow this user to publish to `$JS.API.CONSUMER.CREATE.KV_maintenance-mode.",
    );
    assert!(
        began.elapsed().as_secs() < 2,
        "a refusal is waited for like a silence"
    );
    Ok(())
}

#[tokio::test]
async fn tls_is_used_and_its_certificate_checked() -> Result<(), Broken> {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .current_dir(folder.path())
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args([
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let at = |name: &str| folder.path().join(name).display().to_string();
    let config = format!(
        "jetstream {{ store_dir: \"{}\" }}\ntls {{ cert_file: \"{}\", key_file: \"{}\" }}\n",
        at("store"),
        at("cert.pem"),
        at("key.pem")
    );
    let nats = Nats::exactly(folder, &config);
    let url = |scheme: &str, more: &str| format!("{scheme}://localhost:{}?{more}", nats.port());
    let state = create(&*nats.open_url(&url("tls+nats", "ca=cert.pem"))?).await?;
    // A server that requires TLS gets it in any case.
    expect(&*nats.open_url(&url("nats", "ca=cert.pem"))?, &state).await?;
    let said = refused(&nats, &url("tls+nats", "")).await;
    assert!(said.contains("certificate"), "{said}");
    let said = refused(&nats, &url("tls+nats", "ca=key.pem")).await;
    assert!(said.contains("`ca` names a PEM file"), "{said}");
    let said = refused(&nats, &url("tls+nats", "ca=none.pem")).await;
    assert!(said.contains("none.pem cannot be used"), "{said}");

    let plain = Nats::new();
    let said = refused(
        &plain,
        &format!(
            "tls+nats://localhost:{}?ca={}",
            plain.port(),
            at_nats(&nats)
        ),
    )
    .await;
    assert!(said.contains("TLS") || said.contains("tls"), "{said}");
    Ok(())
}

fn at_nats(nats: &Nats) -> String {
    nats.path("cert.pem").display().to_string()
}
