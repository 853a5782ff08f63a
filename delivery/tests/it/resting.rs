//! An address that asks to be left alone for a while is left alone.

use std::time::{Duration, SystemTime};

use http::header;
use time::OffsetDateTime;

use crate::receiver::Receiver;
use crate::support::{ACCOUNT, offer, quick, start, start_on, subscribe, until, until_tried};

/// How long a receiver is left alone that answers the first letter like this.
async fn rest_after(status: u16, retry_after: &str) -> time::Duration {
    let (delivery, _) = start(quick()).await;
    let receiver = Receiver::start().await;
    receiver.will_answer_with(status, header::RETRY_AFTER, retry_after);
    let to = subscribe(&delivery, receiver.url()).await;
    offer(&delivery, "1").await;
    let letter = until_tried(&delivery, &to, 1).await;
    letter.due_at.unwrap() - OffsetDateTime::now_utc()
}

#[tokio::test]
async fn seconds_and_a_date_are_heard_up_to_a_day() {
    let in_ten_minutes = SystemTime::now() + Duration::from_secs(600);
    let date = httpdate::fmt_http_date(in_ten_minutes);
    for (status, said, longest) in [
        (429, "7200", 7_200),
        (503, date.as_str(), 600),
        (503, "86400", 86_400),
        (429, "172800", 86_400),
        (429, "99999999999999999999999", 86_400),
    ] {
        let rest = rest_after(status, said).await.whole_seconds();
        // Of what a slow machine may take away, a minute is left out.
        assert!((longest - 60..=longest).contains(&rest), "{said}: {rest}");
    }
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_rests_whatever_else_it_is_owed() {
    let (delivery, memory) = start(quick()).await;
    let receiver = Receiver::start().await;
    receiver.will_answer_with(429, header::RETRY_AFTER, "300");
    let to = subscribe(&delivery, receiver.url()).await;
    offer(&delivery, "1").await;
    until_tried(&delivery, &to, 1).await;
    for id in ["2", "3"] {
        let looks = memory.looks();
        offer(&delivery, id).await;
        until("the lane has looked for what is due", async || {
            (memory.looks() > looks).then_some(())
        })
        .await;
        assert_eq!(receiver.received().len(), 1);
    }
    assert_eq!(delivery.waiting().await.unwrap(), 3);
}

#[tokio::test]
async fn a_rest_outlasts_a_restart_and_being_turned_off_and_on() {
    let (delivery, memory) = start(quick()).await;
    let receiver = Receiver::start().await;
    receiver.will_answer_with(503, header::RETRY_AFTER, "300");
    let to = subscribe(&delivery, receiver.url()).await;
    offer(&delivery, "1").await;
    until_tried(&delivery, &to, 1).await;
    offer(&delivery, "2").await;
    delivery.drain().await;
    let has_looked = async |before: usize| {
        until("the lane has looked or sent", async || {
            let sent = receiver.received().len() > 1;
            (memory.looks() > before || sent).then_some(())
        })
        .await;
    };

    let looks = memory.looks();
    let delivery = start_on(memory.clone(), quick()).await;
    has_looked(looks).await;
    assert_eq!(receiver.received().len(), 1);

    delivery.switch(ACCOUNT, to.id, false).await.unwrap();
    let looks = memory.looks();
    delivery.switch(ACCOUNT, to.id, true).await.unwrap();
    has_looked(looks).await;
    assert_eq!(receiver.received().len(), 1);
}
