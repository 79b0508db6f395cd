//! How events get to receivers, and what happens when they do not.

use std::time::{Duration, Instant};

use identity_center::{
    directory,
    event::{self, State},
    id::EndpointId,
};
use tokio_util::sync::CancellationToken;

use super::{Push, Receiver, Reply, courier, loopback, wish};
use crate::{in_both_worlds, world::World};

async fn states(world: &World, id: EndpointId) -> Vec<(State, i64)> {
    world.deliveries(id).await.iter().map(|one| (one.state, one.attempt)).collect()
}

async fn switch(world: &World, id: EndpointId, enabled: bool) {
    world
        .write(async |tx, act| event::set_enabled(tx, act, world.space.id, id, enabled).await)
        .await;
}

in_both_worlds! {
    async fn what_fails_is_tried_again_and_keeps_its_place(world) {
        let receiver = Receiver::new().await;
        let (endpoint, _) = world.listen(&wish(&receiver.url(), false)).await;
        world.user("alice").await;
        let bob = world.user("bob").await;
        world.write(async |tx, act| {
            directory::set_user_enabled(tx, act, world.space.id, bob, false).await
        }).await;
        receiver.then(&[Reply::Status(500), Reply::Status(502)]);
        world.deliver().await;
        assert_eq!(receiver.names(), ["create"], "those behind it wait");
        let seen = world.endpoint(endpoint.id).await;
        assert_eq!((seen.failures, seen.waiting), (1, 3));
        assert_eq!(states(world, endpoint.id).await[2], (State::Waiting, 1));
        world.advance(4);
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 1, "the pause is five seconds at least");
        world.advance(4);
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 2);
        assert_eq!(world.endpoint(endpoint.id).await.failures, 2);
        world.advance(9);
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 2, "the second pause is ten seconds at least");
        world.advance(7);
        world.deliver().await;
        let jtis: Vec<String> = receiver.pushes().iter().map(Push::jti).collect();
        assert_eq!(jtis[0], jtis[1]);
        assert_eq!(jtis[1], jtis[2]);
        assert_eq!(receiver.names(), ["create", "create", "create", "create", "deactivate"]);
        let seen = world.endpoint(endpoint.id).await;
        assert_eq!((seen.failures, seen.waiting, seen.given_up), (0, 0, 0));
        assert_eq!(seen.last_delivered_at, Some(world.now()));
        assert_eq!(states(world, endpoint.id).await,
                   [(State::Delivered, 1), (State::Delivered, 1), (State::Delivered, 3)]);
    }

    async fn a_receiver_says_how_long_to_wait(world) {
        let receiver = Receiver::new().await;
        world.listen(&wish(&receiver.url(), false)).await;
        world.user("alice").await;
        receiver.then(&[Reply::With(429, "retry-after", "600".to_owned())]);
        world.deliver().await;
        world.advance(599);
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 1);
        world.advance(1);
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 2);
    }

    async fn after_a_day_events_are_given_up_and_can_be_sent_again(world) {
        let receiver = Receiver::new().await;
        let (endpoint, _) = world.listen(&wish(&receiver.url(), false)).await;
        world.user("alice").await;
        world.user("bob").await;
        receiver.always(Reply::Status(503));
        let mut attempts = 0;
        for _ in 0..60 {
            world.deliver().await;
            attempts = receiver.pushes().len();
            if world.endpoint(endpoint.id).await.given_up > 0 {
                break;
            }
            world.advance(1800);
        }
        assert!((20..50).contains(&attempts), "pauses grow to an hour: {attempts}");
        let given_up = world.deliveries(endpoint.id).await;
        assert!(given_up.iter().all(|one| one.state == State::GivenUp), "{given_up:?}");
        assert_eq!(given_up[0].error.as_deref(), Some("the receiver answers 503"));
        receiver.always(Reply::Status(204));
        world.advance(7200);
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), attempts, "what is given up stays so");
        world.write(async |tx, act| {
            event::redeliver(tx, act, world.space.id, endpoint.id, given_up[1].event).await
        }).await;
        world.deliver().await;
        assert_eq!(states(world, endpoint.id).await, [(State::GivenUp, 0), (State::Delivered, 1)]);
    }

    async fn an_event_that_is_refused_holds_up_the_others_only_for_a_while(world) {
        let receiver = Receiver::new().await;
        let (endpoint, _) = world.listen(&wish(&receiver.url(), false)).await;
        world.user("alice").await;
        world.user("bob").await;
        receiver.then(&[const { Reply::Status(400) }; 6]);
        for _ in 0..6 {
            world.deliver().await;
            world.advance(400);
        }
        assert_eq!(states(world, endpoint.id).await, [(State::Delivered, 1), (State::GivenUp, 6)]);
        assert_eq!(receiver.pushes().len(), 7);
    }

    async fn a_receiver_that_is_gone_is_not_asked_again(world) {
        let receiver = Receiver::new().await;
        let (endpoint, _) = world.listen(&wish(&receiver.url(), false)).await;
        world.user("alice").await;
        receiver.then(&[Reply::Status(410)]);
        world.deliver().await;
        world.advance(100_000);
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 1);
        let seen = world.endpoint(endpoint.id).await;
        assert!(!seen.enabled);
        assert!(seen.disabled_because.unwrap().contains("410"));
        switch(world, endpoint.id, true).await;
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 2, "what was in line is sent when it is back");
        assert_eq!(world.endpoint(endpoint.id).await.disabled_because, None);
    }

    async fn nothing_is_sent_while_it_is_off_and_a_replay_brings_what_was_missed(world) {
        let receiver = Receiver::new().await;
        let (endpoint, _) = world.listen(&wish(&receiver.url(), false)).await;
        world.user("alice").await;
        world.deliver().await;
        world.advance(60);
        let since = world.now();
        switch(world, endpoint.id, false).await;
        world.user("bob").await;
        world.advance(60);
        world.user("carol").await;
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 1);
        let refused = world.try_write(async |tx, act| {
            event::replay(tx, act, world.space.id, endpoint.id, since).await
        }).await;
        assert!(matches!(refused, Err(event::Error::Disabled)));
        switch(world, endpoint.id, true).await;
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 1);
        assert_eq!(world.replay(endpoint.id, since).await, 2);
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 3);
        // All of it once more: the same tokens.
        assert_eq!(world.replay(endpoint.id, since.plus_seconds(-1000)).await, 3);
        world.deliver().await;
        let pushes = receiver.pushes();
        assert_eq!(pushes.len(), 6);
        for (first, again) in pushes.iter().zip(&pushes[3..]) {
            assert_eq!(first.token, again.token);
        }
    }

    async fn a_new_secret_signs_at_once(world) {
        let receiver = Receiver::new().await;
        let (endpoint, old) = world.listen(&wish(&receiver.url(), false)).await;
        world.user("alice").await;
        world.deliver().await;
        let sealer = &world.app.sealer;
        let new = world.write(async |tx, act| {
            event::rotate_secret(tx, act, sealer, world.space.id, endpoint.id).await
        }).await;
        let new = secrecy::ExposeSecret::expose_secret(&new).to_owned();
        world.user("bob").await;
        world.deliver().await;
        let pushes = receiver.pushes();
        assert!(pushes[0].is_signed_with(&old) && !pushes[0].is_signed_with(&new));
        assert!(pushes[1].is_signed_with(&new) && !pushes[1].is_signed_with(&old));
        assert_eq!((&pushes[0].part(0)["kid"], &pushes[1].part(0)["kid"]),
                   (&"1".into(), &"2".into()));
    }

    async fn a_hung_receiver_delays_only_itself(world) {
        let (hung, brisk) = (Receiver::new().await, Receiver::new().await);
        let (stuck, _) = world.listen(&wish(&hung.url(), false)).await;
        world.listen(&wish(&brisk.url(), false)).await;
        hung.always(Reply::Slow(Duration::from_mins(1)));
        let stop = CancellationToken::new();
        let (courier, working) = (courier(&world.app), stop.clone());
        let running = tokio::spawn(async move { courier.run_until(working).await });
        let began = Instant::now();
        for number in 0..20 {
            world.user(&format!("user-{number}")).await;
        }
        brisk.wait_for(20).await;
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        // Ten seconds after it began, the hung one counts as failed.
        while world.endpoint(stuck.id).await.failures == 0 {
            assert!(began.elapsed() < Duration::from_secs(25));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(world.endpoint(stuck.id).await.waiting, 20);
        stop.cancel();
        running.await.unwrap();
    }

    async fn two_workers_never_deliver_the_same_thing_at_once(world) {
        let receiver = Receiver::new().await;
        let (endpoint, _) = world.listen(&wish(&receiver.url(), false)).await;
        receiver.always(Reply::Slow(Duration::from_millis(20)));
        let stop = CancellationToken::new();
        let running: Vec<_> = (0..3).map(|_| {
            let (courier, working) = (courier(&world.app), stop.clone());
            tokio::spawn(async move { courier.run_until(working).await })
        }).collect();
        for number in 0..40 {
            world.user(&format!("user-{number}")).await;
        }
        let began = Instant::now();
        while world.endpoint(endpoint.id).await.waiting > 0 {
            assert!(began.elapsed() < Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
        for one in running {
            one.await.unwrap();
        }
        let pushes = receiver.pushes();
        let jtis: Vec<String> = pushes.iter().map(Push::jti).collect();
        assert_eq!(jtis.len(), 40);
        assert!(jtis.is_sorted(), "in the order of the events: {jtis:?}");
        assert!(pushes.windows(2).all(|pair| pair[0].ended <= pair[1].began), "one at a time");
    }

    async fn a_closed_connection_is_opened_again(world) {
        let receiver = Receiver::new().await;
        world.listen(&wish(&receiver.url(), false)).await;
        receiver.always(Reply::With(202, "connection", "close".to_owned()));
        for name in ["alice", "bob", "carol"] {
            world.user(name).await;
        }
        world.deliver().await;
        assert_eq!(receiver.pushes().len(), 3);
    }

    async fn a_changed_address_gets_what_is_in_line(world) {
        let (old, new) = (Receiver::new().await, Receiver::new().await);
        let (endpoint, _) = world.listen(&wish(&old.url(), false)).await;
        old.always(Reply::Status(500));
        world.user("alice").await;
        world.deliver().await;
        let (id, wish) = (endpoint.id, wish(&new.url(), true));
        for changed in [true, false] {
            let done = world.write(async |tx, act| {
                event::update(tx, act, &loopback(), world.space.id, id, &wish).await
            }).await;
            assert_eq!(done, changed);
        }
        world.deliver().await;
        assert_eq!(new.names(), ["create"]);
        assert_eq!(new.pushes()[0].claims()["aud"], new.url());
    }
}
