//! kie
