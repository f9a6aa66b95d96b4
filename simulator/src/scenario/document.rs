//! A scenario's text as a tree that remembers its lines.

use std::{borrow::Cow, ops::Range};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::place::{Place, Step};

/// A text that is TOML.
#[derive(Debug, Clone)]
pub(super) struct Document<'t> {
    text: &'t str,
    tree: Spanned<DeTable<'t>>,
}

/// Where the text is no TOML: the line, from 1, and why.
pub(super) type SyntaxError = (usize, String);

impl<'t> Document<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self, SyntaxError> {
        match DeTable::parse(text) {
            Ok(tree) => Ok(Self { text, tree }),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(text, span.start));
                Err((line, format!("this is not TOML: {}", error.message().trim())))
            }
        }
    }

    pub(super) fn tree(&self) -> &Spanned<DeTable<'t>> {
        &self.tree
    }

    /// The line of a key or an element; of what it would lie in, where it is not in the text.
    pub(super) fn line(&self, place: &Place) -> usize {
        let mut line = 1;
        let mut node = Node::Table(self.tree.get_ref());
        for step in place.steps() {
            let Some((span, below)) = node.below(step) else { break };
            line = line_of(self.text, span.start);
            node = below;
        }
        line
    }

    /// Whether something stands there.
    pub(super) fn has(&self, place: &Place) -> bool {
        let steps = place.steps().iter();
        let mut node = Some(Node::Table(self.tree.get_ref()));
        for step in steps {
            node = node.and_then(|node| node.below(step)).map(|(_, below)| below);
        }
        node.is_some()
    }

    /// The innermost key or element whose value stands exactly there.
    pub(super) fn place_of(&self, span: &Range<usize>) -> Place {
        let mut found = Place::root();
        search_table(self.tree.get_ref(), &Place::root(), span, &mut found);
        found
    }

    /// Puts a value in the place of a key's, or takes the key out, so that the rest can be read.
    pub(super) fn replace(&mut self, place: &Place, value: Option<DeValue<'static>>) {
        let Some((Step::Key(last), above)) = place.steps().split_last() else { return };
        let mut below = Below::Table(self.tree.get_mut());
        for step in above {
            let next = match (step, below) {
                (Step::Key(word), Below::Table(table)) => table.get_mut(word.as_str()),
                (Step::Index(index), Below::List(elements)) => elements.get_mut(*index),
                _ => None,
            };
            below = match next.map(Spanned::get_mut) {
                Some(DeValue::Table(table)) => Below::Table(table),
                Some(DeValue::Array(elements)) => Below::List(elements),
                _ => return,
            };
        }
        let Below::Table(table) = below else { return };
        // Nothing in the text has an empty span, so that errors are never looked for here.
        let nowhere = 0..0;
        match value {
            Some(value) => {
                let key = Spanned::new(nowhere.clone(), Cow::Owned(last.clone()));
                table.insert(key, Spanned::new(nowhere, value));
            }
            None => {
                table.remove(last.as_str());
            }
        }
    }
}

/// What can be changed below a table or a list.
enum Below<'a, 't> {
    Table(&'a mut DeTable<'t>),
    List(&'a mut DeArray<'t>),
}

/// A table, or any other value.
#[derive(Clone, Copy)]
enum Node<'a, 't> {
    Table(&'a DeTable<'t>),
    Value(&'a DeValue<'t>),
}

impl<'a, 't> Node<'a, 't> {
    fn of(value: &'a DeValue<'t>) -> Self {
        match value {
            DeValue::Table(table) => Self::Table(table),
            other => Self::Value(other),
        }
    }

    /// Where the next step stands, and what is there.
    fn below(self, step: &Step) -> Option<(Range<usize>, Self)> {
        match (self, step) {
            (Self::Table(table), Step::Key(word)) => {
                let (key, value) = table.get_key_value(word.as_str())?;
                Some((key.span(), Self::of(value.get_ref())))
            }
            (Self::Value(DeValue::Array(elements)), Step::Index(index)) => {
                let element = elements.get(*index)?;
                Some((element.span(), Self::of(element.get_ref())))
            }
            _ => None,
        }
    }
}

fn search_table(table: &DeTable<'_>, at: &Place, span: &Range<usize>, found: &mut Place) {
    for (key, value) in table {
        let place = at.key(Cow::clone(key.get_ref()));
        if key.span() == *span {
            *found = place.clone();
        }
        search_value(value, &place, span, found);
    }
}

fn search_value(value: &Spanned<DeValue<'_>>, at: &Place, span: &Range<usize>, found: &mut Place) {
    if value.span() == *span {
        *found = at.clone();
    }
    match value.get_ref() {
        DeValue::Table(table) => search_table(table, at, span, found),
        DeValue::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                search_value(element, &at.index(index), span, found);
            }
        }
        _ => {}
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
