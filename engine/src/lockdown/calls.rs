//! Which system calls threads may make, enforced by seccomp.
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

use self::lists::{BASE, IMAGES, NEVER_SERVED};
use super::restrictions::NotApplied;

/// A system call's number.
type Number = libc::c_long;

/// When each call matches: if any of these rules does. None means always.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// `PR_GET_AUXV` of `linux/prctl.h`: returns, among others, where the kernel put the vDSO.
/// Called once, by the first thread that needs it.
const PR_GET_AUXV: libc::c_int = 0x4155_5856;

/// `PAGEMAP_SCAN` of `linux/fs.h`: `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: u64 = 0xc060_6610;

/// The system calls that threads may make.
pub(super) struct Calls {
    filters: Vec<BpfProgram>,
}

impl Calls {
    /// Returns what a guest's thread needs: to compute, to start threads, and to make
    /// memory that instances are copied from. It opens no file.
    pub(super) fn of_guests() -> Result<Option<Self>, NotApplied> {
        Self::only(&[BASE, IMAGES], &[threads()?, written_pages()?])
    }

    /// Returns what a compiler needs: to compute, to start threads, and to read and write
    /// open descriptors.
    pub(super) fn of_compiler() -> Result<Option<Self>, NotApplied> {
        Self::only(&[BASE], &[threads()?])
    }

    /// Returns everything except what no server needs.
    pub(super) fn of_server() -> Result<Option<Self>, NotApplied> {
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
    ) -> Result<Option<Self>, NotApplied> {
        // `clone3` is left to the first filter, whose error must be the one returned.
        let mut allowed = always(&[&[libc::SYS_clone3]]);
        allowed.append(&mut always(lists));
        allowed.extend(own_process()?);
        allowed.extend(more.iter().cloned());
        Self::compile(vec![
            no_clone3()?,
            (allowed, errno(Errno::PERM), SeccompAction::Allow),
        ])
    }

    /// Compiles filters, each with its action for calls that do not match and for those
    /// that do; `None` if the kernel has no seccomp.
    fn compile(
        filters: Vec<(Rules, SeccompAction, SeccompAction)>,
    ) -> Result<Option<Self>, NotApplied> {
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
        let filters = filters.map_err(not_applied)?;
        Ok(Some(Self { filters }))
    }

    /// Applies the filters to the calling thread.
    pub(super) fn apply(&self) -> Result<(), NotApplied> {
        for filter in &self.filters {
            apply_filter(filter).map_err(|error| NotApplied::new("seccomp", error))?;
        }
        Ok(())
    }
}

/// Returns a filter that refuses `clone3`, whose arguments a filter cannot read. `ENOSYS`
/// makes the C library use `clone` instead.
fn no_clone3() -> Result<(Rules, SeccompAction, SeccompAction), NotApplied> {
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

/// Allows `clone` to start a thread of this process, and nothing else.
fn threads() -> Result<(Number, Vec<SeccompRule>), NotApplied> {
    let thread = u64::from(libc::CLONE_THREAD.cast_unsigned());
    let rule = rule(0, SeccompCmpOp::MaskedEq(thread), thread)?;
    Ok((libc::SYS_clone, vec![rule]))
}

/// Allows a thread to ask which pages of its own memory were written: the runtime wipes
/// only those, which otherwise is a good part of a short run.
fn written_pages() -> Result<(Number, Vec<SeccompRule>), NotApplied> {
    let rule = rule(1, SeccompCmpOp::Eq, PAGEMAP_SCAN)?;
    Ok((libc::SYS_ioctl, vec![rule]))
}

/// Matches `clone` with any of the flags that create a namespace.
fn namespaces() -> Result<Vec<SeccompRule>, NotApplied> {
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

/// Allows calls that are harmless as long as they concern this process.
fn own_process() -> Result<Vec<(Number, Vec<SeccompRule>)>, NotApplied> {
    let own = u64::from(std::process::id());
    let one_of = |argument, values: &[libc::c_int]| -> Result<Vec<_>, NotApplied> {
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
        // Reading one's own limit, for the size of a stack.
        (
            libc::SYS_prlimit64,
            vec![
                SeccompRule::new(vec![
                    condition(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, 0)?,
                    condition(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?,
                ])
                .map_err(not_applied)?,
            ],
        ),
    ])
}

fn rule(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompRule, NotApplied> {
    let condition = condition(argument, SeccompCmpArgLen::Dword, op, value)?;
    SeccompRule::new(vec![condition]).map_err(not_applied)
}

fn condition(
    argument: u8,
    length: SeccompCmpArgLen,
    op: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, NotApplied> {
    SeccompCondition::new(argument, length, op, value).map_err(not_applied)
}

fn not_applied(error: seccompiler::BackendError) -> NotApplied {
    NotApplied::new("seccomp", error)
}
