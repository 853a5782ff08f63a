//! One run as it was asked for: script, arguments, environment, input, quota.

use crate::files::Quota;

/// Everything that one run gets from outside.
#[derive(Clone, Debug)]
pub struct Job {
    /// The script's text. Bytes which are not UTF-8 become U+FFFD where it is run.
    pub script: Vec<u8>,
    /// The name of the script's file, and so the end of `$0`.
    pub name: String,
    /// `$1`, `$2` and so on.
    pub arguments: Vec<String>,
    /// Exported variables, over the defaults of the shell.
    pub environment: Vec<(String, String)>,
    /// Standard input, all of it.
    pub stdin: Vec<u8>,
    /// The content of `/event.json`; none, no such file.
    pub event: Option<Vec<u8>>,
    /// What the script may store.
    pub quota: Quota,
    /// Starts everything that is random in the shell itself.
    pub seed: u64,
}

impl Job {
    /// A run of `script` without arguments, input or event.
    pub fn new(script: impl Into<Vec<u8>>) -> Self {
        Self {
            script: script.into(),
            name: "sh".to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            stdin: Vec::new(),
            event: None,
            quota: Quota::DEFAULT,
            seed: 0,
        }
    }
}
