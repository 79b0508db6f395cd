//! Clients that take their time, or do not take part at all: they are cut off, and honest ones are
//! not.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::house::TestHouse;

/// Two seconds for a head, eight without a request.
async fn house() -> TestHouse {
    TestHouse::with_settings(|settings| {
        settings.connections.head_seconds = 2;
        settings.connections.idle_seconds = 8;
    })
    .await
}

/// Sends a byte of an endless head every 50 milliseconds; says after how long the server had
/// enough.
async fn dribble(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\nx-long: ").await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut answer = Vec::new();
    loop {
        tokio::select! {
            read = reading.read_to_end(&mut answer) => {
                // Closed, or reset because the last byte was not read any more.
                let _ = read;
                return began.elapsed();
            }
            () = tokio::time::sleep(Duration::from_millis(50)) => {
                if writing.write_all(b"a").await.is_err() {
                    return began.elapsed();
                }
            }
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it goes on for ever");
    }
}

async fn ask(stream: &mut TcpStream) {
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    answered(stream).await;
}

async fn answered(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    let read = stream.read(&mut buffer).await.unwrap();
    let answer = String::from_utf8_lossy(&buffer[..read]);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let house = house().await;
    let fresh = TcpStream::connect(house.address).await.unwrap();
    let mut used = TcpStream::connect(house.address).await.unwrap();
    ask(&mut used).await;
    // On a connection that was good for a while it is the same, and fifty of them hold nobody.
    let mut slow: Vec<_> =
        [fresh, used].into_iter().map(|one| tokio::spawn(dribble(one))).collect();
    for _ in 0..50 {
        let stream = TcpStream::connect(house.address).await.unwrap();
        slow.push(tokio::spawn(dribble(stream)));
    }
    assert_eq!(reqwest::get(house.url("/livez")).await.unwrap().status(), 200);
    for one in slow {
        let took = one.await.unwrap();
        assert!(took > Duration::from_millis(1500), "{took:?}");
        assert!(took < Duration::from_secs(7), "{took:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn who_waits_between_requests_is_served_and_who_says_nothing_is_not() {
    let house = house().await;
    let mut silent = TcpStream::connect(house.address).await.unwrap();
    let mut honest = TcpStream::connect(house.address).await.unwrap();
    let began = Instant::now();
    ask(&mut honest).await;
    // Longer than a head may take.
    tokio::time::sleep(Duration::from_secs(3)).await;
    ask(&mut honest).await;
    // A head in two pieces.
    honest.write_all(b"GET /livez HTTP/1.1\r\nho").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    honest.write_all(b"st: x\r\n\r\n").await.unwrap();
    answered(&mut honest).await;
    let mut end = Vec::new();
    silent.read_to_end(&mut end).await.unwrap();
    assert!(end.is_empty() && began.elapsed() > Duration::from_secs(6), "{:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(20));
    house.close().await;
}

#[tokio::test]
async fn a_body_may_take_longer_than_a_head() {
    let house = house().await;
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    let head =
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    stream.write_all(b"{}").await.unwrap();
    // The signed API says no in its body.
    answered(&mut stream).await;
    ask(&mut stream).await;
    house.close().await;
}
