//! The sieges: what one account can try so that others are not served.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tenterhook_tests_artifacts::handmade;

use super::http::{Client, expect_success};
use super::siege::{Siege, Strike};
use super::{bind, event};
use crate::guests;

/// The most fuel that a server grants.
const FUEL_MAX: u64 = 200_000_000_000;

/// All of them.
pub(super) const ALL: &[Siege] = &[
    Siege {
        attack: "modules with files that sleep beyond their deadline",
        flags: &[],
        descriptors: None,
        accounts: 1,
        bring: |client| {
            let program = std::fs::read(guests::LIMITS_SLEEP_AN_HOUR)?;
            hook(client, &program, &json!({"limits": {"wall_ms": 1_000}}))
        },
        connections: 40,
        strike: fire_and_wait,
        test: "engine/tests/it/bounded.rs::sleep_ends_at_the_deadline_whichever_call_requests_it",
    },
    Siege {
        attack: "scripts of two accounts that sleep for 25 minutes",
        flags: &[],
        descriptors: None,
        accounts: 2,
        bring: |client| {
            let limits = json!({"limits": {"wall_ms": 1_500_000, "fuel": FUEL_MAX}});
            hook(client, b"sleep 1500\n", &limits)
        },
        connections: 100,
        strike: fire_and_leave,
        test: "dispatch/tests/it/sharing.rs::two_accounts_that_sleep_do_not_keep_a_third_waiting_however_many_they_are",
    },
    Siege {
        attack: "spinning scripts of four accounts with all the fuel there is",
        flags: &[],
        descriptors: None,
        accounts: 4,
        bring: |client| {
            let limits = json!({"limits": {"wall_ms": 1_500_000, "fuel": FUEL_MAX}});
            hook(client, b"while :; do :; done\n", &limits)
        },
        connections: 40,
        strike: fire_and_leave,
        test: "dispatch/tests/it/sharing.rs::four_accounts_that_spin_on_all_slots_keep_no_fifth_waiting",
    },
    Siege {
        // As many runs as stacks, of which 2 GiB have 48.
        attack: "small scripts of four accounts that sleep, on a host of 2 GiB",
        flags: &["--host-memory", "2GiB"],
        descriptors: None,
        accounts: 4,
        bring: |client| {
            let limits = json!({"limits": {"wall_ms": 1_500_000, "memory_bytes": 8 << 20}});
            hook(client, b"sleep 1500\n", &limits)
        },
        connections: 40,
        strike: fire_and_leave,
        test: "dispatch/tests/it/sharing.rs::four_accounts_that_sleep_on_all_stacks_keep_no_fifth_waiting",
    },
    Siege {
        // Those of two accounts and their connections take all that accounts share.
        attack: "hooks with files of two accounts that sleep, where 1,024 files may be open",
        flags: &[],
        descriptors: Some(1_024),
        accounts: 2,
        bring: |client| {
            let program = std::fs::read(guests::LIMITS_SLEEP_AN_HOUR)?;
            hook(client, &program, &json!({"limits": {"wall_ms": 1_500_000}}))
        },
        connections: 24,
        strike: fire_and_leave,
        test: "cli/src/serve/capacity/tests.rs::an_account_that_holds_nothing_has_room_for_a_hook_beside_two_greedy_ones",
    },
    Siege {
        // None of them is a descriptor of the host.
        attack: "hooks that open 370 files each, where 1,024 may be open",
        flags: &[],
        descriptors: Some(1_024),
        accounts: 1,
        bring: |client| {
            let program = std::fs::read(guests::FILES_DESCRIPTORS)?;
            hook(client, &program, &json!({"limits": {"descriptors": 370}}))
        },
        connections: 4,
        strike: fire_and_wait,
        test: "engine/tests/it/files.rs::an_open_descriptor_counts_until_it_is_closed",
    },
    Siege {
        attack: "a component with 16 memories that never ends",
        flags: &[],
        descriptors: None,
        accounts: 1,
        bring: |client| {
            let limits = json!({"limits": {"wall_ms": 1_500_000, "fuel": FUEL_MAX}});
            hook(client, &handmade::spin_in_instances(16), &limits)
        },
        connections: 16,
        strike: fire_and_leave,
        test: "engine/tests/it/sharing.rs::one_accounts_components_of_sixteen_memories_leave_room_to_anothers_hook",
    },
    Siege {
        attack: "hooks that fill 480 MiB of memory and may hold 960 MiB of files, in 4 GiB",
        flags: &["--host-memory", "4GiB"],
        descriptors: None,
        accounts: 1,
        bring: |client| {
            let program = std::fs::read(guests::LIMITS_MEMORY_BOMB)?;
            let limits = json!({"memory_bytes": 480 << 20, "files_bytes": 960 << 20});
            hook(client, &program, &json!({"limits": limits}))
        },
        connections: 32,
        strike: fire_and_wait,
        test: "engine/tests/it/sharing.rs::a_run_is_admitted_with_all_the_memory_that_it_may_hold",
    },
    Siege {
        attack: "hooks that print a megabyte each, where the disk may hold 256 MiB",
        flags: &["--max-disk", "256MiB"],
        descriptors: None,
        accounts: 1,
        bring: |client| {
            hook(
                client,
                b"head -c 1000000 /dev/zero | tr '\\0' x\n",
                &json!({}),
            )
        },
        connections: 16,
        strike: fire_and_wait,
        test: "dispatch/tests/it/disk.rs::an_account_that_has_used_up_its_share_is_refused_before_anything_is_written",
    },
    Siege {
        attack: "1,000 connections with slow bodies and no token",
        flags: &[],
        descriptors: None,
        accounts: 1,
        bring: |_| Ok(()),
        connections: 10,
        strike: |client, _| hold_slow_bodies(client, 100),
        test: "api/tests/it/crowds.rs::endless_bodies_without_a_token_keep_no_probe_and_no_token_out",
    },
    Siege {
        attack: "960 logins from 16 addresses that send one byte of their body",
        flags: &[],
        descriptors: None,
        accounts: 1,
        bring: |_| Ok(()),
        connections: 16,
        strike: |client, number| hold_slow_logins(client, number, 60),
        test: "api/tests/it/crowds.rs::endless_bodies_from_many_addresses_leave_room_for_every_token",
    },
    Siege {
        attack: "800 followed outputs",
        flags: &[],
        descriptors: None,
        accounts: 1,
        bring: |client| hook(client, b"sleep 60\n", &json!({})),
        connections: 80,
        strike: |client, number| follow(client, number, 10),
        test: "api/tests/it/crowds.rs::followed_output_of_a_viewer_keeps_no_probe_and_no_event_out",
    },
    Siege {
        attack: "one output, printed byte by byte on both streams, that 100 follow",
        flags: &[],
        descriptors: None,
        accounts: 1,
        bring: |client| {
            let limits = json!({"wall_ms": 25_000, "fuel": FUEL_MAX, "output_bytes": 16 << 20});
            hook(client, &handmade::alternating(), &json!({"limits": limits}))?;
            client.created("/api/v1/events", &event("attack", "followed"))?;
            Ok(())
        },
        connections: 100,
        strike: hear_to_the_end,
        test: "api/src/listen/turns/tests.rs::the_connections_of_one_account_share_what_one_would_have",
    },
    Siege {
        attack: "batches of 8 MB without a hook",
        flags: &[],
        descriptors: None,
        accounts: 1,
        bring: |_| Ok(()),
        connections: 8,
        strike: fire_a_large_batch,
        test: "api/src/listen/turns/tests.rs::a_holder_without_a_turn_finds_one_although_others_have_long_ones",
    },
    Siege {
        attack: "requests with wrong tokens, 200 written at once, from the address of all others",
        flags: &[],
        descriptors: None,
        accounts: 1,
        bring: |_| Ok(()),
        connections: 100,
        strike: ask_with_wrong_tokens,
        test: "api/src/listen/turns/tests.rs::behind_one_address_no_client_waits_for_the_many_connections_of_another",
    },
    Siege {
        attack: "lists of four accounts, filtered by a regular expression that takes long",
        flags: &[],
        descriptors: None,
        accounts: 4,
        bring: |client| (0..60).try_for_each(|number| inventory(client, number)),
        connections: 16,
        strike: filter_at_length,
        test: "api/query/src/croit/tests.rs::a_slow_filter_yields_between_two_rows",
    },
    Siege {
        attack: "batches of 1,000 events for 500 hooks each",
        flags: &[],
        descriptors: None,
        accounts: 1,
        bring: |client| {
            let source = upload(client, b"true\n")?;
            (0..500).try_for_each(|_| bind(client, &source, "attack", json!({})))
        },
        connections: 4,
        strike: fire_a_batch,
        test: "dispatch/tests/it/accept.rs::a_request_that_causes_too_many_executions_in_all_is_refused_before_anything_is_stored",
    },
];

fn upload(client: &mut Client, program: &[u8]) -> anyhow::Result<Value> {
    expect_success("/api/v1/sources", client.upload("attack", program)?)
}

/// Uploads a program and binds it to `custom.attack`.
fn hook(client: &mut Client, program: &[u8], more: &Value) -> anyhow::Result<()> {
    let source = upload(client, program)?;
    bind(client, &source, "attack", more.clone())
}

fn fire_and_wait(client: &mut Client, number: usize) -> anyhow::Result<Strike> {
    let event = event("attack", &format!("strike-{number}"));
    let (status, _) = client.post("/api/v1/events?wait=60", &event)?;
    Ok(told(status))
}

fn fire_and_leave(client: &mut Client, number: usize) -> anyhow::Result<Strike> {
    let event = event("attack", &format!("strike-{number}"));
    let (status, _) = client.post("/api/v1/events", &event)?;
    thread::sleep(Duration::from_millis(100));
    Ok(told(status))
}

fn fire_a_batch(client: &mut Client, number: usize) -> anyhow::Result<Strike> {
    let events: Vec<_> = (0..1_000)
        .map(|index| event("attack", &format!("strike-{number}-{index}")))
        .collect();
    let (status, _) = client.post_batch("/api/v1/events", &Value::from(events))?;
    Ok(told(status))
}

fn fire_a_large_batch(client: &mut Client, number: usize) -> anyhow::Result<Strike> {
    let data = "x".repeat(250_000);
    let events: Vec<_> = (0..32)
        .map(|index| {
            let mut event = event("unheard", &format!("strike-{number}-{index}"));
            event["data"] = json!(data);
            event
        })
        .collect();
    let (status, _) = client.post_batch("/api/v1/events", &Value::from(events))?;
    Ok(told(status))
}

/// Writes many requests at once on a connection of its own, and takes the answers.
fn ask_with_wrong_tokens(client: &mut Client, _: usize) -> anyhow::Result<Strike> {
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer th_wrong\r\n\r\n",
        client.address()
    );
    let mut stream = TcpStream::connect(client.address())?;
    stream.write_all(request.repeat(200).as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    std::io::copy(&mut stream, &mut std::io::sink())?;
    Ok(Strike::TurnedAway)
}

/// Creates a server with a long and repetitive name.
fn inventory(client: &mut Client, number: usize) -> anyhow::Result<()> {
    let name: String = (0..190)
        .map(|index| {
            if (index * index + number) % 7 < 3 {
                'a'
            } else {
                'b'
            }
        })
        .collect();
    let server = json!({"name": format!("{name}{number}")});
    client.created("/api/v1/servers", &server).map(|_| ())
}

fn filter_at_length(client: &mut Client, _: usize) -> anyhow::Result<Strike> {
    // {"where":{"name":{"_regex":"([ab]{1,500}a)+[c-z]"}}}
    let (status, _) = client.get(
        "/api/servers?pagination=%7B%22where%22%3A%7B%22name%22%3A%7B%22_regex%22%3A%22\
         (%5Bab%5D%7B1%2C500%7Da)%2B%5Bc-z%5D%22%7D%7D%7D",
    )?;
    Ok(told(status))
}

fn told(status: u16) -> Strike {
    match status {
        0..300 => Strike::Served,
        _ => Strike::TurnedAway,
    }
}

/// Opens connections that say they will send a body and send a byte of it now and then,
/// until the server has closed them all.
fn hold_slow_bodies(client: &Client, count: usize) -> anyhow::Result<Strike> {
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100000\r\n\r\n",
        client.address()
    );
    let mut held: Vec<TcpStream> = (0..count)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(client.address()).ok()?;
            stream.write_all(head.as_bytes()).ok()?;
            Some(stream)
        })
        .collect();
    for _ in 0..10 {
        held.retain_mut(|stream| stream.write_all(b" ").is_ok());
        thread::sleep(Duration::from_millis(500));
    }
    Ok(match held.is_empty() {
        true => Strike::TurnedAway,
        false => Strike::Served,
    })
}

/// Opens connections from one of sixteen addresses of this host, each with a login of which
/// one byte comes, and opens them again when the server may have cut them.
fn hold_slow_logins(client: &Client, number: usize, count: usize) -> anyhow::Result<Strike> {
    let head = format!(
        "POST /api/auth/login-form HTTP/1.1\r\nHost: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nu",
        client.address()
    );
    let last = 2 + u8::try_from(number % 16)?;
    let server = client.address().parse()?;
    let mut held: Vec<TcpStream> = (0..count)
        .filter_map(|_| {
            let mut stream = connect_from([127, 0, 0, last], server).ok()?;
            stream.write_all(head.as_bytes()).ok()?;
            Some(stream)
        })
        .collect();
    thread::sleep(Duration::from_secs(5));
    let mut answer = [0];
    held.retain_mut(|stream| {
        let read = stream
            .set_nonblocking(true)
            .and_then(|()| stream.read(&mut answer));
        read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    });
    Ok(match held.is_empty() {
        true => Strike::TurnedAway,
        false => Strike::Served,
    })
}

/// Connects from an address of this host of the caller's choice.
fn connect_from(own: [u8; 4], server: SocketAddr) -> anyhow::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind((own, 0).into())?;
        socket.connect(server).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Follows the output of the newest execution, and takes all of it as fast as it comes.
fn hear_to_the_end(client: &mut Client, _: usize) -> anyhow::Result<Strike> {
    let (_, page) = client.get("/api/v1/executions")?;
    let Some(execution) = page["items"][0]["id"].as_str() else {
        return Ok(Strike::TurnedAway);
    };
    let head = format!(
        "GET /api/v1/executions/{execution}/output HTTP/1.1\r\nHost: {}\r\n\
         Authorization: Bearer {}\r\nConnection: close\r\n\r\n",
        client.address(),
        client.secret()
    );
    let mut stream = TcpStream::connect(client.address())?;
    stream.write_all(head.as_bytes())?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    std::io::copy(&mut stream, &mut std::io::sink())?;
    Ok(match &status {
        b"HTTP/1.1 200" => Strike::Served,
        _ => Strike::TurnedAway,
    })
}

/// Fires the hook and follows its output from several connections for a while.
fn follow(client: &mut Client, number: usize, count: usize) -> anyhow::Result<Strike> {
    let event = event("attack", &format!("strike-{number}"));
    let (status, answer) = client.post("/api/v1/events", &event)?;
    let Some(task) = answer["task"]["id"].as_str() else {
        return Ok(told(status));
    };
    let (_, page) = client.get(&format!("/api/v1/executions?task={task}"))?;
    let Some(execution) = page["items"][0]["id"].as_str() else {
        return Ok(Strike::TurnedAway);
    };
    let head = format!(
        "GET /api/v1/executions/{execution}/output HTTP/1.1\r\nHost: {}\r\n\
         Authorization: Bearer {}\r\n\r\n",
        client.address(),
        client.secret()
    );
    let mut held: Vec<TcpStream> = (0..count)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(client.address()).ok()?;
            stream.write_all(head.as_bytes()).ok()?;
            Some(stream)
        })
        .collect();
    thread::sleep(Duration::from_secs(5));
    let mut answered = [0; 12];
    let served = held.iter_mut().any(|stream| {
        stream.set_nonblocking(true).is_ok()
            && stream.read(&mut answered).is_ok_and(|read| read == 12)
            && answered == *b"HTTP/1.1 200"
    });
    Ok(match served {
        true => Strike::Served,
        false => Strike::TurnedAway,
    })
}
