//! Guessing a password that one is asked for again: by an open session, to change it.

use identity_center::{
    cloud::{self, Login},
    store,
};
use reqwest::StatusCode;
use zeroize::Zeroizing;

use crate::{console::Office, journey::count, on_both};

const RIGHT: &str = "correct horse battery staple";
const NEXT: &str = "Another-Horse-7-Battery";

on_both! {
    async fn parallel_guesses_at_the_old_password_lock_it(house) {
        let office = Office::open(house).await;
        office.hire("olga", Some("QcloudOrganizationFullAccess")).await;
        let browser = office.inside("olga").await;
        let try_one = async |old: &str| {
            let form = [("old", old), ("new", NEXT), ("again", NEXT)];
            let post = browser.post(house.url("/console/account/password"));
            post.header("Sec-Fetch-Site", "same-origin").form(&form).send().await.unwrap().status()
        };
        let guesses: Vec<String> = (0..12).map(|nth| format!("guess {nth}")).collect();
        let tried = futures_util::future::join_all(guesses.iter().map(|guess| try_one(guess))).await;
        assert!(tried.iter().all(|it| *it == StatusCode::UNPROCESSABLE_ENTITY), "{tried:?}");
        // All at once or one by one: from the fifth on the name is locked, for the right one too,
        // and guesses that come while it is do not make it longer.
        let failed = "SELECT failed_logins FROM cloud_users WHERE name = 'olga'";
        let counted = count(house, failed).await;
        assert_eq!(counted, 5, "the lock began with the fifth, and counts no more while it holds");
        assert_eq!(try_one(RIGHT).await, StatusCode::UNPROCESSABLE_ENTITY);
        house.app.clock.advance(jiff::SignedDuration::from_secs(61));
        assert_eq!(try_one(RIGHT).await, StatusCode::SEE_OTHER);
        assert_eq!(count(house, failed).await, 0);
    }

    /// The right guess of many, whose password was verified before the others had locked the name.
    async fn a_right_guess_among_many_wrong_ones_comes_too_late(house) {
        let office = Office::open(house).await;
        office.hire("olga", Some("QcloudOrganizationFullAccess")).await;
        let (account, act) = (office.world.management.uin, house.app.own_act("test").unwrap());
        let db = &house.app.db;
        let seen: store::Result<Option<Login>> =
            db.read(async |tx| cloud::login(tx, account, "olga").await).await;
        let seen = seen.unwrap().unwrap();
        let right = cloud::password::verify(seen.password_hash.clone(), Zeroizing::new(RIGHT.to_owned()));
        assert!(right.await, "it is the right one");
        for _ in 0..5 {
            let wrong = db.write(async |tx| cloud::record_login(tx, &act, &seen, false).await).await;
            assert!(!wrong.unwrap());
        }
        let hash = cloud::password::hash(Zeroizing::new(NEXT.to_owned())).await.unwrap();
        let change = async || {
            let changed =
                db.write(async |tx| cloud::change_password(tx, &act, &seen, &hash).await).await;
            changed.unwrap()
        };
        assert!(!change().await, "the name is locked");
        house.app.clock.advance(jiff::SignedDuration::from_secs(61));
        let act = house.app.own_act("test").unwrap();
        let late = db.write(async |tx| cloud::change_password(tx, &act, &seen, &hash).await).await;
        assert!(late.unwrap());
        // What was verified was the old one: that is not asked for any more.
        assert!(!change().await);
    }
}
