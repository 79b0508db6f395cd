//! The order of the operations: as they were sent, but what an operation needs comes first.

/// Groups of operations, in the order in which they are to be done. A group of several are
/// operations that need each other in a circle. `needs` tells for every operation which others it
/// needs; every number in it is less than its length.
///
/// These are the strongly connected components of the graph, as Tarjan finds them: it completes
/// what an operation needs before the operation itself, and goes through them in the order they
/// were sent. The stack is our own, so a chain of any length does no harm.
pub(super) fn groups(needs: &[&[usize]]) -> Vec<Vec<usize>> {
    let mut search = Search {
        needs,
        number: vec![None; needs.len()],
        lowest: vec![0; needs.len()],
        waiting: Vec::new(),
        is_waiting: vec![false; needs.len()],
        groups: Vec::with_capacity(needs.len()),
        next: 0,
    };
    for operation in 0..needs.len() {
        if search.number.get(operation).is_some_and(Option::is_none) {
            search.from(operation);
        }
    }
    search.groups
}

struct Search<'a> {
    needs: &'a [&'a [usize]],
    /// When an operation was first looked at.
    number: Vec<Option<usize>>,
    /// The earliest operation that can be reached from one and is not done with.
    lowest: Vec<usize>,
    /// Operations that are looked at and belong to no group yet.
    waiting: Vec<usize>,
    is_waiting: Vec<bool>,
    groups: Vec<Vec<usize>>,
    next: usize,
}

impl Search<'_> {
    fn enter(&mut self, operation: usize) {
        self.number[operation] = Some(self.next);
        self.lowest[operation] = self.next;
        self.next += 1;
        self.waiting.push(operation);
        self.is_waiting[operation] = true;
    }

    fn from(&mut self, start: usize) {
        self.enter(start);
        // Operations that are being looked at, each with how many of its needs are done with.
        let mut path = vec![(start, 0)];
        while let Some((operation, done)) = path.pop() {
            if let Some(&needed) = self.needs[operation].get(done) {
                path.push((operation, done + 1));
                match self.number[needed] {
                    None => {
                        self.enter(needed);
                        path.push((needed, 0));
                    }
                    Some(number) if self.is_waiting[needed] => {
                        self.lowest[operation] = self.lowest[operation].min(number);
                    }
                    Some(_) => {}
                }
                continue;
            }
            if let Some(&(before, _)) = path.last() {
                self.lowest[before] = self.lowest[before].min(self.lowest[operation]);
            }
            if self.number[operation] == Some(self.lowest[operation]) {
                let mut group = Vec::new();
                while let Some(member) = self.waiting.pop() {
                    self.is_waiting[member] = false;
                    group.push(member);
                    if member == operation {
                        break;
                    }
                }
                group.sort_unstable();
                self.groups.push(group);
            }
        }
    }
}
