//! The server through TLS, with a certificate of its own.

use identity_center::{
    app::App,
    clock::Clock,
    config::{Settings, Tls},
    saml::certificate::SigningKey,
    secret::Sealer,
    server,
};
use tokio::{io::AsyncReadExt, net::TcpListener};
use tokio_util::sync::CancellationToken;

use crate::house::{BEGIN, Database};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_serves_through_tls_and_a_silent_client_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::sqlite();
    let key = SigningKey::generate("localhost", BEGIN.parse().unwrap(), [7; 16]).unwrap();
    let files = ["tls.crt", "tls.key"].map(|name| folder.path().join(name));
    std::fs::write(&files[0], key.certificate().pem()).unwrap();
    std::fs::write(&files[1], key.private_key_pem().unwrap().as_bytes()).unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("https://localhost:{}", address.port()).parse().unwrap();
    let master = Sealer::new_master_key().unwrap();
    let mut settings = Settings::for_address(url, &database.url(), &master).unwrap();
    let [certificate, key] = files.map(Some);
    settings.tls = Tls { certificate, key };
    let app = App::open(settings, Clock::settable(BEGIN.parse().unwrap())).await.unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(server::serve(app, listener, stop.clone()));

    // Somebody connects and says nothing: others are served all the same.
    let mut silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let client = reqwest::Client::builder().danger_accept_invalid_certs(true).build().unwrap();
    let response =
        client.get(format!("https://localhost:{}/livez", address.port())).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("strict-transport-security"));
    // Nothing is served in the clear.
    let clear = reqwest::get(format!("http://127.0.0.1:{}/livez", address.port())).await;
    assert!(clear.is_err(), "{clear:?}");

    stop.cancel();
    server.await.unwrap().unwrap();
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap_or(0), 0);
}
