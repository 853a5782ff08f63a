//! A wall clock that is set while a session waits for a project.

use std::time::Duration;

use tenterhook_dispatch::{Clock as _, SteppedClock};
use tenterhook_session::State;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::support::{Looks, Yard, plan};

async fn is_asked(yard: &Yard, id: Uuid) -> bool {
    let session = yard.session(id).await.session;
    session
        .projects()
        .values()
        .any(|project| project.state.as_deref() == Some("MAINTENANCE"))
}

/// A session that waits for the reply of its one project.
async fn waiting(clock: &SteppedClock) -> (Yard, Uuid) {
    let yard = Yard::at(clock).await;
    yard.host("node-1").await;
    yard.instance("vm-1", "node-1", "blue").await;
    let id = yard.begin(plan()).await;
    let mut looks = Looks::default();
    while !is_asked(&yard, id).await {
        looks.rest().await;
    }
    (yard, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_has_its_time_to_reply_however_the_clock_is_set() {
    for years in [-1, 1] {
        let clock = SteppedClock::at(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
        let (yard, id) = waiting(&clock).await;

        clock.set_wall(clock.now().wall + time::Duration::days(365 * years));

        // It has 40 s, of which these are a part.
        for _ in 0..10 {
            clock.pass(Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(yard.session(id).await.session.state(), State::Maintenance);
        // And no more than that, also where the old time will not come again for a year.
        let mut looks = Looks::default();
        while yard.session(id).await.session.state() != State::MaintenanceFailed {
            clock.pass(Duration::from_secs(2));
            looks.rest().await;
        }
    }
}
