//! How the server meets its clients and the proxies in front of it: flags as typed.

use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use tenterhook_api::{Door, Network, Proxies, ProxyProtocol};

use crate::faults::Faults;
use crate::quantity::{parse_millis, parse_size};

/// The longest that a client's silence can be allowed to last, in milliseconds: an hour.
const SILENCE_MAX: u64 = 60 * 60 * 1_000;

/// The highest rate that clients can be held to: more would cut off a fast network.
const RATE_MAX: u64 = 16 << 20;

/// Clients, and the proxies in front of the server.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Clients and proxies")]
pub(crate) struct RawFrontDoor {
    /// A second address, on which health, readiness and metrics are served and nothing
    /// else.
    #[arg(long, value_name = "ADDR", env = "TENTERHOOK_HEALTH_LISTEN")]
    pub(super) health_listen: Option<String>,
    /// A proxy, or a network of them, that is believed when it says for which client it
    /// calls: in `Forwarded` or `X-Forwarded-For`, or by the PROXY protocol. Can be
    /// repeated.
    #[arg(
        long,
        value_name = "CIDR",
        env = "TENTERHOOK_TRUSTED_PROXY",
        value_delimiter = ','
    )]
    trusted_proxy: Vec<String>,
    /// Trusted proxies begin each connection with a header of the PROXY protocol,
    /// version 2; one without it is refused.
    #[arg(long, env = "TENTERHOOK_PROXY_PROTOCOL", value_parser = FalseyValueParser::new())]
    proxy_protocol: bool,
    /// How long a connection is kept open between two requests [default: 75s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_KEEP_ALIVE")]
    keep_alive: Option<String>,
    /// How long the head of a request may take to arrive [default: 30s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_HEAD_TIMEOUT")]
    head_timeout: Option<String>,
    /// How long a client may take nothing of a reply [default: 30s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_WRITE_TIMEOUT")]
    write_timeout: Option<String>,
    /// Bytes a second that a body has to arrive with, and a reply has to be taken with,
    /// beyond the first half minute [default: 16KiB].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_MIN_RATE")]
    min_rate: Option<String>,
}

impl RawFrontDoor {
    /// Reads how patient the server is with its clients.
    pub(super) fn door(&self, faults: &mut Faults) -> Door {
        let mut door = Door::default();
        for (flag, text, time) in [
            ("--keep-alive", &self.keep_alive, &mut door.keep_alive),
            ("--head-timeout", &self.head_timeout, &mut door.head),
            ("--write-timeout", &self.write_timeout, &mut door.reply),
        ] {
            let said = text.as_deref().map(silence);
            if let Some(said) = said.and_then(|said| faults.check(flag, said)) {
                *time = said;
            }
        }
        let said = self.min_rate.as_deref().map(rate);
        if let Some(rate) = said.and_then(|said| faults.check("--min-rate", said)) {
            door.body_rate = rate;
            door.reply_rate = rate;
        }
        door
    }

    /// Reads which proxies are believed.
    pub(super) fn proxies(&self, faults: &mut Faults) -> Proxies {
        let networks = self.trusted_proxy.iter().filter_map(|text| {
            let read = text.parse::<Network>();
            let read = read.map_err(|error| format!("{error}, not `{text}`"));
            faults.check("--trusted-proxy", read)
        });
        let networks: Vec<Network> = networks.collect();
        if self.proxy_protocol && self.trusted_proxy.is_empty() {
            faults.add(
                "--proxy-protocol",
                "needs `--trusted-proxy`: nobody else may say whose connection it is",
            );
        }
        let protocol = match self.proxy_protocol {
            true => ProxyProtocol::Required,
            false => ProxyProtocol::Off,
        };
        Proxies::new(networks, protocol)
    }
}

fn silence(text: &str) -> Result<Duration, String> {
    let millis = parse_millis(text).map_err(|error| error.to_string())?;
    if millis == 0 || millis > SILENCE_MAX {
        return Err(format!("must be from 1ms to 1h, not {text}"));
    }
    Ok(Duration::from_millis(millis))
}

fn rate(text: &str) -> Result<u64, String> {
    let bytes = parse_size(text).map_err(|error| error.to_string())?;
    if bytes == 0 || bytes > RATE_MAX {
        return Err(format!("must be from 1 byte to 16MiB a second, not {text}"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &RawFrontDoor) -> Result<(Door, Proxies), String> {
        let mut faults = Faults::default();
        let read = (raw.door(&mut faults), raw.proxies(&mut faults));
        faults
            .none()
            .map(|()| read)
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn nothing_said_is_the_default() {
        let read = read(&RawFrontDoor::default());
        assert_eq!(read, Ok((Door::default(), Proxies::default())));
    }

    #[test]
    fn each_flag_changes_what_it_names() {
        let (door, proxies) = read(&RawFrontDoor {
            trusted_proxy: vec!["10.0.0.0/8".into(), "2001:db8::7".into()],
            proxy_protocol: true,
            keep_alive: Some("5min".into()),
            head_timeout: Some("5s".into()),
            write_timeout: Some("1min".into()),
            min_rate: Some("4KiB".into()),
            ..RawFrontDoor::default()
        })
        .unwrap();
        assert_eq!(door.keep_alive, Duration::from_secs(300));
        assert_eq!(door.head, Duration::from_secs(5));
        assert_eq!(door.reply, Duration::from_secs(60));
        assert_eq!((door.body_rate, door.reply_rate), (4_096, 4_096));
        let networks = ["10.0.0.0/8", "2001:db8::7"].map(|text| text.parse().unwrap());
        assert_eq!(proxies, Proxies::new(networks, ProxyProtocol::Required));
    }

    #[test]
    fn what_makes_no_sense_is_refused_all_at_once() {
        let told = read(&RawFrontDoor {
            trusted_proxy: vec!["10.0.0.1/8".into()],
            keep_alive: Some("0s".into()),
            head_timeout: Some("2h".into()),
            write_timeout: Some("soon".into()),
            min_rate: Some("0".into()),
            ..RawFrontDoor::default()
        })
        .unwrap_err();
        for flag in [
            "--trusted-proxy",
            "--keep-alive",
            "--head-timeout",
            "--write-timeout",
            "--min-rate",
        ] {
            assert!(told.contains(&format!("`{flag}` ")), "{flag}: {told}");
        }
        let alone = RawFrontDoor {
            proxy_protocol: true,
            ..RawFrontDoor::default()
        };
        assert!(read(&alone).unwrap_err().contains("--trusted-proxy"));
    }
}
