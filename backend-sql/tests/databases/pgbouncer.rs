//! PgBouncer between the backend and PostgreSQL: in transaction mode it swallows LISTEN, and that is found out.

use std::fs;
use std::net::TcpStream;
use std::time::Duration;

use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::backend_suite::records::{advance, create, expect};
use maintenance_mode_conformance::server::{Server, free_port};

use crate::postgres::open;
use maintenance_mode_conformance::databases::{PASSWORD, Postgres, unprivileged};

/// PgBouncer in this mode, and its port.
fn bouncer(server: &Postgres, mode: &str) -> Result<(Server, u16), Broken> {
    let port = free_port()?;
    let folder = server.folder().join(mode);
    fs::create_dir(&folder)?;
    let users = folder.join("users");
    fs::write(&users, format!("\"postgres\" \"{PASSWORD}\"\n"))?;
    let settings = folder.join("pgbouncer.ini");
    fs::write(
        &settings,
        format!(
            "[databases]\npostgres = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = {mode}\n",
            server.port(),
            users.display()
        ),
    )?;
    let mut command = unprivileged("pgbouncer");
    command.arg(&settings);
    let answers = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    let bouncer = Server::start(&mut command, &folder.join("log"), answers)?;
    Ok((bouncer, port))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_swallows_listen_is_found_out() -> Result<(), Broken> {
    let server = Postgres::new()?;
    let (_bouncer, port) = bouncer(&server, "transaction")?;
    let url = format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres");
    let (one, other) = (open(&url), open(&url));
    // Everything else works, on connections that change under it.
    let mut state = create(&*one).await?;
    for _ in 0..20 {
        state = advance(&*one, &state).await?;
        expect(&*other, &state).await?;
    }
    let error = one.subscribe().await.unwrap_err().to_string();
    for word in [
        "LISTEN was accepted and a NOTIFY",
        "transaction mode",
        "polling",
    ] {
        assert!(error.contains(word), "no `{word}` in: {error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_session_mode_may_be_used() -> Result<(), Broken> {
    let server = Postgres::new()?;
    let (_bouncer, port) = bouncer(&server, "session")?;
    let url = format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres");
    let (one, other) = (open(&url), open(&url));
    let state = create(&*one).await?;
    let mut hints = other.subscribe().await?;
    advance(&*one, &state).await?;
    let hint = tokio::time::timeout(Duration::from_secs(1), hints.next()).await;
    assert_eq!(hint.ok().flatten(), Some(()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_died_in_silence_is_found_out() -> Result<(), Broken> {
    let server = Postgres::new()?;
    let (bouncer, port) = bouncer(&server, "session")?;
    let url = format!(
        "postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres?probe_interval=500ms&timeout=1s"
    );
    let backend = open(&url);
    let mut hints = backend.subscribe().await?;
    // Nothing is closed and nothing is answered.
    bouncer.signal("STOP")?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    bouncer.signal("CONT")?;
    let end = tokio::time::timeout(Duration::from_secs(8), hints.next()).await;
    assert_eq!(end.ok(), Some(None), "the subscription does not end");
    Ok(())
}
