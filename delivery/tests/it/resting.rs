//! An endpoint that asks for a pause gets it.

use std::time::{Duration, SystemTime};

use http::header;
use time::OffsetDateTime;

use crate::receiver::Receiver;
use crate::support::{ACCOUNT, offer, quick, start, start_on, subscribe, until, until_tried};

/// Returns how long a receiver is left alone that answers the first delivery like this.
async fn pause_after(status: u16, retry_after: &str) -> time::Duration {
    let (webhooks, _) = start(quick()).await;
    let receiver = Receiver::start().await;
    receiver.will_answer_with(status, header::RETRY_AFTER, retry_after);
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    let delivery = until_tried(&webhooks, &to, 1).await;
    delivery.due_at.unwrap() - OffsetDateTime::now_utc()
}

#[tokio::test]
async fn seconds_and_a_date_are_honoured_up_to_a_day() {
    let in_ten_minutes = SystemTime::now() + Duration::from_secs(600);
    let date = httpdate::fmt_http_date(in_ten_minutes);
    for (status, retry_after, longest) in [
        (429, "7200", 7_200),
        (503, date.as_str(), 600),
        (503, "86400", 86_400),
        (429, "172800", 86_400),
        (429, "99999999999999999999999", 86_400),
    ] {
        let pause = pause_after(status, retry_after).await.whole_seconds();
        // A slow machine may take up to a minute of it.
        assert!(
            (longest - 60..=longest).contains(&pause),
            "{retry_after}: {pause}"
        );
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_paused_endpoint_whatever_else_waits_for_it() {
    let (webhooks, memory) = start(quick()).await;
    let receiver = Receiver::start().await;
    receiver.will_answer_with(429, header::RETRY_AFTER, "300");
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    until_tried(&webhooks, &to, 1).await;
    for id in ["2", "3"] {
        let polls = memory.polls();
        offer(&webhooks, id).await;
        until("the queue has looked for what is due", async || {
            (memory.polls() > polls).then_some(())
        })
        .await;
        assert_eq!(receiver.received().len(), 1);
    }
    assert_eq!(webhooks.waiting().await.unwrap(), 3);
}

#[tokio::test]
async fn a_pause_outlasts_a_restart_and_being_turned_off_and_on() {
    let (webhooks, memory) = start(quick()).await;
    let receiver = Receiver::start().await;
    receiver.will_answer_with(503, header::RETRY_AFTER, "300");
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    until_tried(&webhooks, &to, 1).await;
    offer(&webhooks, "2").await;
    webhooks.drain().await;
    let has_looked = async |before: usize| {
        until("the queue has looked or sent", async || {
            let sent = receiver.received().len() > 1;
            (memory.polls() > before || sent).then_some(())
        })
        .await;
    };

    let polls = memory.polls();
    let webhooks = start_on(memory.clone(), quick()).await;
    has_looked(polls).await;
    assert_eq!(receiver.received().len(), 1);

    webhooks.switch(ACCOUNT, to.id, false).await.unwrap();
    let polls = memory.polls();
    webhooks.switch(ACCOUNT, to.id, true).await.unwrap();
    has_looked(polls).await;
    assert_eq!(receiver.received().len(), 1);
}
