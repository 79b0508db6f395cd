//! Races that only several connections can lose, held on both databases.

use identity_center::{
    directory::{self, GroupFilter},
    space,
    store::{self, PageRequest},
};
use tokio::sync::oneshot;

use crate::{
    journey::{Company, act},
    on_both,
};

on_both! {
    /// Somebody enters an account while somebody else takes the access away. Whoever enters has
    /// committed before it is looked for what has to end, so nothing is missed.
    async fn ses_04_who_enters_while_access_ends_is_seen(house) {
        let company = Company::open(house, "acme").await;
        let space = company.space.id;
        let doing = act(house);
        let (entering, entered) = oneshot::channel();
        let db = house.app.db.clone();
        let enters = tokio::spawn(async move {
            db.write(async |tx| -> Result<(), directory::Error> {
                space::hold_access(tx, space).await?;
                entering.send(()).unwrap();
                // Long enough for the other one to come this far, if nothing held it.
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                directory::create_group(tx, &doing, space, "entered", "", 10).await?;
                Ok(())
            })
            .await
        });
        entered.await.unwrap();
        let seen: store::Result<i64> = house
            .app
            .db
            .write(async |tx| {
                space::end_access(tx, space).await?;
                let page = PageRequest::first(1);
                let found = directory::groups(tx, space, &GroupFilter::default(), page).await?;
                Ok(found.total)
            })
            .await;
        enters.await.unwrap().unwrap();
        assert_eq!(seen.unwrap(), 1);
    }
}
