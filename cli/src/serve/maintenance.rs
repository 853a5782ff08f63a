//! How maintenance sessions are stored and driven: flags as typed.

use clap::Args;
use tenterhook_maintenance::Settings;
use time::Duration;

use crate::faults::Faults;
use crate::quantity::{parse_count, parse_millis};

/// Most sessions of one account: each is polled every second.
const SESSIONS_MAX: usize = 1_000;

/// Longest wait for a project or a host, in milliseconds: a week.
const WAIT_MAX: u64 = 7 * 24 * 60 * 60 * 1_000;

/// Maintenance sessions.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Maintenance sessions")]
pub(crate) struct RawMaintenance {
    /// Sessions that an account may have at one time, finished ones included
    /// [default: 3].
    #[arg(long, value_name = "COUNT", env = "TENTERHOOK_MAINTENANCE_SESSIONS")]
    maintenance_sessions: Option<String>,
    /// How long a project may take to reply [default: 40s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_MAINTENANCE_REPLY")]
    maintenance_reply: Option<String>,
    /// How long a project may take to reply when it is asked to scale in [default: 60s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_MAINTENANCE_SCALE_IN")]
    maintenance_scale_in: Option<String>,
    /// How long instances may take to leave a host that is to be maintained
    /// [default: 240s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_MAINTENANCE_EMPTY_HOST")]
    maintenance_empty_host: Option<String>,
    /// Where projects reach this server, such as `https://maintenance.example`
    /// [default: the address by which a session was created].
    #[arg(long, value_name = "URL", env = "TENTERHOOK_PUBLIC_URL")]
    public_url: Option<String>,
}

impl RawMaintenance {
    /// Reads the settings; what was not given is the default.
    pub(super) fn read(self, faults: &mut Faults) -> Settings {
        let mut settings = Settings::default();
        let timeouts = &mut settings.timeouts;
        for (flag, text, wait) in [
            (
                "--maintenance-reply",
                self.maintenance_reply,
                &mut timeouts.reply,
            ),
            (
                "--maintenance-scale-in",
                self.maintenance_scale_in,
                &mut timeouts.scale_in,
            ),
            (
                "--maintenance-empty-host",
                self.maintenance_empty_host,
                &mut timeouts.empty_host,
            ),
        ] {
            if let Some(timeout) = text.and_then(|text| faults.check(flag, duration(&text))) {
                *wait = timeout;
            }
        }
        if let Some(count) = self
            .maintenance_sessions
            .and_then(|text| faults.check("--maintenance-sessions", sessions(&text)))
        {
            settings.sessions = count;
        }
        settings.public_url = self
            .public_url
            .and_then(|text| faults.check("--public-url", base_url(&text)));
        settings
    }
}

fn sessions(text: &str) -> Result<usize, String> {
    let count = parse_count(text).map_err(|error| error.to_string())?;
    usize::try_from(count)
        .ok()
        .filter(|count| (1..=SESSIONS_MAX).contains(count))
        .ok_or_else(|| format!("must be from 1 to {SESSIONS_MAX}, not {text}"))
}

fn duration(text: &str) -> Result<Duration, String> {
    let millis = parse_millis(text).map_err(|error| error.to_string())?;
    if millis == 0 || millis > WAIT_MAX {
        return Err(format!("must be from 1ms to 7d, not {text}"));
    }
    Ok(Duration::milliseconds(
        i64::try_from(millis).unwrap_or(i64::MAX),
    ))
}

/// Checks an address to which paths will be added.
fn base_url(text: &str) -> Result<String, &'static str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .map(|rest| rest.trim_end_matches('/'));
    // Fenix's documents bound addresses that projects are sent to 255 characters.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
    match rest {
        Some(rest)
            if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
                && rest.chars().all(is_plain)
                && text.len() <= 100 =>
        {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(
            "must be an address such as https://maintenance.example or http://10.0.0.5:8080/hooks, \
             without query and of at most 100 characters",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: RawMaintenance) -> Result<Settings, String> {
        let mut faults = Faults::default();
        let settings = raw.read(&mut faults);
        faults
            .none()
            .map(|()| settings)
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn without_flags_the_defaults_are_used() {
        assert_eq!(read(RawMaintenance::default()), Ok(Settings::default()));
    }

    #[test]
    fn each_flag_changes_its_own_setting() {
        let settings = read(RawMaintenance {
            maintenance_sessions: Some("1k".into()),
            maintenance_reply: Some("1.5s".into()),
            maintenance_scale_in: Some("5min".into()),
            maintenance_empty_host: Some("1h".into()),
            public_url: Some("https://m.example/hooks/".into()),
        })
        .unwrap();
        assert_eq!(settings.sessions, 1_000);
        assert_eq!(settings.timeouts.reply, Duration::milliseconds(1_500));
        assert_eq!(settings.timeouts.scale_in, Duration::minutes(5));
        assert_eq!(settings.timeouts.empty_host, Duration::hours(1));
        assert_eq!(
            settings.public_url.as_deref(),
            Some("https://m.example/hooks")
        );
    }

    #[test]
    fn all_nonsensical_flags_are_refused_at_once() {
        let error = read(RawMaintenance {
            maintenance_sessions: Some("1001".into()),
            maintenance_reply: Some("40".into()),
            maintenance_scale_in: Some("0s".into()),
            maintenance_empty_host: Some("8d".into()),
            public_url: Some("m.example".into()),
        })
        .unwrap_err();
        for flag in [
            "--maintenance-sessions",
            "--maintenance-reply",
            "--maintenance-scale-in",
            "--maintenance-empty-host",
            "--public-url",
        ] {
            assert!(error.contains(&format!("`{flag}` ")), "{flag}: {error}");
        }
    }

    #[test]
    fn a_public_url_is_a_base_for_paths() {
        for url in [
            "http://[::1]:8080",
            "https://m.example",
            "http://10.0.0.5:1/a/b",
        ] {
            assert_eq!(base_url(url).as_deref(), Ok(url));
        }
        for url in [
            "",
            "https://",
            "https:///a",
            "ftp://m.example",
            "https://m.example?a=1",
            "https://m.example#a",
            "https://user@m.example",
            "https://m.example/\r\nX: y",
            "https://m.example/ä",
        ] {
            assert!(base_url(url).is_err(), "{url}");
        }
        assert!(base_url(&format!("https://{}", "m".repeat(93))).is_err());
    }
}
