//! A byte-wise radix tree over the literal and glob rules.
//!
//! Walking down compares each byte of the path at most once per way through the stars. A star consumes
//! exactly one segment, and a node's depth in segments is fixed, so each node is entered at most once
//! for one path: the work is bounded by the rules and can not be driven up by a request.

use super::NONE;
use super::rule::{Kind, PathRule};
use crate::path::CanonicalPath;

#[derive(Clone, Debug, Default)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    /// For each node the byte that leads to it, if its parent has it as a child.
    keys: Vec<u8>,
    labels: Vec<u8>,
    /// Rule numbers; each node has two runs in it.
    rules: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Node {
    label: (u32, u32),
    /// The children stand in a row from here, in the order of their keys.
    first_child: u32,
    children: u16,
    /// The node that goes on after one whole segment.
    star: u32,
    /// Where this node's rules begin; first those that end here, then those with everything below.
    rules: u32,
    ends: u16,
    opens: u16,
}

/// A rule as a row of literals with stars between them.
struct Entry {
    parts: Vec<Box<[u8]>>,
    rule: u32,
    open: bool,
}

impl Trie {
    pub(crate) fn build(rules: &[PathRule]) -> Self {
        let mut entries = Vec::with_capacity(rules.len());
        for (rule, number) in rules.iter().zip(0..) {
            match &rule.kind {
                Kind::Exact(text) => entries.push(Entry::literal(text, number, false)),
                Kind::Prefix(text) => entries.push(Entry::literal(text, number, true)),
                Kind::Glob { segments, open } => entries.push(Entry::glob(segments, number, *open)),
                Kind::Regex(_) | Kind::All | Kind::Asterisk => {}
            }
        }
        let mut trie = Self::default();
        if !entries.is_empty() {
            entries.sort_by(|a, b| a.parts.cmp(&b.parts).then(a.rule.cmp(&b.rule)));
            let refs: Vec<&Entry> = entries.iter().collect();
            trie.nodes.push(Node::EMPTY);
            trie.keys.push(0);
            trie.fill(0, &refs, 0, 0);
        }
        trie
    }

    /// Fills node `at` with `entries`, all alike before `part` and `from`; they are sorted.
    fn fill(&mut self, at: usize, entries: &[&Entry], part: usize, from: usize) {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return;
        };
        let shared = common_length(&first.parts[part][from..], &last.parts[part][from..]);
        let label_start = index(self.labels.len());
        self.labels
            .extend_from_slice(&first.parts[part][from..from + shared]);
        let reached = from + shared;

        let ending = entries
            .iter()
            .take_while(|e| e.parts[part].len() == reached)
            .count();
        let (here, below) = entries.split_at(ending);
        let rules = index(self.rules.len());
        let (mut ends, mut opens) = (0, 0);
        for open in [false, true] {
            for entry in here
                .iter()
                .filter(|e| e.parts.len() == part + 1 && e.open == open)
            {
                self.rules.push(entry.rule);
                *(if open { &mut opens } else { &mut ends }) += 1;
            }
        }
        let starred: Vec<&Entry> = here
            .iter()
            .filter(|e| e.parts.len() > part + 1)
            .copied()
            .collect();

        let groups: Vec<&[&Entry]> = below
            .chunk_by(|a, b| a.parts[part][reached] == b.parts[part][reached])
            .collect();
        let first_child = self.nodes.len();
        let star = if starred.is_empty() {
            NONE
        } else {
            index(first_child + groups.len())
        };
        self.nodes.resize(
            first_child + groups.len() + usize::from(!starred.is_empty()),
            Node::EMPTY,
        );
        self.keys
            .extend(groups.iter().map(|group| group[0].parts[part][reached]));
        self.keys.resize(self.nodes.len(), 0);
        self.nodes[at] = Node {
            children: groups.len() as u16,
            label: (label_start, index(shared)),
            first_child: index(first_child),
            star,
            rules,
            ends,
            opens,
        };
        for (offset, group) in groups.iter().enumerate() {
            // The byte that leads to a child is its key and not in its label.
            self.fill(first_child + offset, group, part, reached + 1);
        }
        if !starred.is_empty() {
            self.fill(first_child + groups.len(), &starred, part + 1, 0);
        }
    }

    /// Calls `found` with each rule that matches the path.
    pub(crate) fn each_match(&self, path: CanonicalPath<'_>, found: &mut impl FnMut(u32)) {
        if self.nodes.is_empty() {
            return;
        }
        match path.verbatim() {
            Some(bytes) => self.walk(0, bytes, 0, found),
            None => self.walk(0, path, 0, found),
        }
    }

    fn walk<P: PathBytes>(&self, node: u32, path: P, from: usize, found: &mut impl FnMut(u32)) {
        let (mut node, mut at) = (node, from);
        loop {
            let this = &self.nodes[node as usize];
            let (start, length) = (this.label.0 as usize, this.label.1 as usize);
            if length > 0 {
                if !path.has_at(at, &self.labels[start..start + length]) {
                    return;
                }
                at += length;
            }
            let next = (at < path.length()).then(|| path.byte_at(at));
            if this.ends | this.opens != 0 {
                self.report(this, path, at, next, found);
            }
            let Some(next) = next else { return };
            if this.star != NONE {
                let end = path.segment_end(at);
                if end > at {
                    self.walk(this.star, path, end, found);
                }
            }
            match self.child(this, next) {
                Some(child) => {
                    node = child;
                    at += 1;
                }
                None => return,
            }
        }
    }

    fn child(&self, node: &Node, byte: u8) -> Option<u32> {
        let first = node.first_child as usize;
        let keys = &self.keys[first..first + usize::from(node.children)];
        let nth = if keys.len() <= 16 {
            keys.iter().position(|key| *key == byte)
        } else {
            memchr::memchr(byte, keys)
        };
        nth.map(|nth| node.first_child + nth as u32)
    }

    /// The rules of a node that the path has reached.
    fn report<P: PathBytes>(
        &self,
        node: &Node,
        path: P,
        at: usize,
        next: Option<u8>,
        found: &mut impl FnMut(u32),
    ) {
        let rules = &self.rules[node.rules as usize..];
        let (ends, opens) = (usize::from(node.ends), usize::from(node.opens));
        if next.is_none() {
            rules[..ends].iter().for_each(|rule| found(*rule));
        }
        let at_boundary = next.is_none_or(|b| b == b'/') || at > 0 && path.byte_at(at - 1) == b'/';
        if at_boundary {
            rules[ends..ends + opens]
                .iter()
                .for_each(|rule| found(*rule));
        }
    }
}

/// A canonical path, byte by byte: as it came, or with hexadecimal digits in upper case.
trait PathBytes: Copy {
    fn length(self) -> usize;
    fn byte_at(self, at: usize) -> u8;
    fn has_at(self, at: usize, literal: &[u8]) -> bool;
    fn segment_end(self, from: usize) -> usize;
}

impl PathBytes for &[u8] {
    fn length(self) -> usize {
        self.len()
    }

    fn byte_at(self, at: usize) -> u8 {
        self[at]
    }

    fn has_at(self, at: usize, literal: &[u8]) -> bool {
        let part = self.get(at..).and_then(|rest| rest.get(..literal.len()));
        match literal {
            // Most labels are a few bytes: comparing them here is less work than calling for it.
            _ if literal.len() < 4 => {
                part.is_some_and(|p| p.iter().zip(literal).all(|(a, b)| a == b))
            }
            _ => part == Some(literal),
        }
    }

    fn segment_end(self, from: usize) -> usize {
        memchr::memchr(b'/', &self[from..]).map_or(self.len(), |length| from + length)
    }
}

impl PathBytes for CanonicalPath<'_> {
    fn length(self) -> usize {
        self.len()
    }

    fn byte_at(self, at: usize) -> u8 {
        self.byte(at)
    }

    fn has_at(self, at: usize, literal: &[u8]) -> bool {
        CanonicalPath::has_at(self, at, literal)
    }

    fn segment_end(self, from: usize) -> usize {
        self.as_str().as_bytes().segment_end(from)
    }
}

impl Node {
    const EMPTY: Self = Self {
        children: 0,
        label: (0, 0),
        first_child: 0,
        star: NONE,
        rules: 0,
        ends: 0,
        opens: 0,
    };
}

impl Entry {
    fn literal(text: &str, rule: u32, open: bool) -> Self {
        Self {
            parts: vec![text.as_bytes().into()],
            rule,
            open,
        }
    }

    /// `/api/*/status` becomes the literals `/api/` and `/status` with a star between them.
    fn glob(segments: &[Option<Box<str>>], rule: u32, open: bool) -> Self {
        let mut parts = vec![Vec::new()];
        for segment in segments {
            if let Some(part) = parts.last_mut() {
                part.push(b'/');
                part.extend_from_slice(segment.as_deref().unwrap_or_default().as_bytes());
            }
            if segment.is_none() {
                parts.push(Vec::new());
            }
        }
        Self {
            parts: parts.into_iter().map(Into::into).collect(),
            rule,
            open,
        }
    }
}

fn common_length(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Configurations are far smaller than four thousand million of anything.
fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(NONE)
}
