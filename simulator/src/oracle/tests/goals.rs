//! Each goal is reached by what its description says.

use std::collections::BTreeSet;

use super::tale::Tale;
use crate::oracle::goals::GOALS;

#[test]
fn goals_have_names_of_their_own() {
    let names: BTreeSet<_> = GOALS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), GOALS.len());
    assert_eq!(Tale::new().goals.all().len(), GOALS.len());
}
