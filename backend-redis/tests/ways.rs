//! Every way to a server: TLS, a socket, Sentinel; and what is warned of on the way.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use maintenance_mode_conformance::backend_suite::records::{advance, create, expect};
use maintenance_mode_conformance::backend_suite::{Broken, broken};
use maintenance_mode_conformance::log::Log;
use maintenance_mode_conformance::server::{Server, free_port};
use support::{Redis, ask, open};

fn openssl(folder: &Path, words: &str) {
    let mut command = Command::new("openssl");
    let done = command
        .args(words.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{words}: {done:?}");
}

/// An authority, and a certificate of it for this machine.
fn certificates(folder: &Path) {
    openssl(
        folder,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test",
    );
    openssl(
        folder,
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out request.pem -subj /CN=localhost",
    );
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl(
        folder,
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile names",
    );
}

#[tokio::test]
async fn tls_checks_the_server_and_shows_a_certificate() -> Result<(), Broken> {
    let folder = tempfile::tempdir()?;
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let port = free_port()?;
    let _server = Redis::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &file("cert.pem"),
        "--tls-key-file",
        &file("key.pem"),
        "--tls-ca-cert-file",
        &file("ca.pem"),
    ])?;
    let (ca, cert, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
    let good = format!("rediss://localhost:{port}/?ca={ca}&cert={cert}&cert_key={key}");
    let backend = open(&good)?;
    let mut hints = backend.subscribe().await?;
    let state = create(&*backend).await?;
    expect(&*backend, &state).await?;
    let hinted = tokio::time::timeout(Duration::from_secs(1), hints.next());
    assert_eq!(hinted.await.unwrap(), Some(()));
    for bad in [
        // The authority is not one that this machine trusts.
        format!("rediss://localhost:{port}/"),
        // The certificate is for another name.
        good.replace("localhost", "127.0.0.1"),
        // The server asks for a certificate.
        format!("rediss://localhost:{port}/?ca={ca}"),
    ] {
        let error = open(&bad)?.load().await.unwrap_err().to_string();
        assert!(!error.contains("within"), "{bad} is not told: {error}");
    }
    let insecure = open(&format!("rediss://localhost:{port}/#insecure"));
    let error = insecure.unwrap_err().to_string();
    assert!(error.contains("certificates are always checked"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_socket_is_a_way_too() -> Result<(), Broken> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("redis.sock").display().to_string();
    let redis = Redis::start(&["--unixsocket", &socket])?;
    let state = create(&*open(&format!("unix://{socket}?db=3"))?).await?;
    let same = open(&format!("redis://127.0.0.1:{}/3", redis.port()))?;
    expect(&*same, &state).await?;
    let missing = open(&format!("unix://{socket}.missing"))?.load().await;
    let error = missing.unwrap_err().to_string();
    assert!(error.contains("nothing listens there"), "{error}");
    Ok(())
}

fn start_sentinel(folder: &Path, port: u16, primary: u16) -> Result<Server, Broken> {
    let settings = format!(
        "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {primary} 1\n\
         sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
    );
    let file = folder.join("sentinel.conf");
    std::fs::write(&file, settings)?;
    let mut command = Command::new("redis-server");
    command.arg(&file).arg("--sentinel");
    Server::start(&mut command, &folder.join("log"), || {
        ask(port, &["PING"]).is_ok()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinel_names_the_primary_also_after_its_death() -> Result<(), Broken> {
    let primary = Redis::start(&[])?;
    let replica = Redis::start(&["--replicaof", "127.0.0.1", &primary.port().to_string()])?;
    let (folder, port) = (tempfile::tempdir()?, free_port()?);
    let _sentinel = start_sentinel(folder.path(), port, primary.port())?;
    let url = format!("redis://127.0.0.1:{port}/?sentinel=main");
    let backend = open(&url)?;
    let state = create(&*backend).await?;
    expect(&*primary.open("")?, &state).await?;
    let unknown = open(&url.replace("main", "other"))?.load().await;
    let error = unknown.unwrap_err().to_string();
    assert!(error.contains("no Sentinel knows a primary"), "{error}");
    // The Sentinel has to have found the replica, and the replica has to have the record.
    let began = Instant::now();
    let known = |text: &str| text.contains(&replica.port().to_string());
    while !known(&format!(
        "{:?}",
        ask(port, &["SENTINEL", "REPLICAS", "main"])?
    )) || !matches!(replica.open("")?.load().await, Ok(Some(_)))
    {
        if began.elapsed() > Duration::from_secs(25) {
            return Err(broken("the Sentinel does not find the replica"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    primary.kill()?;
    let died = Instant::now();
    let state = loop {
        let present = backend.load().await;
        if let Ok(Some(present)) = &present
            && let Ok(next) = advance(&*backend, present).await
        {
            break next;
        }
        if died.elapsed() > Duration::from_secs(30) {
            return Err(broken(format!("no primary is found: {present:?}")));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    expect(&*replica.open("")?, &state).await
}

#[tokio::test]
async fn a_server_that_evicts_is_warned_of_once() -> Result<(), Broken> {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.writer())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let evicting = Redis::start(&["--maxmemory-policy", "allkeys-lru"])?;
    let backend = evicting.open("")?;
    backend.load().await?;
    evicting.kill()?;
    assert!(backend.load().await.is_err());
    evicting.start_again()?;
    backend.load().await?;
    let text = log.text();
    assert_eq!(
        text.matches("`maxmemory-policy` is `allkeys-lru`").count(),
        1,
        "{text}"
    );

    // Keys without an end are never evicted by this one; and a server may refuse to say.
    let quiet = Redis::start(&["--maxmemory-policy", "volatile-lru"])?;
    quiet.open("")?.load().await?;
    quiet.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])?;
    quiet.command(&["ACL", "SETUSER", "default", "-config", "-role"])?;
    quiet.open("")?.load().await?;
    assert_eq!(log.text(), text);
    Ok(())
}
