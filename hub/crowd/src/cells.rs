//! Who is where: the people of each cell of each space, as chained lists in the order of their numbers.
//!
//! The lists change only when somebody steps into another cell, so that people who stand cost nothing.

use crate::Point;
use crate::plan::Plan;

const NONE: u32 = u32::MAX;

/// The people of each cell.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    /// Where the cells of each space begin.
    first_of_space: Vec<u32>,
    head: Vec<u32>,
    next: Vec<u32>,
    /// The cell of each person.
    cell: Vec<u32>,
}

impl Cells {
    pub fn new(plan: &Plan, people: usize) -> Self {
        let mut first_of_space = Vec::with_capacity(plan.grounds.len());
        let mut all = 0_u32;
        for ground in &plan.grounds {
            first_of_space.push(all);
            all += ground.grid.len() as u32;
        }
        Self {
            first_of_space,
            head: vec![NONE; all as usize],
            next: vec![NONE; people],
            cell: vec![NONE; people],
        }
    }

    /// Puts a person where it is now.
    pub fn put(&mut self, plan: &Plan, who: u32, space: u32, at: Point) {
        let cell = self.first_of_space[space as usize] + plan.grounds[space as usize].grid.cell(at) as u32;
        if self.cell[who as usize] == cell {
            return;
        }
        self.take(who);
        self.cell[who as usize] = cell;
        let head = self.head[cell as usize];
        if head == NONE || head > who {
            self.next[who as usize] = head;
            self.head[cell as usize] = who;
            return;
        }
        let mut before = head;
        while self.next[before as usize] < who {
            before = self.next[before as usize];
        }
        self.next[who as usize] = self.next[before as usize];
        self.next[before as usize] = who;
    }

    /// Takes a person away.
    pub fn take(&mut self, who: u32) {
        let cell = std::mem::replace(&mut self.cell[who as usize], NONE);
        if cell == NONE {
            return;
        }
        let after = self.next[who as usize];
        if self.head[cell as usize] == who {
            self.head[cell as usize] = after;
            return;
        }
        let mut before = self.head[cell as usize];
        while self.next[before as usize] != who {
            before = self.next[before as usize];
        }
        self.next[before as usize] = after;
    }

    /// Calls `see` with everybody whose cell touches the box, in a fixed order.
    pub fn within(&self, plan: &Plan, space: u32, of: [Point; 2], mut see: impl FnMut(usize)) {
        let grid = &plan.grounds[space as usize].grid;
        let [i0, i1, j0, j1] = grid.range(of);
        let first = self.first_of_space[space as usize] as usize;
        for j in j0..=j1 {
            for i in i0..=i1 {
                let mut who = self.head[first + j * grid.nx + i];
                while who != NONE {
                    see(who as usize);
                    who = self.next[who as usize];
                }
            }
        }
    }

    /// How many people are somewhere.
    pub fn count(&self) -> usize {
        self.cell.iter().filter(|&&c| c != NONE).count()
    }
}
