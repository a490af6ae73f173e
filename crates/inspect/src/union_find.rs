/// Disjoint sets of integers. The root of a set is its smallest member.
#[derive(Default)]
pub(crate) struct UnionFind {
    parents: Vec<usize>,
}

impl UnionFind {
    /// The sets `{0}`, `{1}`, …, `{count - 1}`.
    pub fn singletons(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    /// Adds a set of one new member, and returns it.
    pub fn push(&mut self) -> usize {
        self.parents.push(self.parents.len());
        self.parents.len() - 1
    }

    /// The root of the set of `member`; halves the path on the way.
    pub fn find(&mut self, mut member: usize) -> usize {
        while self.parents[member] != member {
            self.parents[member] = self.parents[self.parents[member]];
            member = self.parents[member];
        }
        member
    }

    /// Unites two sets and returns their common root.
    pub fn unite(&mut self, a: usize, b: usize) -> usize {
        let (a, b) = (self.find(a), self.find(b));
        self.parents[a.max(b)] = a.min(b);
        a.min(b)
    }

    /// The number of members of all sets.
    pub fn len(&self) -> usize {
        self.parents.len()
    }
}
