//! The shortest way from one list of lines to another.
//!
//! Myers' greedy search with a bound on the work: very different files give a
//! correct answer that is not the shortest.

use super::super::options::Given;
use std::collections::HashMap;

/// Steps after which the search settles for what it has.
const STEPS_MAX: usize = 4000;

/// Two texts in lines, each line with a number that equal lines share.
pub(super) struct Lines<'a> {
    pub(super) old: Vec<&'a [u8]>,
    pub(super) new: Vec<&'a [u8]>,
    old_ids: Vec<usize>,
    new_ids: Vec<usize>,
    ignores_blank: bool,
}

/// Lines `old.0..old.1` are replaced by lines `new.0..new.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) old: (usize, usize),
    pub(super) new: (usize, usize),
}

impl<'a> Lines<'a> {
    pub(super) fn new(old: &'a [u8], new: &'a [u8], given: &Given) -> Self {
        let old: Vec<&[u8]> = old.split_inclusive(|byte| *byte == b'\n').collect();
        let new: Vec<&[u8]> = new.split_inclusive(|byte| *byte == b'\n').collect();
        let mut known = HashMap::new();
        let mut number = |line: &&[u8]| {
            let next = known.len();
            *known.entry(key(line, given)).or_insert(next)
        };
        Self {
            old_ids: old.iter().map(&mut number).collect(),
            new_ids: new.iter().map(&mut number).collect(),
            old,
            new,
            ignores_blank: given.has('B'),
        }
    }

    /// What has to change, from top to bottom.
    pub(super) fn changes(&self) -> Vec<Change> {
        let (a, b) = (&self.old_ids, &self.new_ids);
        let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let tail = a[head..].iter().rev().zip(b[head..].iter().rev());
        let tail = tail.take_while(|(a, b)| a == b).count();
        let kept = matches(&a[head..a.len() - tail], &b[head..b.len() - tail]);
        let mut changes = Vec::new();
        let mut at = (head, head);
        let end = (a.len() - tail, b.len() - tail);
        for (x, y) in kept
            .into_iter()
            .map(|(x, y)| (x + head, y + head))
            .chain([end])
        {
            if (x, y) != at {
                changes.push(Change {
                    old: (at.0, x),
                    new: (at.1, y),
                });
            }
            at = (x + 1, y + 1);
        }
        if self.ignores_blank {
            changes.retain(|change| !self.is_blank(change));
        }
        changes
    }

    fn is_blank(&self, change: &Change) -> bool {
        let old = &self.old[change.old.0..change.old.1];
        let new = &self.new[change.new.0..change.new.1];
        old.iter()
            .chain(new)
            .all(|line| matches!(*line, b"\n" | b""))
    }
}

/// What two lines must share to count as equal.
fn key(line: &[u8], given: &Given) -> Vec<u8> {
    let mut key = line.to_vec();
    if given.has('\r') && key.ends_with(b"\r\n") {
        key.truncate(key.len() - 2);
        key.push(b'\n');
    }
    if given.has('i') {
        key.make_ascii_lowercase();
    }
    let is_space = |byte: &u8| byte.is_ascii_whitespace() && *byte != b'\n';
    if given.has('w') {
        key.retain(|byte| !is_space(byte));
    } else if given.has('b') {
        let words: Vec<&[u8]> = key.split(is_space).collect();
        let starts_blank = words.first().is_some_and(|word| word.is_empty());
        let mut joined: Vec<u8> = if starts_blank {
            b" ".to_vec()
        } else {
            Vec::new()
        };
        let filled: Vec<&[u8]> = words.into_iter().filter(|word| !word.is_empty()).collect();
        joined.extend(filled.join(&b' '));
        if joined.ends_with(b" \n") {
            joined.truncate(joined.len() - 2);
            joined.push(b'\n');
        }
        key = joined;
    }
    key
}

/// Pairs of equal lines on the way from `a` to `b`.
fn matches(a: &[usize], b: &[usize]) -> Vec<(usize, usize)> {
    let (n, m) = (a.len(), b.len());
    if n == 0 || m == 0 {
        return Vec::new();
    }
    // `reach[k]` is how far down `a` one comes on the diagonal k - middle.
    let steps = (n + m).min(STEPS_MAX);
    let middle = steps + 1;
    let mut reach = vec![0_usize; 2 * steps + 3];
    let mut trace = Vec::new();
    for d in 0..=steps {
        trace.push(reach[middle - d..=middle + d].to_vec());
        let mut k = middle - d;
        while k <= middle + d {
            let down = k == middle - d || (k != middle + d && reach[k - 1] < reach[k + 1]);
            let mut x = if down { reach[k + 1] } else { reach[k - 1] + 1 };
            let mut y = (x + middle).wrapping_sub(k);
            while x < n && y < m && a[x] == b[y] {
                x += 1;
                y += 1;
            }
            reach[k] = x;
            if x >= n && y >= m && y < usize::MAX / 2 {
                return walk_back(&trace, d, n, m);
            }
            k += 2;
        }
    }
    Vec::new()
}

/// Reads the matches off the trace of a search that arrived after `d` steps.
fn walk_back(trace: &[Vec<usize>], d: usize, n: usize, m: usize) -> Vec<(usize, usize)> {
    let mut kept = Vec::new();
    let (mut x, mut y) = (n, m);
    for d in (1..=d).rev() {
        // Row `d` holds the diagonals -d to d as they were before step `d`.
        let row = &trace[d];
        let at = (x + d).wrapping_sub(y);
        let down = at == 0 || (at != 2 * d && row[at - 1] < row[at + 1]);
        let (before_x, before_y) = if down {
            let bx = row[at + 1];
            (bx, (bx + d).wrapping_sub(at + 1))
        } else {
            let bx = row[at - 1];
            (bx, (bx + d + 1).wrapping_sub(at))
        };
        let start = if down {
            (before_x, before_y + 1)
        } else {
            (before_x + 1, before_y)
        };
        while x > start.0 && y > start.1 {
            x -= 1;
            y -= 1;
            kept.push((x, y));
        }
        (x, y) = (before_x, before_y);
    }
    while x > 0 && y > 0 {
        x -= 1;
        y -= 1;
        kept.push((x, y));
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::super::super::options::Given;
    use super::{Change, Lines, matches};

    /// Length of the longest common subsequence, the slow and sure way.
    fn longest(a: &[usize], b: &[usize]) -> usize {
        let mut row = vec![0; b.len() + 1];
        for x in a {
            let mut corner = 0;
            for (at, y) in b.iter().enumerate() {
                let above = row[at + 1];
                row[at + 1] = if x == y {
                    corner + 1
                } else {
                    above.max(row[at])
                };
                corner = above;
            }
        }
        row[b.len()]
    }

    #[test]
    fn the_search_keeps_as_much_as_can_be_kept() {
        let mut state = 1_u64;
        let mut next = |bound: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((state >> 33) % bound).unwrap()
        };
        for _ in 0..2000 {
            let (n, m) = (next(12), next(12));
            let a: Vec<usize> = (0..n).map(|_| next(4)).collect();
            let b: Vec<usize> = (0..m).map(|_| next(4)).collect();
            let kept = matches(&a, &b);
            assert!(kept.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
            assert!(kept.iter().all(|(x, y)| a[*x] == b[*y]));
            assert_eq!(kept.len(), longest(&a, &b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_replaced_line_is_one_change() {
        let given = Given::default();
        let changes = Lines::new(b"a\nb\nc\n", b"a\nx\nc\n", &given).changes();
        assert_eq!(
            changes,
            [Change {
                old: (1, 2),
                new: (1, 2)
            }]
        );
    }
}
