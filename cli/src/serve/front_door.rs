//! How the server treats its clients and the proxies in front of it, as flags.

use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use tenterhook_api::{CorsOrigins, Door, Network, Origin, Proxies, ProxyProtocol};

use crate::faults::Faults;
use crate::quantity::{parse_millis, parse_size};

/// The longest timeout for a silent client, in milliseconds: an hour.
const SILENCE_MAX: u64 = 60 * 60 * 1_000;

/// The highest minimum rate for clients: more would cut off a fast network.
const RATE_MAX: u64 = 16 << 20;

/// Clients, and the proxies in front of the server.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Clients and proxies")]
pub(crate) struct FrontDoorFlags {
    /// A second address, which serves only health, readiness and metrics.
    #[arg(long, value_name = "ADDR", env = "TENTERHOOK_HEALTH_LISTEN")]
    pub(super) health_listen: Option<String>,
    /// A proxy, or a network of proxies, that is trusted to name its client: in `Forwarded`
    /// or `X-Forwarded-For`, or by the PROXY protocol. May be repeated.
    #[arg(
        long,
        value_name = "CIDR",
        env = "TENTERHOOK_TRUSTED_PROXY",
        value_delimiter = ','
    )]
    trusted_proxy: Vec<String>,
    /// Require that trusted proxies begin each connection with a header of the PROXY protocol,
    /// version 2; one without it is refused.
    #[arg(long, env = "TENTERHOOK_PROXY_PROTOCOL", value_parser = FalseyValueParser::new())]
    proxy_protocol: bool,
    /// An origin whose pages may read replies in a browser, such as `https://console.example`;
    /// by default none may. May be repeated.
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "TENTERHOOK_CORS_ORIGIN",
        value_delimiter = ','
    )]
    cors_origin: Vec<String>,
    /// How long a connection is kept open between two requests [default: 75s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_KEEP_ALIVE")]
    keep_alive: Option<String>,
    /// How long the head of a request may take to arrive [default: 30s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_HEAD_TIMEOUT")]
    head_timeout: Option<String>,
    /// How long a client may accept nothing of a reply [default: 30s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_WRITE_TIMEOUT")]
    write_timeout: Option<String>,
    /// Bytes per second at which a body must arrive, and a reply must be accepted, after
    /// the first half minute [default: 16KiB].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_MIN_RATE")]
    min_rate: Option<String>,
}

impl FrontDoorFlags {
    /// Parses the timeouts and rates for clients.
    pub(super) fn door(&self, faults: &mut Faults) -> Door {
        let mut door = Door::default();
        for (flag, text, time) in [
            ("--keep-alive", &self.keep_alive, &mut door.keep_alive),
            ("--head-timeout", &self.head_timeout, &mut door.head),
            ("--write-timeout", &self.write_timeout, &mut door.reply),
        ] {
            let time_given = text.as_deref().map(silence);
            if let Some(given) = time_given.and_then(|given| faults.check(flag, given)) {
                *time = given;
            }
        }
        let rate_given = self.min_rate.as_deref().map(rate);
        if let Some(rate) = rate_given.and_then(|given| faults.check("--min-rate", given)) {
            door.body_rate = rate;
            door.reply_rate = rate;
        }
        door
    }

    /// Parses the origins whose pages may read replies.
    pub(super) fn cors_origins(&self, faults: &mut Faults) -> CorsOrigins {
        let origins = self.cors_origin.iter().filter_map(|text| {
            let read = text.parse::<Origin>();
            let read = read.map_err(|error| format!("{error}, not `{}`", text.escape_debug()));
            faults.check("--cors-origin", read)
        });
        CorsOrigins::new(origins)
    }

    /// Parses which proxies are trusted.
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
                "needs `--trusted-proxy`: only a trusted proxy may name the client",
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

    fn read(flags: &FrontDoorFlags) -> Result<(Door, Proxies), String> {
        let mut faults = Faults::default();
        let read = (flags.door(&mut faults), flags.proxies(&mut faults));
        faults
            .none()
            .map(|()| read)
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn without_flags_the_defaults_apply() {
        let read = read(&FrontDoorFlags::default());
        assert_eq!(read, Ok((Door::default(), Proxies::default())));
    }

    #[test]
    fn each_flag_changes_its_own_setting() {
        let (door, proxies) = read(&FrontDoorFlags {
            trusted_proxy: vec!["10.0.0.0/8".into(), "2001:db8::7".into()],
            proxy_protocol: true,
            keep_alive: Some("5min".into()),
            head_timeout: Some("5s".into()),
            write_timeout: Some("1min".into()),
            min_rate: Some("4KiB".into()),
            ..FrontDoorFlags::default()
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
    fn all_invalid_flags_are_reported_at_once() {
        let message = read(&FrontDoorFlags {
            trusted_proxy: vec!["10.0.0.1/8".into()],
            keep_alive: Some("0s".into()),
            head_timeout: Some("2h".into()),
            write_timeout: Some("soon".into()),
            min_rate: Some("0".into()),
            ..FrontDoorFlags::default()
        })
        .unwrap_err();
        for flag in [
            "--trusted-proxy",
            "--keep-alive",
            "--head-timeout",
            "--write-timeout",
            "--min-rate",
        ] {
            assert!(message.contains(&format!("`{flag}` ")), "{flag}: {message}");
        }
        for origin in ["*", "null", "console.example", "https://a.example/"] {
            let mut faults = Faults::default();
            let flags = FrontDoorFlags {
                cors_origin: vec![origin.into()],
                ..FrontDoorFlags::default()
            };
            flags.cors_origins(&mut faults);
            let message = faults.none().unwrap_err().to_string();
            assert!(message.contains("`--cors-origin` "), "{message}");
        }
        let alone = FrontDoorFlags {
            proxy_protocol: true,
            ..FrontDoorFlags::default()
        };
        assert!(read(&alone).unwrap_err().contains("--trusted-proxy"));
    }
}
