//! Which system calls threads may make, by the kernel's seccomp.
//!
//! A call that is not allowed fails with `EPERM`, as it would for lack of rights.

mod lists;

use std::collections::BTreeMap;

use rustix::io::Errno;
use rustix::thread::secure_computing_mode;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use self::lists::{BASE, BY_NAME, FILES, MOUNTS, NEVER_SERVED};
use super::lock::NotHeld;

/// A system call's number.
type Number = libc::c_long;

/// For each call, when it is matched: if any of these rules is. None means always.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// `PR_GET_AUXV` of `linux/prctl.h`: where the kernel put its fast clock, among
/// others. Asked once, by whichever thread is first.
const PR_GET_AUXV: libc::c_int = 0x4155_5856;

/// `PAGEMAP_SCAN` of `linux/fs.h`: `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: u64 = 0xc060_6610;

/// The system calls that threads may make.
pub(super) struct Calls {
    filters: Vec<BpfProgram>,
}

impl Calls {
    /// What a guest's thread needs: to compute, to start threads, and to work with
    /// files, which are held otherwise.
    pub(super) fn of_guests() -> Result<Option<Self>, NotHeld> {
        Self::only(&[BASE, FILES, BY_NAME], &[threads()?, written_pages()?])
    }

    /// What a compiler needs: to compute, to start threads, and to read and write
    /// what is open.
    pub(super) fn of_compiler() -> Result<Option<Self>, NotHeld> {
        Self::only(&[BASE], &[threads()?])
    }

    /// What the thread needs that mounts scratch file systems.
    pub(super) fn of_scratch_thread() -> Result<Option<Self>, NotHeld> {
        Self::only(&[BASE, FILES, MOUNTS], &[])
    }

    /// Everything but what no server needs.
    pub(super) fn of_server() -> Result<Option<Self>, NotHeld> {
        let mut refused: Rules = always(&[NEVER_SERVED]);
        refused.insert(libc::SYS_clone, namespaces()?);
        Self::compile(vec![
            no_clone3()?,
            (refused, SeccompAction::Allow, errno(Errno::PERM)),
        ])
    }

    fn only(
        lists: &[&[Number]],
        more: &[(Number, Vec<SeccompRule>)],
    ) -> Result<Option<Self>, NotHeld> {
        // `clone3` is left to the filter before it, whose error must be the one told.
        let mut allowed = always(&[&[libc::SYS_clone3]]);
        allowed.append(&mut always(lists));
        allowed.extend(own_process()?);
        allowed.extend(more.iter().cloned());
        Self::compile(vec![
            no_clone3()?,
            (allowed, errno(Errno::PERM), SeccompAction::Allow),
        ])
    }

    /// Compiles filters, each with what it does to the calls that it does not
    /// match and to those it does; `None` if the kernel has no seccomp.
    fn compile(
        filters: Vec<(Rules, SeccompAction, SeccompAction)>,
    ) -> Result<Option<Self>, NotHeld> {
        let Ok(machine) = TargetArch::try_from(std::env::consts::ARCH) else {
            return Ok(None);
        };
        if secure_computing_mode().is_err() {
            return Ok(None);
        }
        let compile = |(rules, others, matched)| {
            BpfProgram::try_from(SeccompFilter::new(rules, others, matched, machine)?)
        };
        let filters = filters.into_iter().map(compile).collect::<Result<_, _>>();
        let filters = filters.map_err(not_held)?;
        Ok(Some(Self { filters }))
    }

    /// Holds the calling thread to it.
    pub(super) fn hold(&self) -> Result<(), NotHeld> {
        for filter in &self.filters {
            apply_filter(filter).map_err(|error| NotHeld::new("seccomp", error))?;
        }
        Ok(())
    }
}

/// A program cannot look into what `clone3` is given. "No such call" makes the C
/// library use `clone` instead.
fn no_clone3() -> Result<(Rules, SeccompAction, SeccompAction), NotHeld> {
    let rules = always(&[&[libc::SYS_clone3]]);
    Ok((rules, SeccompAction::Allow, errno(Errno::NOSYS)))
}

fn errno(errno: Errno) -> SeccompAction {
    SeccompAction::Errno(errno.raw_os_error().cast_unsigned())
}

fn always(lists: &[&[Number]]) -> Rules {
    let numbers = lists.iter().flat_map(|list| list.iter());
    numbers.map(|number| (*number, Vec::new())).collect()
}

/// Starting a thread of this process, and nothing else.
fn threads() -> Result<(Number, Vec<SeccompRule>), NotHeld> {
    let thread = u64::from(libc::CLONE_THREAD.cast_unsigned());
    let rule = rule(0, SeccompCmpOp::MaskedEq(thread), thread)?;
    Ok((libc::SYS_clone, vec![rule]))
}

/// Asking which pages of one's own memory were written: the runtime wipes only
/// those, which is a good part of a short run.
fn written_pages() -> Result<(Number, Vec<SeccompRule>), NotHeld> {
    let rule = rule(1, SeccompCmpOp::Eq, PAGEMAP_SCAN)?;
    Ok((libc::SYS_ioctl, vec![rule]))
}

/// `clone` with any of the flags that make a namespace.
fn namespaces() -> Result<Vec<SeccompRule>, NotHeld> {
    [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ]
    .into_iter()
    .map(|flag| {
        let flag = u64::from(flag.cast_unsigned());
        rule(0, SeccompCmpOp::MaskedEq(flag), flag)
    })
    .collect()
}

/// Calls that are harmless as long as they are about this process.
fn own_process() -> Result<Vec<(Number, Vec<SeccompRule>)>, NotHeld> {
    let own = u64::from(std::process::id());
    let one_of = |argument, values: &[libc::c_int]| -> Result<Vec<_>, NotHeld> {
        let values = values.iter().map(|value| u64::from(value.cast_unsigned()));
        values
            .map(|value| rule(argument, SeccompCmpOp::Eq, value))
            .collect()
    };
    let fcntl = [
        libc::F_DUPFD,
        libc::F_DUPFD_CLOEXEC,
        libc::F_GETFD,
        libc::F_SETFD,
        libc::F_GETFL,
        libc::F_SETFL,
        libc::F_ADD_SEALS,
        libc::F_GET_SEALS,
    ];
    let prctl = [
        libc::PR_SET_NAME,
        libc::PR_GET_NAME,
        libc::PR_SET_VMA,
        PR_GET_AUXV,
    ];
    Ok(vec![
        // A process that aborts sends itself a signal.
        (libc::SYS_tgkill, vec![rule(0, SeccompCmpOp::Eq, own)?]),
        (libc::SYS_fcntl, one_of(1, &fcntl)?),
        (libc::SYS_prctl, one_of(0, &prctl)?),
        // Reading a limit of one's own, for the size of a stack.
        (
            libc::SYS_prlimit64,
            vec![
                SeccompRule::new(vec![
                    condition(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, 0)?,
                    condition(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?,
                ])
                .map_err(not_held)?,
            ],
        ),
    ])
}

fn rule(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompRule, NotHeld> {
    let condition = condition(argument, SeccompCmpArgLen::Dword, op, value)?;
    SeccompRule::new(vec![condition]).map_err(not_held)
}

fn condition(
    argument: u8,
    length: SeccompCmpArgLen,
    op: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, NotHeld> {
    SeccompCondition::new(argument, length, op, value).map_err(not_held)
}

fn not_held(error: seccompiler::BackendError) -> NotHeld {
    NotHeld::new("seccomp", error)
}
