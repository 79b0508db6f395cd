//! Two servers on one database: what counts once counts once on both.

use std::{
    net::SocketAddr,
    process::Child,
    time::{Duration, Instant},
};

use identity_center::{app::App, clock::Clock, server};
use reqwest::{Response, StatusCode};
use secrecy::ExposeSecret as _;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::sessions;
use crate::{
    house::{Database, TestHouse},
    journey::{Company, count, location},
    kill::{free_port, start_behind},
    on_both,
};

/// A second server behind the same public address, with its own connections.
struct Replica {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Replica {
    async fn of(house: &TestHouse) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = house.app.settings.as_ref().clone();
        let app = App::open(settings, house.app.clock.clone()).await.unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server::serve(app, listener, stop.clone()));
        Self { address, stop, serving }
    }

    async fn close(self) {
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
    }
}

/// Posts the same response to both servers at once, several times; how many were accepted.
async fn raced(company: &Company<'_>, servers: [SocketAddr; 2], base64: &str) -> Vec<Response> {
    let path = format!("/saml/acs/{}", company.space.id);
    let posts: Vec<_> = servers
        .map(|server| format!("http://{server}{path}"))
        .iter()
        .cycle()
        .take(8)
        .map(|address| {
            let form = [("SAMLResponse", base64)];
            tokio::spawn(company.house.browser().post(address).form(&form).send())
        })
        .collect();
    let mut accepted = Vec::new();
    for post in posts {
        let answer = post.await.unwrap().unwrap();
        let status = answer.status();
        assert!(matches!(status, StatusCode::SEE_OTHER | StatusCode::FORBIDDEN), "{status}");
        if status == StatusCode::SEE_OTHER {
            accepted.push(answer);
        }
    }
    accepted
}

on_both! {
    async fn a_response_counts_once_on_two_servers(house) {
        let company = Company::open(house, "acme").await;
        let replica = Replica::of(house).await;
        for round in 1..=3 {
            let browser = house.browser();
            let request = company.idp.read(&company.start(&browser).await);
            let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
            let accepted = raced(&company, [house.address, replica.address], &answer.signed().base64()).await;
            assert_eq!(accepted.len(), 1, "round {round}");
            // The ticket is good at either server, and once.
            let finish = location(&accepted[0]);
            let finish: url::Url = finish.parse().unwrap();
            let query = finish.query().unwrap();
            let mut opened = 0;
            for host in [house.address, replica.address] {
                let address = format!("http://{host}{}?{query}", finish.path());
                let inside = browser.get(address).send().await.unwrap();
                opened += i32::from(inside.status() == StatusCode::SEE_OTHER);
            }
            assert_eq!(opened, 1, "round {round}");
            assert_eq!(sessions(house).await, round);
        }
        assert_eq!(count(house, "SELECT COUNT(*) FROM accepted_assertions").await, 3);
        replica.close().await;
    }
}

/// Ends with the test, however that ends.
struct Server(Child, SocketAddr);

impl Server {
    async fn start(house: &TestHouse) -> Self {
        let port = free_port();
        let key = house.app.settings.master_key.as_ref().unwrap().expose_secret().to_owned();
        let child = start_behind(house.database(), &key, port, house.url("").trim_end_matches('/'));
        let server = Self(child, SocketAddr::from(([127, 0, 0, 1], port)));
        let began = Instant::now();
        while reqwest::get(format!("http://{}/readyz", server.1)).await.is_err() {
            assert!(began.elapsed() < Duration::from_mins(1), "the server does not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two processes of the real program, which share nothing but the database.
async fn a_response_counts_once_in_two_processes(database: Database) {
    let house = TestHouse::on(database, Clock::system()).await;
    let company = Company::open(&house, "acme").await;
    let servers = [Server::start(&house).await, Server::start(&house).await];
    let addresses = [servers[0].1, servers[1].1];
    for round in 1..=3 {
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
        let accepted = raced(&company, addresses, &answer.signed().base64()).await;
        assert_eq!(accepted.len(), 1, "round {round}");
        let finish: url::Url = location(&accepted[0]).parse().unwrap();
        let mut opened = 0;
        for host in addresses {
            let address = format!("http://{host}{}?{}", finish.path(), finish.query().unwrap());
            let inside = browser.get(address).send().await.unwrap();
            opened += i32::from(inside.status() == StatusCode::SEE_OTHER);
        }
        assert_eq!(opened, 1, "round {round}");
        assert_eq!(sessions(&house).await, round);
    }
    drop(servers);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_two_processes_on_sqlite() {
    a_response_counts_once_in_two_processes(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_two_processes_on_postgresql() {
    let Some(database) = Database::postgres().await else { return };
    a_response_counts_once_in_two_processes(database).await;
}
