//! The descriptors of a module.

use tenterhook_machine::{Errno, NodeId};

use crate::invocation::Stream;

/// What a descriptor stands for.
#[derive(Debug)]
pub(crate) enum Descriptor {
    /// Standard input.
    Stdin,
    /// Standard output or standard error.
    Output(Stream),
    /// A file or a folder.
    File(OpenFile),
}

/// A file or a folder that is open.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    pub(crate) node: NodeId,
    pub(crate) position: u64,
    /// The flags and rights of preview 1.
    pub(crate) flags: u16,
    pub(crate) rights: u64,
    pub(crate) inherited: u64,
    /// The path by which a guest knows it from the start.
    pub(crate) preopened: Option<&'static str>,
}

/// The descriptors of one module, by their numbers.
#[derive(Debug)]
pub(crate) struct Descriptors {
    open: Vec<Option<Descriptor>>,
    /// How many may be open beside those that a module starts with.
    most: usize,
    count: usize,
}

impl Descriptors {
    /// Starts with the three standard streams, and with what is given on top of them.
    pub(crate) fn new(most: u32, given: Option<OpenFile>) -> Self {
        let mut open = vec![
            Some(Descriptor::Stdin),
            Some(Descriptor::Output(Stream::Stdout)),
            Some(Descriptor::Output(Stream::Stderr)),
        ];
        open.extend(given.map(Descriptor::File).map(Some));
        Self {
            most: open.len() + most as usize,
            count: open.len(),
            open,
        }
    }

    /// Returns what a number stands for.
    pub(crate) fn get(&self, number: u32) -> Result<&Descriptor, Errno> {
        let found = self.open.get(number as usize).and_then(Option::as_ref);
        found.ok_or(Errno::Badf)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, number: u32) -> Result<&mut Descriptor, Errno> {
        let found = self.open.get_mut(number as usize);
        found.and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    /// Checks that one more may be open.
    pub(crate) fn may_open(&self) -> Result<(), Errno> {
        match self.count < self.most {
            true => Ok(()),
            false => Err(Errno::Mfile),
        }
    }

    /// Adds one under the lowest free number, which it returns.
    pub(crate) fn add(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        self.may_open()?;
        let free = self.open.iter().position(Option::is_none);
        let number = free.unwrap_or(self.open.len());
        match free {
            Some(_) => self.open[number] = Some(descriptor),
            None => self.open.push(Some(descriptor)),
        }
        self.count += 1;
        u32::try_from(number).map_err(|_| Errno::Mfile)
    }

    /// Takes one out, to be closed.
    pub(crate) fn remove(&mut self, number: u32) -> Result<Descriptor, Errno> {
        let place = self.open.get_mut(number as usize).ok_or(Errno::Badf)?;
        let removed = place.take().ok_or(Errno::Badf)?;
        self.count -= 1;
        Ok(removed)
    }

    /// Moves one to the number of another, which it returns, to be closed.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<Option<Descriptor>, Errno> {
        self.get(from)?;
        self.get(to)?;
        if from == to {
            return Ok(None);
        }
        let moved = self.remove(from)?;
        Ok(self.open[to as usize].replace(moved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> OpenFile {
        OpenFile {
            node: NodeId::ROOT,
            position: 0,
            flags: 0,
            rights: 0,
            inherited: 0,
            preopened: None,
        }
    }

    #[test]
    fn the_lowest_free_number_is_used() {
        let mut open = Descriptors::new(3, Some(file()));
        assert_eq!(open.add(Descriptor::File(file())), Ok(4));
        assert_eq!(open.add(Descriptor::File(file())), Ok(5));
        open.remove(1).unwrap();
        assert_eq!(open.add(Descriptor::File(file())), Ok(1));
        assert_eq!(open.get(7).unwrap_err(), Errno::Badf);
    }

    #[test]
    fn those_that_a_module_starts_with_do_not_count() {
        let mut open = Descriptors::new(1, None);
        open.add(Descriptor::File(file())).unwrap();
        assert_eq!(open.add(Descriptor::File(file())), Err(Errno::Mfile));
        open.remove(3).unwrap();
        assert_eq!(open.remove(3).unwrap_err(), Errno::Badf);
        open.may_open().unwrap();
    }

    #[test]
    fn a_descriptor_that_replaces_another_counts_once() {
        let mut open = Descriptors::new(2, None);
        open.add(Descriptor::File(file())).unwrap();
        open.add(Descriptor::File(file())).unwrap();
        assert!(open.renumber(4, 3).unwrap().is_some());
        open.may_open().unwrap();
        assert_eq!(open.get(4).unwrap_err(), Errno::Badf);
        assert!(matches!(
            open.renumber(3, 1),
            Ok(Some(Descriptor::Output(Stream::Stdout)))
        ));
        assert!(open.renumber(1, 1).unwrap().is_none());
        assert_eq!(open.renumber(1, 9).unwrap_err(), Errno::Badf);
    }
}
