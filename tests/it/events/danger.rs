//! What must not happen: reaching what nobody should reach, leaking, losing.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use identity_center::{
    app::App,
    clock::Clock,
    event::{self, Access, Guard, MAX_ENDPOINTS},
    id::SpaceId,
    saml::certificate::SigningKey,
    secret::Sealer,
    store::sql,
};
use openssl::ssl::{Ssl, SslAcceptor, SslMethod};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Push, Receiver, Reply, courier_with, wish};
use crate::{
    house::{BEGIN, Database},
    in_both_worlds,
    world::{World, settings},
};

/// Whether anybody connects within a moment.
async fn is_connected_to(listener: &TcpListener) -> bool {
    tokio::time::timeout(Duration::from_millis(300), listener.accept()).await.is_ok()
}

async fn last_error(world: &World, endpoint: &event::Endpoint) -> String {
    world.deliveries(endpoint.id).await[0].error.clone().unwrap()
}

in_both_worlds! {
    async fn addresses_of_this_machine_are_not_connected_to(world) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // The world's guard allows these; the courier of an installation without the setting
        // does not, whatever the name was when the endpoint was made.
        for host in ["localhost", "127.0.0.1"] {
            let (endpoint, _) = world.listen(&wish(&format!("https://{host}:{port}/"), false)).await;
            let (plain, _) = world.listen(&wish(&format!("http://{host}:{port}/"), false)).await;
            world.user(&format!("user-{host}")).await;
            courier_with(&world.app, Guard::default()).run_all_due().await.unwrap();
            for endpoint in [endpoint, plain] {
                let reason = last_error(world, &endpoint).await;
                assert!(reason.contains("network that events are not sent to"), "{reason}");
            }
        }
        assert!(!is_connected_to(&listener).await);
        // Nor is the courier of a server that allows other networks taken in.
        let other = Guard::new(vec!["10.0.0.0/8".parse().unwrap()]);
        world.advance(100);
        courier_with(&world.app, other).run_all_due().await.unwrap();
        assert!(!is_connected_to(&listener).await);
    }

    async fn redirects_are_not_followed(world) {
        let (door, inside) = (Receiver::new().await, Receiver::new().await);
        let (endpoint, _) = world.listen(&wish(&door.url(), false)).await;
        for status in [301, 302, 307, 308] {
            door.then(&[Reply::With(status, "location", inside.url())]);
        }
        world.user("alice").await;
        for _ in 0..4 {
            world.deliver().await;
            world.advance(100);
        }
        assert_eq!(door.pushes().len(), 4);
        assert!(inside.pushes().is_empty());
        assert!(last_error(world, &endpoint).await.contains("redirect"));
    }

    async fn a_receiver_must_prove_who_it_is(world) {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate("localhost", BEGIN.parse().unwrap(), [7; 16]).unwrap();
        let files = ["tls.crt", "tls.key"].map(|name| folder.path().join(name));
        std::fs::write(&files[0], key.certificate().pem()).unwrap();
        std::fs::write(&files[1], key.private_key_pem().unwrap().as_bytes()).unwrap();
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_certificate_chain_file(&files[0]).unwrap();
        acceptor.set_private_key_file(&files[1], openssl::ssl::SslFiletype::PEM).unwrap();
        let acceptor = acceptor.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let session = Ssl::new(acceptor.context()).unwrap();
            let mut stream = tokio_openssl::SslStream::new(session, stream).unwrap();
            // The handshake fails, or it does not: then there would be a request.
            let mut got = Vec::new();
            if std::pin::Pin::new(&mut stream).accept().await.is_ok() {
                let _ = stream.read_buf(&mut got).await;
                let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await;
            }
            got
        });
        let (endpoint, _) = world.listen(&wish(&format!("https://127.0.0.1:{port}/"), false)).await;
        world.user("alice").await;
        world.deliver().await;
        let reason = last_error(world, &endpoint).await;
        assert!(reason.contains("TLS"), "{reason}");
        assert_eq!(receiver.await.unwrap(), b"", "nothing was said to a stranger");
    }

    async fn an_endless_answer_is_cut(world) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 65_536];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 1000000000\r\n\r\n").await;
            let mut sent = 0_u64;
            let junk = vec![b'x'; 65_536];
            while stream.write_all(&junk).await.is_ok() {
                sent += 65_536;
            }
            sent
        });
        let (endpoint, _) = world.listen(&wish(&format!("http://127.0.0.1:{port}/"), false)).await;
        world.user("alice").await;
        world.deliver().await;
        assert_eq!(last_error(world, &endpoint).await, "the receiver answers 500");
        assert!(receiver.await.unwrap() < 100_000_000, "the connection is closed");
    }

    async fn secrets_show_nowhere(world) {
        let receiver = Receiver::new().await;
        let (endpoint, secret) = world.listen(&wish(&receiver.url(), true)).await;
        assert!(secret.starts_with(event::SECRET_PREFIX));
        assert_eq!(secret.len(), event::SECRET_PREFIX.len() + 43, "256 bits");
        let courier = courier_with(&world.app, Guard::default());
        let shown = format!("{endpoint:?} {courier:?}");
        assert!(!shown.contains(&secret[event::SECRET_PREFIX.len()..]));
        let sealed: Vec<(Vec<u8>,)> = world.rows(sql("SELECT secret_sealed FROM event_endpoints")).await;
        assert!(!sealed[0].0.windows(20).any(|part| part == &secret.as_bytes()[10..30]));
        let audited: Vec<(String, Option<String>)> = world.rows(
            sql("SELECT action, state_after FROM audit_records WHERE object_kind = 'event_endpoint'"),
        ).await;
        assert_eq!(audited.len(), 1);
        assert!(!audited[0].1.as_deref().unwrap().contains(&secret[10..]));
    }

    async fn endpoints_are_counted_and_belong_to_their_space(world) {
        for number in 0..MAX_ENDPOINTS {
            world.listen(&wish(&format!("https://example.com/{number}"), false)).await;
        }
        let guard = Guard::default();
        let access = Access { guard: &guard, sealer: &world.app.sealer };
        let create = async |url: &str| world.try_write(async |tx, act| {
            event::create(tx, act, access, world.space.id, &wish(url, false)).await
        }).await.map(|_| ());
        let one_more = create("https://example.com/more").await;
        assert!(matches!(one_more, Err(event::Error::TooMany)), "{one_more:?}");
        assert!(matches!(create("http://127.0.0.1/").await, Err(event::Error::UrlInvalid(_))));
        let mine = world.read(async |tx| event::endpoints(tx, world.space.id).await).await;
        let id = mine[0].id;
        let stranger = SpaceId(world.space.id.0 + 1);
        let deleted = world.try_write(async |tx, act| event::delete(tx, act, stranger, id).await).await;
        assert!(matches!(deleted, Err(event::Error::EndpointNotFound)));
        world.user("alice").await;
        world.write(async |tx, act| event::delete(tx, act, world.space.id, id).await).await;
        assert_eq!(world.count("SELECT COUNT(*) FROM event_deliveries").await, 9);
    }
}

/// The real program, on a database that others use as well.
fn start(database: &Database, master_key: &str) -> Child {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    Command::new(env!("CARGO_BIN_EXE_identity-center"))
        .arg("serve")
        .env("IDENTITY_CENTER_DATABASE_URL", database.url())
        .env("IDENTITY_CENTER_MASTER_KEY", master_key)
        .env("IDENTITY_CENTER_LISTEN", format!("127.0.0.1:{port}"))
        .env("IDENTITY_CENTER_PUBLIC_URL", format!("http://127.0.0.1:{port}"))
        .env("IDENTITY_CENTER_EVENTS__ALLOWED_NETWORKS", "[\"127.0.0.0/8\"]")
        .env("IDENTITY_CENTER_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn nothing_is_lost(database: Database) {
    let key = Sealer::new_master_key().unwrap();
    let app = App::open(settings(&database, "http://localhost:8080", &key), Clock::system()).await;
    let world = World::make(app.unwrap()).await;
    let receiver = Receiver::new().await;
    receiver.always(Reply::Slow(Duration::from_millis(10)));
    let (endpoint, _) = world.listen(&wish(&receiver.url(), false)).await;
    for number in 0..60 {
        world.user(&format!("user-{number}")).await;
    }
    let mut first = start(&database, &key);
    receiver.wait_for(10).await;
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(world.endpoint(endpoint.id).await.waiting > 0, "killed too late to prove anything");
    // What it had taken is free when its lease ends; nobody waits for that here.
    world
        .write(async |tx, _| {
            sql("UPDATE event_endpoints SET lease_ends = run_at").execute(tx).await
        })
        .await;
    let mut second = start(&database, &key);
    for _ in 0..600 {
        if world.endpoint(endpoint.id).await.waiting == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    second.kill().unwrap();
    second.wait().unwrap();
    let mut jtis: Vec<String> = receiver.pushes().iter().map(Push::jti).collect();
    assert!(jtis.len() <= 61, "only what was under way is sent twice: {}", jtis.len());
    assert!(jtis.is_sorted());
    jtis.dedup();
    assert_eq!(jtis.len(), 60);
    world.app.db.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_in_the_middle_loses_nothing_sqlite() {
    nothing_is_lost(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_in_the_middle_loses_nothing_postgres() {
    let Some(database) = Database::postgres().await else { return };
    nothing_is_lost(database).await;
}
